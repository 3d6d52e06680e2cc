// Fetches what links lead to, many at a time, and hands it on in the links' own order.
using System.Text;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal sealed class RemoteReader : IDisposable
{
    // How far downloads may be ahead of the one that is waited for; each holds little memory.
    private const int WaitingPerDownload = 4;

    private readonly SourceSetting _setting;
    private readonly RemoteLimits _remote;
    private readonly CancellationTokenSource _ended;
    private readonly SemaphoreSlim _slots;
    private readonly HttpServer _http;
    private readonly S3Server _s3;
    private readonly Download _httpDownload;
    private readonly Download _s3Download;
    private readonly Lazy<ServerMemory>? _memory;
    private readonly HashSet<string> _spools = new(StringComparer.Ordinal);

    public RemoteReader(IngestSpec spec, SourceSetting setting, CancellationToken stop)
    {
        (_setting, _remote) = (setting, spec.Remote);
        _ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _slots = new(_remote.Parallel);
        (_http, _s3) = (new(_remote), new(_remote));
        var folder = Path.Combine(setting.ScratchFolder, "downloads");
        (_httpDownload, _s3Download) = (new(_http, spec.Limits, _remote, folder), new(_s3, spec.Limits, _remote, folder));
        _memory = setting.MemoryOfServers is { } path ? new(() => new(path)) : null;
    }

    public S3Server S3 => _s3;

    public static bool IsRemote(string target) => Scheme(target) != null;

    /// <summary>What is wrong with a URL, before anything is asked.</summary>
    public static IEnumerable<string> Problems(string source)
    {
        if (Scheme(source) == "s3")
        {
            if (S3Connection.Split(source).Bucket.Length == 0) yield return $"Source {source} names no bucket; expected s3://bucket/prefix.";
        }
        else if (!Uri.TryCreate(source, UriKind.Absolute, out var uri) || uri.Host.Length == 0) yield return $"Source {source} is no URL; expected https://server/path.";
    }

    /// <summary>A URL's text without the password of its user.</summary>
    public static string Shown(string target) => Scheme(target) == "http" && Uri.TryCreate(target, UriKind.Absolute, out var uri) && uri.UserInfo.Length > 0 ? HttpServer.Shown(uri) : target;

    /// <summary>The last part of a URL's path: its extension may say what is there.</summary>
    public static string NameOf(string target)
    {
        var path = Scheme(target) == "http" && Uri.TryCreate(target, UriKind.Absolute, out var uri) ? Uri.UnescapeDataString(uri.AbsolutePath) : target;
        return path[(path.LastIndexOf('/') + 1)..];
    }

    /// <summary>A source on a server: one URL, or every object under an s3:// prefix.</summary>
    public IEnumerable<Finding> LinksOf(string source, DateTimeOffset at, CancellationToken stop)
    {
        if (Scheme(source) != "s3")
        {
            var name = NameOf(source) is { Length: > 0 } last ? last : new Uri(source).Host;
            return [Link(name, source, isRoot: true, at, null)];
        }
        return InBucket(source, at, stop);
    }

    private IEnumerable<Finding> InBucket(string source, DateTimeOffset at, CancellationToken stop)
    {
        var (bucket, prefix) = S3Connection.Split(source);
        // "s3://b/data" is the folder data or the object data; only without either is it every key that begins so.
        if (prefix.Length > 0 && !prefix.EndsWith('/') && _s3.List(bucket, prefix + "/", stop).Any()) prefix += "/";
        var root = prefix.LastIndexOf('/') + 1;
        var any = false;
        foreach (var found in _s3.List(bucket, prefix, stop))
        {
            // Consoles make empty objects for folders.
            if (found is { Size: 0 } && found.Key.EndsWith('/')) continue;
            var isSource = found.Key == prefix;
            any = true;
            yield return Link(found.Key[root..], $"s3://{bucket}/{found.Key}", isSource, at, new(found.ETag, null));
            if (isSource) yield break;
        }
        if (!any) yield return new Place(".", ".", source, null, false, null, at).Bad(RejectionCode.NotFound, "There is nothing under this prefix. Check bucket and prefix.");
    }

    private static Finding Link(string path, string target, bool isRoot, DateTimeOffset at, ResourceVersion? listed)
    {
        var place = new Place(NameOf(target), path, Shown(target), null, isRoot, null, at);
        return new(new LinkCandidate { Path = path, SourceUri = place.SourceUri, Place = place, Target = target, IsSource = true, Listed = listed }, null);
    }

    /// <summary>Every finding in its order, links with what they led to; other findings with null.</summary>
    public IEnumerable<(Finding Finding, Fetched? Fetched)> Ahead(IEnumerable<Finding> findings)
    {
        var ahead = new Queue<(Finding Finding, string? Spool, Task<Fetched>? Coming)>();
        var downloads = 0;
        try
        {
            foreach (var finding in findings)
            {
                if (finding.Candidate is LinkCandidate link && IsRemote(link.Target))
                {
                    if (_setting.IsSettled(StagedPart.KeyOf(finding))) continue;
                    ahead.Enqueue(Start(finding, link));
                    downloads++;
                }
                else ahead.Enqueue((finding, null, null));
                // Without downloads nothing waits; with them, what lies between them does.
                while (ahead.Count > 0 && (ahead.Peek().Coming == null || downloads >= WaitingPerDownload * _remote.Parallel)) yield return Next();
            }
            while (ahead.Count > 0) yield return Next();
        }
        finally
        {
            foreach (var (_, _, coming) in ahead) coming?.ContinueWith(done => _ = done.Exception, TaskScheduler.Default);
        }

        (Finding, Fetched?) Next()
        {
            var (finding, spool, coming) = ahead.Dequeue();
            if (coming == null) return (finding, null);
            downloads--;
            var fetched = coming.GetAwaiter().GetResult();
            if (spool != null) _spools.Remove(spool);
            if (fetched is { Version: { } version, Sha256: { } sha256 } && (version.ETag ?? version.LastModified) != null) ScratchFailedException.Guard(_setting.MemoryOfServers ?? "", () => _memory?.Value.Remember(((LinkCandidate)finding.Candidate!).Target, version, sha256) ?? false);
            return (finding, fetched);
        }
    }

    public void Dispose()
    {
        _ended.Cancel();
        _http.Dispose();
        _s3.Dispose();
        if (_memory is { IsValueCreated: true }) _memory.Value.Dispose();
    }

    private static string? Scheme(string target) => target switch
    {
        _ when target.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || target.StartsWith("http://", StringComparison.OrdinalIgnoreCase) => "http",
        _ when target.StartsWith("s3://", StringComparison.Ordinal) => "s3",
        _ => null,
    };

    private (Finding, string?, Task<Fetched>?) Start(Finding finding, LinkCandidate link)
    {
        var (settled, sha256) = Settled(link);
        if (settled != null && link.Listed?.ETag is { } tag && tag == settled.ETag) return (finding, null, Task.FromResult(new Fetched { IsUnchanged = true, Sha256 = sha256 }));
        var name = ContentId.Of(Encoding.UTF8.GetBytes(link.Target));
        var spool = name;
        for (var i = 2; !_spools.Add(spool); i++) spool = $"{name}-{i}";
        return (finding, spool, Task.Run(() => FetchAsync(link.Target, spool, settled, sha256), _ended.Token));
    }

    private async Task<Fetched> FetchAsync(string target, string spool, ResourceVersion? settled, string? sha256)
    {
        await _slots.WaitAsync(_ended.Token);
        try
        {
            var fetched = await (Scheme(target) == "s3" ? _s3Download : _httpDownload).FetchAsync(target, spool, settled, _ended.Token);
            return fetched.IsUnchanged ? fetched with { Sha256 = sha256 } : fetched;
        }
        finally
        {
            _slots.Release();
        }
    }

    private (ResourceVersion?, string?) Settled(LinkCandidate link)
    {
        if (ScratchFailedException.Guard(_setting.MemoryOfServers ?? "", () => _memory?.Value.Find(link.Target)) is not var (version, sha256)) return (null, null);
        return _setting.IsKnownItem(sha256[..32]) || _setting.IsKnownBad(link.Place.Path, sha256) ? (version, sha256) : (null, null);
    }
}
