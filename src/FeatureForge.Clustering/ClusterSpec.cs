// The request of a clustering run and what it gives back.
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>Cluster one level and grain of an embedding set. The default method needs no parameter.</summary>
public sealed record ClusterSpec
{
    /// <summary>tree: communities of the neighbour graph in a tree; kmeans: k flat clusters; hdbscan: dense groups and noise.</summary>
    public static IReadOnlyList<string> Methods { get; } = ["tree", "kmeans", "hdbscan"];

    public required string Set { get; init; }
    /// <summary>Name of the clustering to make; null = the set's name, with level and grain appended unless they are high and item.</summary>
    public string? Clustering { get; init; }
    /// <summary>A level of the set, or several joined by + (mid+high): their vectors side by side, each with the same say.</summary>
    public string Level { get; init; } = Data.Level.High;
    /// <summary>A level on which every leaf is divided further where that level's vectors support it; null = not at all.</summary>
    public string? Refine { get; init; }
    public Grain Grain { get; init; } = Grain.Item;
    /// <summary>tree, kmeans or hdbscan.</summary>
    public string Method { get; init; } = "tree";
    /// <summary>Number of clusters (kmeans only); null = the one of highest simplified silhouette on a ladder up to twice the square root of the vectors.</summary>
    public int? K { get; init; }
    /// <summary>Fewest vectors of a cluster (hdbscan only); null = 5, or one in 2,000 of more than 10,000 vectors.</summary>
    public int? MinClusterSize { get; init; }
    /// <summary>The neighbour whose distance says how dense it is around a vector, the vector itself not counted (hdbscan only); null = the fewest vectors of a cluster, at most 5 when those are chosen by themselves.</summary>
    public int? MinSamples { get; init; }
    /// <summary>eom: clusters that last longest as density rises (excess of mass); leaf: the finest ones (hdbscan only).</summary>
    public string Selection { get; init; } = "eom";
    public int Seed { get; init; }
    /// <summary>auto, cpu or cuda.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Into how many shard runs the search for neighbours is split (tree only). Null: one run does all. The run that has this and no <see cref="Shard"/> makes what the shards have left, and publishes.</summary>
    public int? Shards { get; init; }
    /// <summary>Which of them this run is, from 0: it makes its share of the neighbour tables and publishes nothing.</summary>
    public int? Shard { get; init; }

    /// <summary>The same work as a pipeline: that many shard runs side by side, then one that publishes.</summary>
    /// <exception cref="BadRequestException">The request is wrong.</exception>
    public PipelineSpec InShards(int count)
    {
        var whole = this with { Clustering = ClusteringName(), Shards = count, Shard = null };
        BadRequestException.ThrowIfAny(whole.Problems());
        return PipelineSpec.InShards($"cluster {whole.Clustering}", RunKind.Cluster, count, shard => whole with { Shard = shard });
    }

    internal HdbscanOptions Density(int rows) => new()
    {
        MinClusterSize = MinClusterSize ?? Math.Max(5, rows / 2000),
        MinSamples = MinSamples ?? MinClusterSize ?? 5,
        Selection = Selection == "leaf" ? DensitySelection.Leaf : DensitySelection.ExcessOfMass,
    };

    /// <summary>The name the clustering gets.</summary>
    public string ClusteringName() => Clustering
        ?? (Level == Data.Level.High && Grain == Grain.Item ? Set : $"{Set}-{Level.Replace('+', '-')}-{Grain.ToString().ToLowerInvariant()}") + (Refine is null ? "" : $"-refined-{Refine.Replace('+', '-')}");

    /// <summary>Every problem of the request that can be seen without the store.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        void Check(string? problem) { if (problem is not null) problems.Add(problem); }
        Check(Names.Problem("embedding set", Set));
        if (Clustering is not null) Check(Names.Problem("clustering", Clustering));
        foreach (var level in Level.Split('+').Concat(Refine?.Split('+') ?? [])) Check(Names.Problem("level", level));
        Check(DeviceChoice.Problem(Device));
        if (!Methods.Contains(Method)) Check($"Method '{Method}' is unknown; expected {string.Join(" or ", Methods)}.");
        if (K is < 1) Check($"k is {K}; expected at least 1.");
        if (MinClusterSize is < 2) Check($"The fewest vectors of a cluster are {MinClusterSize}; expected at least 2.");
        if (MinSamples is < 1) Check($"min-samples is {MinSamples}; expected at least 1.");
        if (Selection is not ("eom" or "leaf")) Check($"Selection '{Selection}' is unknown; expected eom or leaf.");
        if (Method != "hdbscan" && (MinClusterSize ?? MinSamples) is not null) Check($"min-cluster-size and min-samples belong to method hdbscan, not {Method}. Leave them out, or use method hdbscan.");
        if (K is not null && Method == "hdbscan") Check("k belongs to method kmeans; hdbscan finds its own number of clusters. Leave k out, or use method kmeans.");
        if (K is not null && Method == "tree") Check("k belongs to method kmeans; the tree finds its own number of clusters. Leave k out, or use method kmeans.");
        if (Shards is not null && Method != "tree") Check($"shards belongs to method tree, not {Method}: k-means and hdbscan are one run. Leave it out.");
        Check(PipelineSpec.ShardProblem(Shards, Shard));
        return problems;
    }
}

/// <summary>What a clustering run made.</summary>
public sealed record ClusterResult
{
    public required string Clustering { get; init; }
    public required string Set { get; init; }
    public required long Vectors { get; init; }
    /// <summary>Nodes of the tree, the root included, and how many of them are leaves.</summary>
    public required int Clusters { get; init; }
    public required int Leaves { get; init; }
    /// <summary>The numbers of the manifest.</summary>
    public required IReadOnlyDictionary<string, double> Measures { get; init; }
    /// <summary>The level of the set whose vectors separate best without labels; null when only one was there.</summary>
    public string? BestLevel { get; init; }
    /// <summary>Against the clustering of this name before; null for the first.</summary>
    public ClusterChanges? Changes { get; init; }
    public required double Seconds { get; init; }
}
