// What is where in a store: the folders of its things, and their manifests by name.
namespace FeatureForge.Data;

public sealed partial class Store
{
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
    public string SelectionFolder(string selection) => PathOf("selections", selection);
    public string LabelSetFolder(string labelSet) => PathOf("labels", labelSet);

    public CorpusManifest? FindCorpus(string name) => Read<CorpusManifest>(Path.Combine(CorpusFolder(name), "corpus.json"));
    public EncoderManifest? FindEncoder(string name) => Read<EncoderManifest>(Path.Combine(EncoderFolder(name), "encoder.json"));
    public SetManifest? FindSet(string name) => Read<SetManifest>(Path.Combine(SetFolder(name), "set.json"));
    public ClusteringManifest? FindClustering(string name) => Read<ClusteringManifest>(Path.Combine(ClusteringFolder(name), "clustering.json"));
    public SelectionManifest? FindSelection(string name) => Read<SelectionManifest>(Path.Combine(SelectionFolder(name), "selection.json"));

    /// <summary>All corpora, by name.</summary>
    public IReadOnlyList<CorpusManifest> Corpora() => All("corpora", FindCorpus);
    public IReadOnlyList<EncoderManifest> Encoders() => All("encoders", FindEncoder);
    public IReadOnlyList<SetManifest> Sets() => All("embeddings", FindSet);
    public IReadOnlyList<ClusteringManifest> Clusterings() => All("clusterings", FindClustering);
    public IReadOnlyList<SelectionManifest> Selections() => All("selections", FindSelection);

    /// <summary>Names of the label sets; a label set exists when its log holds a part.</summary>
    public IReadOnlyList<string> LabelSets() =>
        [.. FoldersIn(PathOf("labels")).Where(folder => LabelLog.PartsIn(this, folder).Count > 0).Select(path => Path.GetFileName(path)!)];

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
    public SelectionManifest Selection(string name) => FindSelection(name) ?? throw Missing("selection", name, Selections().Select(s => s.Name));

    private static BadRequestException Missing(string what, string name, IEnumerable<string> existing)
    {
        var names = string.Join(", ", existing);
        return new($"There is no {what} named '{name}' in this store; " + (names.Length > 0 ? $"it has: {names}." : "it has none."));
    }

    private List<T> All<T>(string kind, Func<string, T?> find) where T : class => [.. FoldersIn(PathOf(kind)).Select(path => find(Path.GetFileName(path)!)).OfType<T>()];
}
