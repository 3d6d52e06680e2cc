// The manifests: small JSON files, written last, that say a thing is finished and what belongs to it.
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FeatureForge.Data;

/// <summary>One published file of a table. <paramref name="Path"/> is relative to the manifest's folder.</summary>
public sealed record PartFile(string Path, long Rows, long Bytes, string Sha256);

/// <summary>Files with an item's bytes, besides the one that became the item.</summary>
/// <param name="Paths">The first of them, at most three.</param>
public sealed record ExactDuplicateGroup(string ItemId, long Copies, IReadOnlyList<string> Paths)
{
    private const int MostPaths = 3;

    /// <summary>Groups of the same item together, the largest first, at most so many.</summary>
    public static IReadOnlyList<ExactDuplicateGroup> Merge(IEnumerable<ExactDuplicateGroup> groups, int most) =>
        [.. groups.GroupBy(group => group.ItemId).Select(same => new ExactDuplicateGroup(same.Key, same.Sum(group => group.Copies), [.. same.SelectMany(group => group.Paths).Take(MostPaths)]))
            .OrderByDescending(group => group.Copies).ThenBy(group => group.ItemId, StringComparer.Ordinal).Take(most)];
}

/// <summary>What one run changed in a corpus.</summary>
/// <param name="Version">The corpus's version after it.</param>
/// <param name="Quarantined">Rows that came into quarantine, less those that left it.</param>
public sealed record CorpusChange(int Version, string RunId, DateTimeOffset At, long Added, long Removed, long Restored, long Quarantined);

