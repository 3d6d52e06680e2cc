// An HTTP server of a test's own that can misbehave: the test writes every byte of every answer.
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FeatureForge.Ingest.Tests;

internal sealed class LoopbackServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly ConcurrentDictionary<string, int> _counts = new();
    private readonly Func<Request, Task> _answer;
    private readonly Task _accepting;

    public LoopbackServer(Func<Request, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    public ConcurrentQueue<Request> Requests { get; } = new();

    internal sealed record Request(string Path, IReadOnlyDictionary<string, string> Headers, int Number, NetworkStream Stream, CancellationToken Ended)
    {
        public string? Header(string name) => Headers.GetValueOrDefault(name.ToLowerInvariant());

        /// <summary>A whole answer; without a length of its own the true one.</summary>
        public async Task SendAsync(string status, byte[] body, string headers = "", long? length = null)
        {
            await Stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length ?? body.Length}\r\n{headers}\r\n"));
            await Stream.WriteAsync(body);
        }

        public Task NeverAsync() => Task.Delay(Timeout.Infinite, Ended);
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _listener.Stop();
        await _accepting;
        _ended.Dispose();
    }

    private async Task AcceptAsync()
    {
        var answering = new List<Task>();
        try
        {
            while (true) answering.Add(AnswerAsync(await _listener.AcceptTcpClientAsync(_ended.Token)));
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(answering);
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
                var path = (await reader.ReadLineAsync(_ended.Token))!.Split(' ')[1];
                var headers = new Dictionary<string, string>();
                while (await reader.ReadLineAsync(_ended.Token) is { Length: > 0 } line) headers[line[..line.IndexOf(':')].ToLowerInvariant()] = line[(line.IndexOf(':') + 1)..].Trim();
                var request = new Request(path, headers, _counts.AddOrUpdate(path, 1, (_, count) => count + 1), stream, _ended.Token);
                Requests.Enqueue(request);
                await _answer(request);
            }
            catch (Exception error) when (error is OperationCanceledException or IOException or NullReferenceException)
            {
                // The client has gone, or the test has.
            }
        }
    }
}
