// HTTP and HTTPS. Redirects are followed here, hop by hop, so that every hop's address is checked; addresses are checked when
// they are connected to.
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal sealed class HttpServer : IRemoteServer, IDisposable
{
    public const string Program = "FeatureForge";

    private readonly RemoteLimits _limits;
    private readonly HttpClient _client;

    public HttpServer(RemoteLimits limits)
    {
        _limits = limits;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            // Behind a proxy the address that is connected to is the proxy's.
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(limits.ConnectSeconds),
            MaxConnectionsPerServer = limits.Parallel,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            MaxResponseHeadersLength = 64,
            ConnectCallback = ConnectAsync,
        };
        _client = new(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _client.DefaultRequestHeaders.UserAgent.Add(new(Program, "0.1"));
        _client.DefaultRequestHeaders.AcceptEncoding.ParseAdd("identity");
    }

    public void Dispose() => _client.Dispose();

    public async Task<RemoteAnswer> OpenAsync(string target, long offset, ResourceVersion? have, ResourceVersion? settled, CancellationToken stop)
    {
        if (!Uri.TryCreate(target, UriKind.Absolute, out var uri)) throw new RemoteException(RejectionCode.Malformed, "It is no URL; expected https://server/path.", isTransient: false);
        var at = uri;
        for (var hops = 0; ; hops++)
        {
            var response = await SendAsync(at, Request(uri, at, offset, have, settled), stop);
            if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308)) return await AnswerAsync(uri, response, offset, stop);
            var location = response.Headers.Location;
            response.Dispose();
            if (location == null) throw new RemoteException(RejectionCode.Unreachable, $"{at.Host} redirects without saying where to.", isTransient: false);
            if (hops == _limits.Redirects) throw new RemoteException(RejectionCode.Unreachable, $"More than {_limits.Redirects} redirects, the last to {Shown(location)}.", isTransient: false);
            at = new(at, location);
            if (at.Scheme is not ("http" or "https")) throw new RemoteException(RejectionCode.Refused, $"It redirects to {Shown(at)}; only http and https are followed.", isTransient: false);
        }
    }

    /// <summary>Without the password of its user.</summary>
    public static string Shown(Uri uri) => uri.IsAbsoluteUri ? uri.GetComponents(UriComponents.AbsoluteUri & ~UriComponents.UserInfo, UriFormat.UriEscaped) : uri.ToString();

    private static HttpRequestMessage Request(Uri asked, Uri at, long offset, ResourceVersion? have, ResourceVersion? settled)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, at);
        // A password is for the server it was given for, not for where that one redirects to.
        if (asked.UserInfo.Length > 0 && asked.Host == at.Host) request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(asked.UserInfo))));
        if (offset > 0)
        {
            request.Headers.Range = new(offset, null);
            request.Headers.TryAddWithoutValidation("If-Range", have!.Exact);
        }
        if (settled?.ETag != null) request.Headers.TryAddWithoutValidation("If-None-Match", settled.ETag);
        if (settled?.LastModified != null) request.Headers.TryAddWithoutValidation("If-Modified-Since", settled.LastModified);
        return request;
    }

    private async Task<HttpResponseMessage> SendAsync(Uri at, HttpRequestMessage request, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(TimeSpan.FromSeconds(_limits.ConnectSeconds + _limits.StallSeconds));
        try
        {
            using (request) return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new RemoteException(RejectionCode.TimedOut, $"{at.Host} gave no answer within {_limits.StallSeconds} s.", isTransient: true);
        }
        catch (HttpRequestException error)
        {
            for (Exception? inner = error; inner != null; inner = inner.InnerException)
            {
                if (inner is RemoteException known) throw known;
                if (inner is SocketException { SocketErrorCode: SocketError.HostNotFound }) throw new RemoteException(RejectionCode.Unreachable, $"There is no server called {at.Host}. Check the URL, or the network.", isTransient: false);
                if (inner is System.Security.Authentication.AuthenticationException) throw new RemoteException(RejectionCode.Unreachable, $"{at.Host} has no certificate that this machine trusts: {inner.Message}", isTransient: false);
            }
            throw new RemoteException(RejectionCode.Unreachable, $"{at.Host} cannot be reached: {error.Message}", isTransient: true);
        }
    }

    private async Task<RemoteAnswer> AnswerAsync(Uri uri, HttpResponseMessage response, long offset, CancellationToken stop)
    {
        try
        {
            var status = (int)response.StatusCode;
            if (!_limits.IgnoreRobots && response.Headers.TryGetValues("X-Robots-Tag", out var tags) && RobotsHeader.OptOut(tags, Program) is { } directive)
                throw new RemoteException(RejectionCode.OptedOut, $"The server asks with X-Robots-Tag '{directive}' not to use this. Ask its owner; with permission, ingest with --ignore-robots.", isTransient: false);
            var version = new ResourceVersion(ETag(response), response.Content.Headers.TryGetValues("Last-Modified", out var modified) ? modified.First() : null);
            if (status == 304) return new(true, Stream.Null, 0, null, version, null, response);
            var range = response.Content.Headers.ContentRange;
            if (status == 206 && range?.From != offset) throw new RemoteException(RejectionCode.Malformed, $"The server was asked for bytes from {offset} and sent some from {range?.From}.", isTransient: true);
            if (status is not (200 or 203 or 206)) throw Failure(uri, response);
            var start = status == 206 ? offset : 0;
            var total = status == 206 ? range!.Length : response.Content.Headers.ContentLength;
            var encoding = response.Content.Headers.ContentEncoding.LastOrDefault(name => name != "identity");
            return new(false, await response.Content.ReadAsStreamAsync(stop), start, total, version, encoding, response);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private static string? ETag(HttpResponseMessage response) => response.Headers.ETag?.ToString();

    private RemoteException Failure(Uri uri, HttpResponseMessage response)
    {
        var (status, phrase) = ((int)response.StatusCode, response.ReasonPhrase);
        var said = $"{uri.Host} answered {status} ({phrase})";
        return status switch
        {
            404 or 410 => new(RejectionCode.NotFound, $"{said}. Correct the URL or take it off the list.", isTransient: false),
            401 or 403 or 407 or 451 => new(RejectionCode.Refused, $"{said}: it does not hand this out. Get permission, or download it yourself and ingest the file.", isTransient: false),
            408 or 425 or 429 or >= 500 => new(RejectionCode.Unreachable, said, isTransient: true, RetryAfter(response)),
            416 => new(RejectionCode.Changed, $"{said}: it no longer has as many bytes as before.", isTransient: true),
            _ => new(RejectionCode.Refused, $"{said}; expected 200.", isTransient: false),
        };
    }

    private static TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        // A date is against the server's own clock.
        { Date: { } date } when response.Headers.Date is { } now => date > now ? date - now : TimeSpan.Zero,
        _ => null,
    };

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken stop)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var found = await Dns.GetHostAddressesAsync(host, stop);
        var allowed = _limits.AllowPrivateAddresses ? found : [.. found.Where(PublicAddress.Is)];
        if (found.Length > 0 && allowed.Length == 0)
            throw new RemoteException(RejectionCode.PrivateAddress, $"{host} is {found[0]}, a private, loopback or link-local address. If that server is yours, ingest with --allow-private-addresses.", isTransient: false);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, port, stop);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