/// <summary>corpora/NAME/corpus.json</summary>
public sealed record CorpusManifest
{
    public required string Name { get; init; }
    /// <summary>Grows by one with every ingest that changed the corpus.</summary>
    public required int Version { get; init; }
    public required string RunId { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
    /// <summary>Items by modality.</summary>
    public required IReadOnlyDictionary<Modality, long> Items { get; init; }
    /// <summary>Rows in quarantine.</summary>
    public required long Quarantined { get; init; }
    /// <summary>Files whose bytes came earlier in the same ingest, in all ingests together.</summary>
    public long ExactDuplicates { get; init; }
    /// <summary>The items with most such files.</summary>
    public IReadOnlyList<ExactDuplicateGroup> ExactDuplicateGroups { get; init; } = [];
    /// <summary>Where the items came from, in order of first ingest.</summary>
    public required IReadOnlyList<string> Sources { get; init; }
    /// <summary>items/part-NNNNN.parquet; each holds one modality's or several modalities' rows, sorted by item_id.</summary>
    public required IReadOnlyList<PartFile> ItemParts { get; init; }
    public required IReadOnlyList<PartFile> QuarantineParts { get; init; }
    /// <summary>The preparation chosen at the first ingest of each modality; training uses it unless its recipe says otherwise.</summary>
    public required IReadOnlyDictionary<Modality, PreparationSpec> Preparations { get; init; }

    /// <summary>removals/part-NNNNN.parquet: items that are no longer in the corpus, although their rows are. <see cref="Items"/> does not count them.</summary>
    public IReadOnlyList<PartFile> RemovalParts { get; init; } = [];
    /// <summary>What each run changed, oldest first.</summary>
    public IReadOnlyList<CorpusChange> History { get; init; } = [];
    /// <summary>The last ingest's request; a retry of quarantined files reads the sources in the same way. Null in corpora of earlier versions.</summary>
    public JsonElement? Request { get; init; }

    [JsonIgnore]
    public long TotalItems => Items.Values.Sum();

    [JsonIgnore]
    public long Removed => RemovalParts.Sum(part => part.Rows);
}

/// <summary>corpora/NAME/prepared/HASH/prepared.json; one Arrow part per items part that holds rows of the modality.</summary>
public sealed record PreparedManifest
{
    public required string Corpus { get; init; }
    public required PreparationSpec Preparation { get; init; }
    /// <summary>Which resampler or decoder versions made it; for people, not part of the identity.</summary>
    public required string MadeWith { get; init; }
    /// <summary>part-NNNNN.arrow carries the number of the items part it was made from.</summary>
    public required IReadOnlyList<PartFile> Parts { get; init; }
}

/// <summary>The vectors one encoder gives at one level.</summary>
/// <param name="Name">raw, low, mid, high.</param>
/// <param name="Dimension">Values per vector.</param>
/// <param name="Metric">cosine or l2: how these vectors are meant to be compared.</param>
public sealed record EncoderLevel(string Name, int Dimension, string Metric);

/// <summary>Where imported weights came from.</summary>
/// <param name="Family">vit, dinov2, wav2vec2, hubert or bert; featureforge for an exported encoder of this program.</param>
/// <param name="File">Name of the file, without its folder.</param>
/// <param name="Sha256">Of that file.</param>
/// <param name="Licence">As the card beside the file names it; null when it names none.</param>
public sealed record EncoderOrigin(string Family, string File, string Sha256, string? Licence);

/// <summary>encoders/NAME/encoder.json</summary>
public sealed record EncoderManifest
{
    public required string Name { get; init; }
    /// <summary>Hash of weights + architecture + preprocessing; vectors of different ids never mix.</summary>
    public required string EncoderId { get; init; }
    /// <summary>Hash of the preprocessing alone.</summary>
    public required string PreprocessingId { get; init; }
    public required Modality Modality { get; init; }
    public required string Recipe { get; init; }
    /// <summary>The corpus it was trained on, and that corpus's version.</summary>
    public required string Corpus { get; init; }
    public required int CorpusVersion { get; init; }
    public required PreparationSpec Preparation { get; init; }
    public required IReadOnlyList<EncoderLevel> Levels { get; init; }
    /// <summary>The architecture and front end as the learning stage writes them.</summary>
    public required JsonElement Architecture { get; init; }
    /// <summary>The training request that made it.</summary>
    public required JsonElement Training { get; init; }
    public required long Parameters { get; init; }
    public required long Steps { get; init; }
    public required string Device { get; init; }
    /// <summary>Label-free quality per name at the end of training, for instance "rankme_ratio.high", "retrieval.high", "retrieval.raw".</summary>
    public required IReadOnlyDictionary<string, double> Probes { get; init; }
    /// <summary>The level that the label-free scores recommend for clustering; null when nothing was measured.</summary>
    public string? RecommendedLevel { get; init; }
    /// <summary>Seconds of training, and of the CPU in them, this program's attempts together as far as known; null for encoders made elsewhere or before this was kept.</summary>
    public double? Seconds { get; init; }
    public double? CpuSeconds { get; init; }
    /// <summary>Where imported weights came from; null when they were trained here from the start.</summary>
    public EncoderOrigin? Origin { get; init; }
    /// <summary>model.safetensors.</summary>
    public required PartFile Weights { get; init; }
    /// <summary>metrics/part-NNNNN.parquet.</summary>
    public required IReadOnlyList<PartFile> MetricParts { get; init; }
    public required string RunId { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>One table of an embedding set.</summary>
/// <param name="Rows">Vectors in all parts.</param>
public sealed record SetTable(string Level, Grain Grain, int Dimension, string Metric, long Rows, IReadOnlyList<PartFile> Parts);

/// <summary>embeddings/NAME/set.json</summary>
public sealed record SetManifest
{
    public required string Name { get; init; }
    public required string Corpus { get; init; }
    /// <summary>The corpus version it covers; an older one means the set is stale.</summary>
    public required int CorpusVersion { get; init; }
    public required string Encoder { get; init; }
    public required string EncoderId { get; init; }
    public required string PreprocessingId { get; init; }
    public required Modality Modality { get; init; }
    /// <summary>float32 or float16.</summary>
    public required string Dtype { get; init; }
    public required long Items { get; init; }
    public required IReadOnlyList<SetTable> Tables { get; init; }
    public required string RunId { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>What became of a cluster when its set was clustered again.</summary>
/// <param name="Kind">split, merge, birth or death.</param>
/// <param name="From">Clusters of the clustering before.</param>
/// <param name="To">Clusters of the one that replaced it.</param>
/// <param name="Vectors">Vectors that the clusters before (of a birth: the new cluster) hold.</param>
public sealed record ClusterChange(string Kind, IReadOnlyList<string> From, IReadOnlyList<string> To, long Vectors);

/// <summary>How a clustering differs from the one of the same name that it replaced.</summary>
/// <param name="PreviousRunId">The run that made the one before.</param>
/// <param name="Kept">Leaves that kept their id.</param>
/// <param name="VectorsKept">Share of the vectors in both that are still in a leaf of the same id.</param>
public sealed record ClusterChanges(string PreviousRunId, int Kept, double VectorsKept, IReadOnlyList<ClusterChange> Changes);

/// <summary>clusterings/NAME/clustering.json</summary>
public sealed record ClusteringManifest
{
    public required string Name { get; init; }
    public required string Set { get; init; }
    public required string EncoderId { get; init; }
    public required string Level { get; init; }
    public required Grain Grain { get; init; }
    /// <summary>tree or kmeans.</summary>
    public required string Method { get; init; }
    public required JsonElement Spec { get; init; }
    public required long Vectors { get; init; }
    /// <summary>Nodes of the tree, and how many of them are leaves.</summary>
    public required int Clusters { get; init; }
    public required int Leaves { get; init; }
    /// <summary>Numbers about the result, for instance "silhouette", "trustworthiness".</summary>
    public required IReadOnlyDictionary<string, double> Measures { get; init; }
    public required IReadOnlyList<PartFile> ClusterParts { get; init; }
    public required IReadOnlyList<PartFile> MembershipParts { get; init; }
    public required IReadOnlyList<PartFile> MapParts { get; init; }
    /// <summary>The recommended flat clusters: always the leaves, memberships' cluster_id. Coarser ones are cuts by depth.</summary>
    public string FlatLayer { get; init; } = "leaf";
    /// <summary>The level of the set whose vectors separate best without labels; null when only one was there or nothing was compared.</summary>
    public string? BestLevel { get; init; }
    /// <summary>Against the clustering of this name before; null for the first.</summary>
    public ClusterChanges? Changes { get; init; }
    /// <summary>edits/part-NNNNN.parquet: what people changed, append-only; kept by later runs, which honour it.</summary>
    public IReadOnlyList<PartFile> EditParts { get; init; } = [];
    /// <summary>assignments/set=NAME/part-00000.parquet: vectors put into the tree afterwards, per set.</summary>
    public IReadOnlyList<PartFile> AssignmentParts { get; init; } = [];
    public required string RunId { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
}
