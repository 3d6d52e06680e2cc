// A store: a folder laid out as design says. Knows where things are; reads manifests; hands out staging folders.
using System.Text.Json;

namespace FeatureForge.Data;

/// <summary>
/// A store folder. Finished tables lie beside a manifest that was written last; whatever has no manifest does not exist.
/// </summary>
public sealed class Store
{
    private const int FormatVersion = 1;

    private Store(string root) => Root = root;

    /// <summary>The store's folder, absolute.</summary>
    public string Root { get; }

    /// <summary>The run ledger's SQLite file.</summary>
    public string CatalogPath => Path.Combine(Root, "catalog.db");

    /// <summary>Opens a store folder, creating it when it does not exist.</summary>
    /// <exception cref="BadRequestException">The folder holds something else, or a newer format.</exception>
    public static Store Open(string root)
    {
        root = Path.GetFullPath(root);
        if (File.Exists(root)) throw new BadRequestException($"Store {root} is a file; expected a folder.");
        Directory.CreateDirectory(root);
        var marker = Path.Combine(root, "store.json");
        if (File.Exists(marker))
        {
            using var document = JsonDocument.Parse(File.ReadAllText(marker));
            var version = document.RootElement.TryGetProperty("format_version", out var found) ? found.GetInt32() : 0;
            if (version != FormatVersion)
                throw new BadRequestException($"Store {root} has format version {version}; this program reads version {FormatVersion}. Use the program that wrote it, or a newer one.");
            return new(root);
        }
        if (Directory.EnumerateFileSystemEntries(root).Any(entry => Path.GetFileName(entry) is not ("lost+found" or ".staging")))
            throw new BadRequestException($"Folder {root} is not empty and holds no store.json; name an empty or new folder as the store.");
        DurableFile.WriteAllText(marker, JsonSerializer.Serialize(new { format_version = FormatVersion }, SpecJson.Readable));
        return new(root);
    }

    /// <summary>A path below the root from names that were checked by <see cref="Names.Problem"/> or are the store's own.</summary>
    public string PathOf(params ReadOnlySpan<string> parts)
    {
        string[] all = [Root, .. parts];
        return Path.Combine(all);
    }

    /// <summary>`.staging/run id`: what a run has written but not published.</summary>
    public string StagingFolder(string runId) => PathOf(".staging", runId);

    public string CorpusFolder(string corpus) => PathOf("corpora", corpus);
    public string EncoderFolder(string encoder) => PathOf("encoders", encoder);
    public string SetFolder(string set) => PathOf("embeddings", set);
    public string ClusteringFolder(string clustering) => PathOf("clusterings", clustering);

    public CorpusManifest? FindCorpus(string name) => Read<CorpusManifest>(Path.Combine(CorpusFolder(name), "corpus.json"));
    public EncoderManifest? FindEncoder(string name) => Read<EncoderManifest>(Path.Combine(EncoderFolder(name), "encoder.json"));
    public SetManifest? FindSet(string name) => Read<SetManifest>(Path.Combine(SetFolder(name), "set.json"));
    public ClusteringManifest? FindClustering(string name) => Read<ClusteringManifest>(Path.Combine(ClusteringFolder(name), "clustering.json"));

    /// <summary>All corpora, by name.</summary>
    public IReadOnlyList<CorpusManifest> Corpora() => All("corpora", FindCorpus);
    public IReadOnlyList<EncoderManifest> Encoders() => All("encoders", FindEncoder);
    public IReadOnlyList<SetManifest> Sets() => All("embeddings", FindSet);
    public IReadOnlyList<ClusteringManifest> Clusterings() => All("clusterings", FindClustering);

    /// <summary>The manifest, or a bad request that names what exists.</summary>
    public CorpusManifest Corpus(string name) => FindCorpus(name) ?? throw Missing("corpus", name, Corpora().Select(c => c.Name));
    public EncoderManifest Encoder(string name) => FindEncoder(name) ?? throw Missing("encoder", name, Encoders().Select(e => e.Name));
    public SetManifest Set(string name) => FindSet(name) ?? throw Missing("embedding set", name, Sets().Select(s => s.Name));
    public ClusteringManifest Clustering(string name) => FindClustering(name) ?? throw Missing("clustering", name, Clusterings().Select(c => c.Name));

    private static BadRequestException Missing(string what, string name, IEnumerable<string> existing)
    {
        var names = string.Join(", ", existing);
        return new($"There is no {what} named '{name}' in this store; " + (names.Length > 0 ? $"it has: {names}." : "it has none."));
    }

    private List<T> All<T>(string kind, Func<string, T?> find) where T : class
    {
        var folder = PathOf(kind);
        if (!Directory.Exists(folder)) return [];
        return [.. Directory.EnumerateDirectories(folder).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal).Select(find).OfType<T>()];
    }

    private static T? Read<T>(string path) where T : class
    {
        try { return JsonSerializer.Deserialize<T>(File.ReadAllText(path), SpecJson.Readable); }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException) { return null; }
    }
}
