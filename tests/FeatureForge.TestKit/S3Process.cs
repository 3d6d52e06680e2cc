// The S3 server of npm's s3rver as a child process with one bucket, called "bucket".
using System.Diagnostics;
using System.Text.RegularExpressions;
using Amazon.Runtime;
using Amazon.S3;

namespace FeatureForge.TestKit;

/// <summary>A server process; the environment's endpoint and credentials are its own until the next one starts.</summary>
public sealed class S3Process : IDisposable
{
    private readonly Process _process;
    private readonly AmazonS3Client _client;

    private S3Process(Process process, string url)
    {
        _process = process;
        Url = url;
        _client = new(new BasicAWSCredentials("S3RVER", "S3RVER"), new AmazonS3Config { ServiceURL = url, ForcePathStyle = true, AuthenticationRegion = "us-east-1" });
    }

    public string Url { get; }

    /// <param name="folder">Where it keeps its objects.</param>
    public static async Task<S3Process> StartAsync(string folder)
    {
        var process = Process.Start(new ProcessStartInfo(NeedsToolFactAttribute.S3Server!, ["-d", folder, "-a", "127.0.0.1", "-p", "0", "--configure-bucket", "bucket"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (Regex.Match(line, @"(\d+)\s*$") is not { Success: true } port || port.Value.Trim() == "0") continue;
            // It goes on talking: a full pipe would stop it.
            _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
            _ = process.StandardError.BaseStream.CopyToAsync(Stream.Null);
            var server = new S3Process(process, $"http://127.0.0.1:{port.Groups[1].Value}");
            UseEndpoint(server.Url);
            return server;
        }
        throw new InvalidOperationException($"s3rver did not start: {await process.StandardError.ReadToEndAsync()}");
    }

    public static void UseEndpoint(string url)
    {
        Environment.SetEnvironmentVariable("AWS_ENDPOINT_URL_S3", url);
        Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", "S3RVER");
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", "S3RVER");
    }

    public Task PutAsync(string key, byte[] bytes) => _client.PutObjectAsync(new() { BucketName = "bucket", Key = key, InputStream = new MemoryStream(bytes), UseChunkEncoding = false });

    /// <summary>SIGSTOP and SIGCONT make it a server that stalls.</summary>
    public void Signal(string signal) => FeatureForgeProgram.Signal(_process.Id, signal);

    public void Dispose()
    {
        _client.Dispose();
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }
}
