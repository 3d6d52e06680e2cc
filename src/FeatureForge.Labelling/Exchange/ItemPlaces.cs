// Finds an item by what other tools call it: its id, its path, its path without one leading folder on either side, or a URL that ends so.
namespace FeatureForge.Labelling;

internal sealed class ItemPlaces
{
    private readonly Dictionary<string, KnownItem> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string?> _byPath = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string?> _byTail = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string?> _byFile = new(StringComparer.Ordinal);

    internal ItemPlaces(IEnumerable<KnownItem> items)
    {
        foreach (var item in items)
        {
            _byId[item.ItemId] = item;
            Add(_byPath, item.Path, item.ItemId);
            if (WithoutFolder(item.Path) is { } tail) Add(_byTail, tail, item.ItemId);
            Add(_byFile, item.Path[(item.Path.LastIndexOf('/') + 1)..], item.ItemId);
        }
    }

    internal KnownItem? Item(string id) => _byId.GetValueOrDefault(id);

    /// <summary>The item's id; null when nothing fits, or more than one item does.</summary>
    internal string? Find(string name)
    {
        if (_byId.ContainsKey(name)) return name;
        if (Exact(name) is { } exact) return exact;
        // Label Studio: /data/local-files/?d=…, /data/upload/3/8f2c1a7e-name.wav, s3://bucket/path, http://host/path.
        var path = name;
        if (path.IndexOf("?d=", StringComparison.Ordinal) is var query and >= 0) path = path[(query + 3)..];
        else if (path.IndexOf("://", StringComparison.Ordinal) is var scheme and >= 0) path = path[(scheme + 3)..].Split('?')[0];
        path = Uri.UnescapeDataString(path).Replace('\\', '/').TrimStart('/');
        for (var rest = path; ; rest = rest[(rest.IndexOf('/') + 1)..])
        {
            if (Exact(rest) is { } found) return found;
            if (!rest.Contains('/')) break;
        }
        var file = path[(path.LastIndexOf('/') + 1)..];
        if (_byFile.GetValueOrDefault(file) is { } byFile) return byFile;
        // Uploads get eight characters and a dash before their name.
        return file.Length > 9 && file[8] == '-' ? _byFile.GetValueOrDefault(file[9..]) : null;
    }

    private string? Exact(string path) => _byPath.GetValueOrDefault(path) ?? _byTail.GetValueOrDefault(path) ?? (WithoutFolder(path) is { } rest ? _byPath.GetValueOrDefault(rest) : null);

    private static void Add(Dictionary<string, string?> places, string place, string id) => places[place] = places.ContainsKey(place) ? null : id;

    private static string? WithoutFolder(string path) => path.IndexOf('/') is var slash and > 0 ? path[(slash + 1)..] : null;
}
