// An S3 server in memory that keeps conditional writes, as Amazon's does and the servers that run here do not, and that fails on request.
using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;

namespace FeatureForge.TestKit;

/// <summary>Path-style objects, user metadata, ranges, listings, copies, uploads in pieces, If-Match and If-None-Match.</summary>
public sealed class MemoryS3 : IDisposable
{
    private sealed record Stored(byte[] Bytes, string ETag, Dictionary<string, string> Metadata, DateTime Written);

    private static readonly XNamespace _names = "http://s3.amazonaws.com/doc/2006-03-01/";
    private readonly HttpListener _listener = new();
    private readonly SortedDictionary<string, Stored> _objects = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string Path, Dictionary<string, string> Metadata, SortedDictionary<int, byte[]> Pieces)> _uploads = [];
    private readonly Lock _gate = new();

    public MemoryS3()
    {
        Url = $"http://127.0.0.1:{FreePort.Find()}";
        _listener.Prefixes.Add(Url + "/");
        _listener.Start();
        S3Process.UseEndpoint(Url);
        _ = Task.Run(ServeAsync);
    }

    public string Url { get; }

    /// <summary>Given method and path of a request: a status to fail it with, -1 to break off in the middle of the body, or 0.</summary>
    public Func<string, string, int> Fault { get; set; } = (_, _) => 0;

    /// <summary>As <see cref="Fault"/>, but the request is carried out first.</summary>
    public Func<string, string, int> FaultAfter { get; set; } = (_, _) => 0;

    /// <summary>Method and path of all requests.</summary>
    public ConcurrentQueue<(string Method, string Path)> Requests { get; } = [];

    public IReadOnlyList<string> Keys { get { lock (_gate) return [.. _objects.Keys]; } }

    /// <summary>Uploads in pieces that began and did not end.</summary>
    public int OpenUploads { get { lock (_gate) return _uploads.Count; } }

    public byte[] this[string path]
    {
        get { lock (_gate) return _objects[path].Bytes; }
        set { lock (_gate) _objects[path] = _objects.TryGetValue(path, out var before) ? before with { Bytes = value, ETag = TagOf(value) } : new(value, TagOf(value), [], TimeProvider.System.GetUtcNow().UtcDateTime); }
    }

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext http;
            try { http = await _listener.GetContextAsync(); }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException) { return; }
            _ = Task.Run(async () =>
            {
                try { await AnswerAsync(http); }
                catch (Exception error) when (error is HttpListenerException or IOException or ObjectDisposedException or InvalidOperationException) { http.Response.Abort(); }
            });
        }
    }

    private async Task AnswerAsync(HttpListenerContext http)
    {
        var (request, response) = (http.Request, http.Response);
        var path = Uri.UnescapeDataString(request.Url!.AbsolutePath)[1..];
        Requests.Enqueue((request.HttpMethod, path));
        using var body = new MemoryStream();
        await request.InputStream.CopyToAsync(body);
        var fault = Fault(request.HttpMethod, path);
        if (fault > 0) await FailAsync(response, fault, "InternalError");
        else if (request.HttpMethod == "PUT" && FaultAfter(request.HttpMethod, path) is > 0 and var late)
        {
            _ = TryStore(path, body.ToArray(), MetadataOf(request), request);
            await FailAsync(response, late, "InternalError");
        }
        else if (request.QueryString["list-type"] is not null) await SendAsync(response, List(path.TrimEnd('/'), request));
        else await (request.HttpMethod switch
        {
            "GET" or "HEAD" => GetAsync(request, response, path, fault < 0),
            "PUT" => PutAsync(request, response, path, body.ToArray()),
            "POST" => PostAsync(request, response, path),
            "DELETE" => DeleteAsync(request, response, path),
            _ => FailAsync(response, 405, "MethodNotAllowed"),
        });
        response.Close();
    }

    private async Task GetAsync(HttpListenerRequest request, HttpListenerResponse response, string path, bool breaksOff)
    {
        Stored? found;
        lock (_gate) found = _objects.GetValueOrDefault(path);
        if (found is null) { await FailAsync(response, 404, "NoSuchKey"); return; }
        if (request.Headers["If-None-Match"] == found.ETag) { response.StatusCode = 304; return; }
        if (request.Headers["If-Match"] is { } wanted && wanted != found.ETag) { await FailAsync(response, 412, "PreconditionFailed"); return; }
        var from = request.Headers["Range"] is { } range ? int.Parse(range["bytes=".Length..].Split('-')[0], CultureInfo.InvariantCulture) : 0;
        if (from > 0)
        {
            response.StatusCode = 206;
            response.Headers["Content-Range"] = $"bytes {from}-{found.Bytes.Length - 1}/{found.Bytes.Length}";
        }
        response.Headers["ETag"] = found.ETag;
        response.Headers["Last-Modified"] = found.Written.ToString("R", CultureInfo.InvariantCulture);
        foreach (var (name, value) in found.Metadata) response.Headers[name] = value;
        response.ContentLength64 = found.Bytes.Length - from;
        if (request.HttpMethod == "HEAD") return;
        if (breaksOff && found.Bytes.Length > 1)
        {
            await response.OutputStream.WriteAsync(found.Bytes.AsMemory(from, (found.Bytes.Length - from) / 2));
            await response.OutputStream.FlushAsync();
            response.Abort();
            return;
        }
        await response.OutputStream.WriteAsync(found.Bytes.AsMemory(from));
    }

    private async Task PutAsync(HttpListenerRequest request, HttpListenerResponse response, string path, byte[] bytes)
    {
        if (request.QueryString["uploadId"] is { } upload)
        {
            lock (_gate) _uploads[upload].Pieces[int.Parse(request.QueryString["partNumber"]!, CultureInfo.InvariantCulture)] = bytes;
            response.Headers["ETag"] = TagOf(bytes);
            return;
        }
        var metadata = MetadataOf(request);
        if (request.Headers["x-amz-copy-source"] is { } source)
        {
            Stored from;
            lock (_gate) from = _objects[Uri.UnescapeDataString(source).TrimStart('/')];
            (bytes, metadata) = (from.Bytes, from.Metadata);
        }
        if (!TryStore(path, bytes, metadata, request)) { await FailAsync(response, 412, "PreconditionFailed"); return; }
        response.Headers["ETag"] = TagOf(bytes);
        if (request.Headers["x-amz-copy-source"] is not null)
            await SendAsync(response, new(_names + "CopyObjectResult", new XElement(_names + "ETag", TagOf(bytes)), new XElement(_names + "LastModified", "2026-01-01T00:00:00.000Z")));
    }

    private async Task PostAsync(HttpListenerRequest request, HttpListenerResponse response, string path)
    {
        if (request.QueryString["uploadId"] is not { } upload)
        {
            upload = Guid.NewGuid().ToString("N");
            lock (_gate) _uploads[upload] = (path, MetadataOf(request), []);
            await SendAsync(response, new(_names + "InitiateMultipartUploadResult", new XElement(_names + "Bucket", "bucket"), new XElement(_names + "Key", path), new XElement(_names + "UploadId", upload)));
            return;
        }
        byte[] bytes;
        Dictionary<string, string> metadata;
        lock (_gate) (bytes, metadata) = ([.. _uploads[upload].Pieces.Values.SelectMany(piece => piece)], _uploads[upload].Metadata);
        if (!TryStore(path, bytes, metadata, request)) { await FailAsync(response, 412, "PreconditionFailed"); return; }
        lock (_gate) _uploads.Remove(upload);
        await SendAsync(response, new(_names + "CompleteMultipartUploadResult", new XElement(_names + "ETag", TagOf(bytes))));
    }

    private Task DeleteAsync(HttpListenerRequest request, HttpListenerResponse response, string path)
    {
        lock (_gate)
        {
            if (request.QueryString["uploadId"] is { } upload) _uploads.Remove(upload);
            else _objects.Remove(path);
        }
        response.StatusCode = 204;
        return Task.CompletedTask;
    }

    private bool TryStore(string path, byte[] bytes, Dictionary<string, string> metadata, HttpListenerRequest request)
    {
        lock (_gate)
        {
            var there = _objects.GetValueOrDefault(path);
            if (request.Headers["If-None-Match"] == "*" && there is not null) return false;
            if (request.Headers["If-Match"] is { } wanted && there?.ETag != wanted) return false;
            _objects[path] = new(bytes, TagOf(bytes), metadata, TimeProvider.System.GetUtcNow().UtcDateTime);
            return true;
        }
    }

    private XElement List(string bucket, HttpListenerRequest request)
    {
        var (prefix, delimiter) = ($"{bucket}/{request.QueryString["prefix"]}", request.QueryString["delimiter"]);
        List<KeyValuePair<string, Stored>> found;
        lock (_gate) found = [.. _objects.Where(pair => pair.Key.StartsWith(prefix, StringComparison.Ordinal))];
        var folders = new SortedSet<string>(StringComparer.Ordinal);
        var contents = new List<XElement>();
        foreach (var (path, stored) in found)
        {
            var key = path[(bucket.Length + 1)..];
            if (delimiter is not null && path.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal) is >= 0 and var end) folders.Add(path[(bucket.Length + 1)..(end + 1)]);
            else contents.Add(new(_names + "Contents", new XElement(_names + "Key", key), new XElement(_names + "LastModified", stored.Written.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)), new XElement(_names + "ETag", stored.ETag), new XElement(_names + "Size", stored.Bytes.Length)));
        }
        return new(_names + "ListBucketResult", new XElement(_names + "IsTruncated", "false"), contents, folders.Select(folder => new XElement(_names + "CommonPrefixes", new XElement(_names + "Prefix", folder))));
    }

    private static Dictionary<string, string> MetadataOf(HttpListenerRequest request) =>
        request.Headers.AllKeys.OfType<string>().Where(name => name.StartsWith("x-amz-meta-", StringComparison.OrdinalIgnoreCase)).ToDictionary(name => name, name => request.Headers[name]!);

    private static string TagOf(byte[] bytes) => $"\"{Convert.ToHexStringLower(MD5.HashData(bytes))}\"";

    private static async Task SendAsync(HttpListenerResponse response, XElement body)
    {
        response.ContentType = "application/xml";
        await response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(body.ToString(SaveOptions.DisableFormatting)));
    }

    private static Task FailAsync(HttpListenerResponse response, int status, string code)
    {
        response.StatusCode = status;
        return SendAsync(response, new("Error", new XElement("Code", code), new XElement("Message", code)));
    }
}
