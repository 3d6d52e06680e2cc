// One resource from a server to this machine: as many attempts as the limits allow, each going on where the last one broke
// off when the server can do that. Small bodies stay in memory; larger ones lie in a file, so that a run which is killed
// and started again goes on as well.
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>What became of a request: bytes in memory, a file, an unchanged resource, or a failure.</summary>
internal sealed record Fetched
{
    public byte[]? Bytes { get; init; }
    public string? FilePath { get; init; }
    public long Size { get; init; }
    public string? Sha256 { get; init; }
    public ResourceVersion? Version { get; init; }
    public bool IsUnchanged { get; init; }
    public RejectionCode? Code { get; init; }
    public string? Reason { get; init; }
}

internal sealed class Download(IRemoteServer server, IngestLimits limits, RemoteLimits remote, string folder)
{
    private const int MemoryBytes = 256 << 10;

    /// <summary>Never throws for what a server does.</summary>
    /// <param name="spoolName">Names the file that holds what has come; the same for the same target, but of two at once.</param>
    public async Task<Fetched> FetchAsync(string target, string spoolName, ResourceVersion? settled, CancellationToken stop)
    {
        // The same list gives the same waiting times; different URLs do not come back all at once.
        var random = new Random(BitConverter.ToInt32(SHA256.HashData(Encoding.UTF8.GetBytes(target))));
        await using var spool = Spool.Reopen(Path.Combine(folder, spoolName));
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await TryAsync(target, settled, spool, stop);
            }
            catch (RemoteException error) when (!error.IsTransient || attempt >= remote.Attempts)
            {
                spool.Discard();
                return new() { Code = error.Code, Reason = attempt > 1 ? $"{error.Message} Tried {attempt} times." : error.Message };
            }
            catch (RemoteException error)
            {
                if (error.Code == RejectionCode.Changed) spool.Discard();
                if (Wait(error, attempt, random) is not { } wait)
                    return new() { Code = error.Code, Reason = $"{error.Message}, and asks to come back in {error.After!.Value.TotalSeconds:0} s; the limit is {remote.LongestWaitSeconds} s. Ingest again later." };
                await Task.Delay(wait, stop);
            }
        }
    }

    private TimeSpan? Wait(RemoteException error, int attempt, Random random)
    {
        if (error.After is { } after && after.TotalSeconds > remote.LongestWaitSeconds) return null;
        var backOff = Math.Min(remote.BackOffSeconds * Math.Pow(2, attempt - 1), remote.LongestWaitSeconds) * (0.5 + random.NextDouble());
        return TimeSpan.FromSeconds(Math.Max(error.After?.TotalSeconds ?? 0, backOff));
    }

    private async Task<Fetched> TryAsync(string target, ResourceVersion? settled, Spool spool, CancellationToken stop)
    {
        // Half of a resource is worth going on with only if its version has a name.
        if (spool.Length > 0 && spool.Version?.Exact == null) spool.Restart(null);
        using var answer = await server.OpenAsync(target, spool.Length, spool.Version, spool.Length > 0 ? null : settled, stop);
        if (answer.IsUnchanged) return new() { IsUnchanged = true };
        if (answer.TotalBytes > limits.FileBytes) throw TooLarge(answer.TotalBytes.Value);
        if (answer.Offset == 0) spool.Restart(answer.Version);
        await CopyAsync(answer, spool, stop);
        if (answer.TotalBytes is { } total && spool.Length != total) throw new RemoteException(RejectionCode.Truncated, $"The server announced {total} bytes and sent {spool.Length}.", isTransient: true);
        var fetched = answer.ContentEncoding == null ? spool : Decoded(answer.ContentEncoding, spool);
        return fetched.Take(answer.Version);
    }

    private async Task CopyAsync(RemoteAnswer answer, Spool spool, CancellationToken stop)
    {
        var buffer = new byte[1 << 16];
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        while (true)
        {
            int read;
            patience.CancelAfter(TimeSpan.FromSeconds(remote.StallSeconds));
            try
            {
                read = await answer.Body.ReadAsync(buffer, patience.Token);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                throw new RemoteException(RejectionCode.TimedOut, $"The server sent nothing for {remote.StallSeconds} s after {spool.Length} bytes.", isTransient: true);
            }
            catch (Exception error) when (error is IOException or HttpRequestException or Amazon.Runtime.AmazonClientException)
            {
                throw new RemoteException(RejectionCode.Truncated, $"The connection broke after {spool.Length}{(answer.TotalBytes is { } total ? $" of {total}" : "")} bytes: {error.Message}", isTransient: true);
            }
            if (read == 0) return;
            if (spool.Length + read > limits.FileBytes) throw TooLarge(spool.Length + read);
            spool.Append(buffer.AsSpan(0, read), MemoryBytes);
        }
    }

    // Not asked for, but some servers pack all the same.
    private Spool Decoded(string encoding, Spool packed)
    {
        var budget = new ArchiveBudget(limits, packed.Length);
        using var source = packed.Open();
        using Stream unpacked = encoding switch
        {
            "gzip" or "x-gzip" => new GZipStream(source, CompressionMode.Decompress),
            "br" => new BrotliStream(source, CompressionMode.Decompress),
            "deflate" => new ZLibStream(source, CompressionMode.Decompress),
            _ => throw new RemoteException(RejectionCode.UnsupportedFeature, $"The server packs the content as '{encoding}', which is not taken here.", isTransient: false),
        };
        var decoded = packed.Beside();
        var buffer = new byte[1 << 16];
        try
        {
            while (unpacked.Read(buffer) is > 0 and var read)
            {
                budget.TakeBytes(read);
                decoded.Append(buffer.AsSpan(0, read), MemoryBytes);
            }
        }
        catch (Exception error) when (error is InvalidDataException or MediaRejectedException)
        {
            decoded.Discard();
            throw new RemoteException(error is MediaRejectedException rejected ? rejected.Code : RejectionCode.Malformed, $"The content is packed as {encoding}: {error.Message}", isTransient: false);
        }
        packed.Discard();
        return decoded;
    }

    private RemoteException TooLarge(long bytes) => new(RejectionCode.TooLarge, $"The resource has {bytes} bytes or more; the limit is {limits.FileBytes}.", isTransient: false);
}

