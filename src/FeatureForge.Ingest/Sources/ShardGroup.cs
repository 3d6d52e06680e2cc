// WebDataset shards: neighbouring entries of a tar archive that share the name before their first dot are one sample. Its
// pictures and recordings are the items; json, cls, txt and the like beside them become their metadata. Without media, the
// txt is the item. Files that stand alone come out as in any archive.
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Holds back the entries of the current sample; <paramref name="inEntry"/> says what is in an entry.</summary>
internal sealed class ShardGroup(ArchiveReader.EntryFindings inEntry)
{
    private static readonly HashSet<string> SiblingExtensions = new(["json", "txt", "text", "cls", "label", "labels", "caption", "cap", "transcript", "id", "index", "url", "lang"], StringComparer.OrdinalIgnoreCase);
    private const int MostSiblingBytes = 1 << 20;
    // Bytes held here wait inside the memory gate: far fewer than it lets in, or nobody could go on.
    private const long MostHeldBytes = 16 << 20;

    private sealed record Sibling(Place Place, string Extension, byte[] Bytes);

    private readonly List<Finding> _media = [];
    private readonly List<Sibling> _siblings = [];
    private string? _key;
    private long _heldBytes;

    /// <summary>Takes an entry in; what is complete comes out.</summary>
    public IEnumerable<Finding> Add(Place place, Stream stream, long size)
    {
        var (key, extension) = Split(place.Path);
        if (key != _key)
        {
            foreach (var finding in TakeAll()) yield return finding;
            _key = key;
        }
        if (SiblingExtensions.Contains(extension) && size <= MostSiblingBytes)
        {
            var bytes = new byte[size];
            stream.ReadExactly(bytes);
            _siblings.Add(new(place, extension.ToLowerInvariant(), bytes));
            yield break;
        }
        if (_heldBytes > 0 && _heldBytes + size > MostHeldBytes)
        {
            foreach (var finding in TakeAll()) yield return finding;
        }
        foreach (var finding in inEntry(place, stream, size))
        {
            if (!IsMedia(finding))
            {
                yield return finding;
                continue;
            }
            _media.Add(finding);
            _heldBytes += size;
        }
    }

    /// <summary>Everything held back, with its metadata.</summary>
    public IEnumerable<Finding> TakeAll()
    {
        var (media, siblings) = (_media.ToList(), _siblings.ToList());
        _media.Clear();
        _siblings.Clear();
        _heldBytes = 0;
        if (media.Count > 0)
        {
            var metadata = Metadata(siblings);
            foreach (var finding in media) yield return finding with { Candidate = finding.Candidate! with { Metadata = metadata } };
            yield break;
        }
        var texts = siblings.Where(sibling => sibling.Extension is "txt" or "text").ToList();
        var described = texts.Count > 0 ? Metadata([.. siblings.Except(texts)]) : "{}";
        foreach (var sibling in texts.Count > 0 ? texts : siblings)
        {
            var place = sibling.Place with { Metadata = described };
            foreach (var finding in place.Guard(inEntry(place, new MemoryStream(sibling.Bytes, writable: false), sibling.Bytes.Length))) yield return finding;
        }
    }

    // "a/0001.left.png" is key "a/0001", extension "left.png". A name that starts with a dot stands alone.
    private static (string Key, string Extension) Split(string path)
    {
        var nameAt = path.LastIndexOfAny(['/', '!']) + 1;
        var dot = path.IndexOf('.', nameAt);
        return dot <= nameAt ? (path, "") : (path[..dot], path[(dot + 1)..]);
    }

    private static bool IsMedia(Finding finding) => finding.Candidate is FileCandidate { Format.Kind: MediaKind.Image or MediaKind.Audio };

    private static string Metadata(IReadOnlyList<Sibling> siblings)
    {
        if (siblings.Count == 0) return "{}";
        var metadata = new JsonObject();
        foreach (var sibling in siblings) metadata[sibling.Extension] = ValueOf(sibling);
        return metadata.ToJsonString(SpecJson.Line);
    }

    private static JsonNode? ValueOf(Sibling sibling)
    {
        var text = Encoding.UTF8.GetString(sibling.Bytes);
        try
        {
            if (sibling.Extension == "json") return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return text;
        }
        return sibling.Extension is "cls" or "index" && long.TryParse(text.Trim(), out var number) ? number : text.TrimEnd('\r', '\n');
    }
}
