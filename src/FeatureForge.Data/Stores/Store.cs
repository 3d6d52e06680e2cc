// A store: a folder laid out as design says. Knows where things are; reads manifests; hands out staging folders.
using System.Text.Json;

namespace FeatureForge.Data;

/// <summary>
/// A store folder. Finished tables lie beside a manifest that was written last; whatever has no manifest does not exist.
/// </summary>
public sealed class Store
{
    /// <summary>Environment variable with the address of the ledger's database; workers inherit it.</summary>
    public const string LedgerVariable = "FEATUREFORGE_LEDGER";

    private const int FormatVersion = 1;

    private Store(string root, string id, string? ledger) => (Root, Id, Ledger) = (root, id, ledger);

    /// <summary>The store's folder, absolute.</summary>
    public string Root { get; }

    /// <summary>Tells this store from every other: 32 hexadecimal characters, drawn when it was made.</summary>
    public string Id { get; }

    /// <summary>Address of the PostgreSQL database that holds the run ledger; null: <see cref="CatalogPath"/> does.</summary>
    public string? Ledger { get; }

    /// <summary>The run ledger's SQLite file.</summary>
    public string CatalogPath => Path.Combine(Root, "catalog.db");

    /// <summary>Whether servers of this store ask people to sign in. Stands beside the ledger, so that losing the ledger lets nobody in.</summary>
    public bool RequiresSignIn => File.Exists(SignInMark);

    private string SignInMark => Path.Combine(Root, "sign-in.json");

    internal void RequireSignIn()
    {
        if (!RequiresSignIn) DurableFile.WriteAllText(SignInMark, """{"required":true}""");
    }

    /// <summary>Opens a store folder, creating it when it does not exist.</summary>
    /// <param name="ledger">Address of a PostgreSQL database for the run ledger (see <see cref="PostgresAddress"/>). Null: FEATUREFORGE_LEDGER, else a file in the store.</param>
    /// <exception cref="BadRequestException">The folder holds something else, or a newer format.</exception>
    public static Store Open(string root, string? ledger = null)
    {
        ledger ??= Environment.GetEnvironmentVariable(LedgerVariable) is { Length: > 0 } given ? given : null;
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
            if (document.RootElement.TryGetProperty("store_id", out var known)) return new(root, known.GetString()!, ledger);
            return new(root, Mark(marker, replaces: true), ledger);
        }
        if (Directory.EnumerateFileSystemEntries(root).Select(entry => Path.GetFileName(entry)!).Any(name => name is not ("lost+found" or ".staging") && !name.StartsWith("store.json", StringComparison.Ordinal)))
        {
            // Another process has made the store in the meantime.
            if (File.Exists(marker)) return Open(root, ledger);
            throw new BadRequestException($"Folder {root} is not empty and holds no store.json; name an empty or new folder as the store.");
        }
        return new(root, Mark(marker, replaces: false), ledger);
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
    public string LabelSetFolder(string labelSet) => PathOf("labels", labelSet);

    public CorpusManifest? FindCorpus(string name) => Read<CorpusManifest>(Path.Combine(CorpusFolder(name), "corpus.json"));
    public EncoderManifest? FindEncoder(string name) => Read<EncoderManifest>(Path.Combine(EncoderFolder(name), "encoder.json"));
    public SetManifest? FindSet(string name) => Read<SetManifest>(Path.Combine(SetFolder(name), "set.json"));
    public ClusteringManifest? FindClustering(string name) => Read<ClusteringManifest>(Path.Combine(ClusteringFolder(name), "clustering.json"));

    /// <summary>All corpora, by name.</summary>
    public IReadOnlyList<CorpusManifest> Corpora() => All("corpora", FindCorpus);
    public IReadOnlyList<EncoderManifest> Encoders() => All("encoders", FindEncoder);
    public IReadOnlyList<SetManifest> Sets() => All("embeddings", FindSet);
    public IReadOnlyList<ClusteringManifest> Clusterings() => All("clusterings", FindClustering);

    /// <summary>Names of the label sets; a label set exists when its log holds a part.</summary>
    public IReadOnlyList<string> LabelSets() => Directory.Exists(PathOf("labels"))
        ? [.. Directory.EnumerateDirectories(PathOf("labels")).Where(folder => Directory.EnumerateFiles(folder, "part-*.parquet").Any()).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)]
        : [];

    /// <summary>Refuses to publish over a version that the run has not seen: two runs changed the corpus at the same time.</summary>
    /// <exception cref="InvalidOperationException">It is another version now; the run, started again, goes on from it.</exception>
    public void RequireSameCorpus(string name, CorpusManifest? before)
    {
        if (FindCorpus(name) is { } now && (now.RunId, now.Version) != (before?.RunId, before?.Version))
            throw new InvalidOperationException($"Corpus '{name}' was changed by run {now.RunId} while this run was working; nothing was published. Run the same command again: it goes on from version {now.Version}.");
    }

    /// <summary>The manifest, or a bad request that names what exists.</summary>
    public CorpusManifest Corpus(string name) => FindCorpus(name) ?? throw Missing("corpus", name, Corpora().Select(c => c.Name));
    public EncoderManifest Encoder(string name) => FindEncoder(name) ?? throw Missing("encoder", name, Encoders().Select(e => e.Name));

    /// <summary>The encoder that made a set's vectors, as it is in the store now.</summary>
    /// <exception cref="BadRequestException">There is none of its name, or it is another one by now.</exception>
    public EncoderManifest EncoderOf(SetManifest set)
    {
        var encoder = Encoder(set.Encoder);
        return encoder.EncoderId == set.EncoderId ? encoder
            : throw new BadRequestException($"Embedding set '{set.Name}' is of encoder {set.EncoderId}, but encoder '{set.Encoder}' is now {encoder.EncoderId}; vectors of different encoders cannot be compared. Extract the set again.");
    }

    public SetManifest Set(string name) => FindSet(name) ?? throw Missing("embedding set", name, Sets().Select(s => s.Name));
    public ClusteringManifest Clustering(string name) => FindClustering(name) ?? throw Missing("clustering", name, Clusterings().Select(c => c.Name));

    // Of two processes that make a store at once, one wins and the other takes what is there. Stores of the first version have no id
    // and get one when they are opened next.
    private static string Mark(string marker, bool replaces)
    {
        var id = Guid.NewGuid().ToString("N");
        var text = JsonSerializer.Serialize(new { format_version = FormatVersion, store_id = id }, SpecJson.Readable);
        if (replaces)
        {
            DurableFile.WriteAllText(marker, text);
            return id;
        }
        if (DurableFile.TryCreate(marker, text)) return id;
        using var document = JsonDocument.Parse(File.ReadAllText(marker));
        return document.RootElement.GetProperty("store_id").GetString()!;
    }

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
