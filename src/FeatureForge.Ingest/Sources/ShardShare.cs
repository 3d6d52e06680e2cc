// Which findings fall to which shard: by name, so that it does not matter what else is found, nor when.
namespace FeatureForge.Ingest;

/// <summary>One shard's share of the sources.</summary>
internal sealed class ShardShare(IngestSpec spec)
{
    private readonly HashSet<string> _sources = [.. spec.Sources.Select(RemoteReader.Shown)];

    /// <summary>Whether the finding of this key (<see cref="StagedPart.KeyOf"/>) is decoded here. What lies in one file on a server goes together: one shard downloads it.</summary>
    public bool Decodes(string key)
    {
        var uri = UriOf(key);
        return (int)(StagedPart.ShortKey(IsDownloadedByOne(uri) ? uri : key) % (uint)spec.Shards!.Value) == spec.Shard;
    }

    /// <summary>Whether what the key names is downloaded here: a source itself may be a list or an archive that concerns all.</summary>
    public bool Downloads(string key) => !IsDownloadedByOne(UriOf(key)) || Decodes(key);

    private bool IsDownloadedByOne(string uri) => RemoteReader.IsRemote(uri) && !_sources.Contains(uri);

    private static string UriOf(string key) => key[..key.IndexOf('\n', StringComparison.Ordinal)];
}
