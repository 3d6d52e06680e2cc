// The request of an evaluation and its table of results. The only stage that reads labels.
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Learning;

/// <summary>Score an embedding set (and a clustering of it) against labels, beside a random encoder and raw features.</summary>
public sealed record EvaluateSpec
{
    public required string Set { get; init; }
    /// <summary>A CSV with the columns path, label, split; path as in the items table.</summary>
    public required string LabelsPath { get; init; }
    /// <summary>A clustering of the set to score as well.</summary>
    public string? Clustering { get; init; }
    public int Seed { get; init; }
    /// <summary>auto, cpu or cuda.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Every problem of the request that can be seen without the store.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        void Check(string? problem) { if (problem is not null) problems.Add(problem); }
        Check(Names.Problem("embedding set", Set));
        if (Clustering is not null) Check(Names.Problem("clustering", Clustering));
        Check(DeviceChoice.Problem(Device));
        if (!File.Exists(LabelsPath)) Check($"Labels file {LabelsPath} does not exist.");
        return problems;
    }
}

/// <summary>Scores of one kind of features. Fractions in [0,1]; null where a score does not apply.</summary>
/// <param name="Encoder">"trained", "random" (same shape, not trained) or "baseline" (closed form).</param>
/// <param name="Level">The level, or the name of the closed-form features.</param>
/// <param name="Knn">Accuracy of 20 nearest neighbours by cosine, votes weighted by similarity.</param>
/// <param name="Linear">Accuracy of a multinomial logistic regression on standardised features.</param>
/// <param name="Nmi">Normalised mutual information of k-means (k = classes) and labels.</param>
/// <param name="Ari">Adjusted Rand index of the same k-means.</param>
/// <param name="Accuracy">Accuracy of the same k-means after Hungarian matching.</param>
public sealed record LevelScores(string Encoder, string Level, int Dimension, double Knn, double? Linear, double? Nmi, double? Ari, double? Accuracy);

/// <summary>Scores of a clustering cut at one depth of its tree.</summary>
/// <param name="Depth">0 is the root; the last depth is the leaves.</param>
/// <param name="Noise">Share of items without a cluster.</param>
public sealed record DepthScores(int Depth, int Clusters, double Noise, double Nmi, double Ari, double Accuracy);

/// <summary>All scores of one evaluation.</summary>
public sealed record EvaluateResult
{
    public required string Set { get; init; }
    public required string EncoderId { get; init; }
    public required int Classes { get; init; }
    public required int TrainItems { get; init; }
    public required int TestItems { get; init; }
    /// <summary>Rows of the labels file without an item in the set.</summary>
    public required int UnmatchedLabels { get; init; }
    public required IReadOnlyList<LevelScores> Scores { get; init; }
    public IReadOnlyList<DepthScores> ClusteringDepths { get; init; } = [];

    /// <summary>The scores as a table for people.</summary>
    public string ToTable()
    {
        var text = new System.Text.StringBuilder();
        var culture = System.Globalization.CultureInfo.InvariantCulture;
        string Percent(double? value) => value is { } number ? (100 * number).ToString("0.0", culture) : "-";
        text.AppendLine(culture, $"set {Set}: {TrainItems} train and {TestItems} test items, {Classes} classes, {UnmatchedLabels} labels without an item");
        text.AppendLine(culture, $"{"encoder",-9} {"level",-14} {"dim",5} {"kNN-20",7} {"linear",7} {"NMI",6} {"ARI",6} {"acc",6}   (percent)");
        foreach (var row in Scores)
            text.AppendLine(culture, $"{row.Encoder,-9} {row.Level,-14} {row.Dimension,5} {Percent(row.Knn),7} {Percent(row.Linear),7} {Percent(row.Nmi),6} {Percent(row.Ari),6} {Percent(row.Accuracy),6}");
        foreach (var row in ClusteringDepths)
            text.AppendLine(culture, $"clustering depth {row.Depth}: {row.Clusters} clusters, noise {Percent(row.Noise)}, NMI {Percent(row.Nmi)}, ARI {Percent(row.Ari)}, acc {Percent(row.Accuracy)}");
        return text.ToString();
    }
}