/// <summary>Bytes on their way: in memory while they are few, else in a file with a note of their version.</summary>
internal sealed class Spool : IAsyncDisposable
{
    private readonly string _path;
    private MemoryStream _memory = new();
    private FileStream? _file;

    private Spool(string path) => _path = path;

    public long Length => _file?.Length ?? _memory.Length;

    public ResourceVersion? Version { get; private set; }

    private string NotePath => _path + ".json";

    /// <summary>What an earlier attempt left, or nothing yet.</summary>
    public static Spool Reopen(string path)
    {
        var spool = new Spool(path);
        if (!File.Exists(path) || !File.Exists(spool.NotePath)) return spool;
        spool.Version = JsonSerializer.Deserialize<ResourceVersion>(File.ReadAllText(spool.NotePath));
        spool._file = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        spool._file.Position = spool._file.Length;
        return spool;
    }

    /// <summary>An empty one under another name.</summary>
    public Spool Beside() => new(_path + ".unpacked");

    public void Restart(ResourceVersion? version)
    {
        Discard();
        Version = version;
    }

    public void Append(ReadOnlySpan<byte> bytes, int mostInMemory)
    {
        try
        {
            Write(bytes, mostInMemory);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ScratchFailedException(Path.GetDirectoryName(_path)!, error);
        }
    }

    private void Write(ReadOnlySpan<byte> bytes, int mostInMemory)
    {
        if (_file == null && _memory.Length + bytes.Length > mostInMemory)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            if (Version != null) File.WriteAllText(NotePath, JsonSerializer.Serialize(Version));
            _file = new(_path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read);
            _memory.WriteTo(_file);
            _memory = new();
        }
        if (_file != null) _file.Write(bytes);
        else _memory.Write(bytes);
    }

    public Stream Open()
    {
        _file?.Flush();
        return _file == null ? new MemoryStream(_memory.ToArray(), writable: false) : File.OpenRead(_path);
    }

    /// <summary>Hands the finished bytes over; a file is then the taker's.</summary>
    public Fetched Take(ResourceVersion version)
    {
        using var stream = Open();
        var fetched = new Fetched { Size = Length, Version = version, Sha256 = Convert.ToHexStringLower(SHA256.HashData(stream)) };
        if (_file == null) return fetched with { Bytes = _memory.ToArray() };
        _file.Dispose();
        _file = null;
        // Under a name of its own: the same URL may come again in the list while this one is being decoded.
        var taken = $"{_path}-{Guid.NewGuid():N}";
        File.Move(_path, taken);
        File.Delete(NotePath);
        return fetched with { FilePath = taken };
    }

    public void Discard()
    {
        _memory = new();
        _file?.Dispose();
        _file = null;
        if (File.Exists(NotePath)) File.Delete(NotePath);
        if (File.Exists(_path)) File.Delete(_path);
    }

    public async ValueTask DisposeAsync()
    {
        if (_file != null) await _file.DisposeAsync();
    }
}
