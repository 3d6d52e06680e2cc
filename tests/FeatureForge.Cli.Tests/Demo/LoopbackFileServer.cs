// Serves one file on loopback with range requests; can cut a connection or refuse.
using System.Net;
using System.Net.Sockets;
using FeatureForge.TestKit;

namespace FeatureForge.Cli.Tests;

internal sealed class LoopbackFileServer : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly byte[] _content;
    private readonly Task _loop;

    internal LoopbackFileServer(byte[] content)
    {
        _content = content;
        Address = new Uri($"http://127.0.0.1:{FreePort.Find()}/");
        _listener.Prefixes.Add(Address.ToString());
        _listener.Start();
        _loop = Task.Run(ServeAsync);
    }

    internal Uri Address { get; }

    /// <summary>The Range header of every request, "" when there was none.</summary>
    internal List<string> Requests { get; } = [];

    internal int? CutFirstAnswerAfter { get; set; }

    internal HttpStatusCode? Status { get; set; }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try { context = await _listener.GetContextAsync(); }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException) { return; }
            lock (Requests) Requests.Add(context.Request.Headers["Range"] ?? "");
            await AnswerAsync(context);
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        var first = context.Request.Headers["Range"] is { } range ? int.Parse(range["bytes=".Length..^1]) : 0;
        if (Status is { } status)
        {
            context.Response.StatusCode = (int)status;
            context.Response.Close();
            return;
        }
        context.Response.StatusCode = first > 0 ? 206 : 200;
        context.Response.ContentLength64 = _content.Length - first;
        var cut = Requests.Count == 1 ? CutFirstAnswerAfter : null;
        await context.Response.OutputStream.WriteAsync(_content.AsMemory(first, cut ?? _content.Length - first));
        if (cut is null) context.Response.Close();
        else
        {
            await context.Response.OutputStream.FlushAsync();
            context.Response.Abort();
        }
    }

    public void Dispose()
    {
        _listener.Close();
        _loop.GetAwaiter().GetResult();
    }
}
