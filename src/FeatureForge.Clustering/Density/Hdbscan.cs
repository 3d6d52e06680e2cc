// HDBSCAN* on host rows: spanning tree -> condensed tree -> clusters, noise, strengths. See the two for the papers.
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>The request of HDBSCAN*.</summary>
internal sealed record HdbscanOptions
{
    /// <summary>Smaller groups are noise or parts of others; at least 2.</summary>
    public int MinClusterSize { get; init; } = 5;
    /// <summary>Which neighbour's distance is a row's core distance, the row itself not counted; null: MinClusterSize.</summary>
    public int? MinSamples { get; init; }
    public DensitySelection Selection { get; init; } = DensitySelection.ExcessOfMass;
}

/// <summary>What it found.</summary>
/// <param name="Labels">[rows]: 0 to Clusters - 1, or -1 for noise.</param>
/// <param name="Strength">[rows] in [0,1]; 0 for noise.</param>
/// <param name="OutlierScores">[rows] in [0,1].</param>
/// <param name="TreeWeight">Sum of the spanning tree's edges.</param>
internal sealed record HdbscanResult(int[] Labels, float[] Strength, float[] OutlierScores, CondensedTree Tree, int[] Chosen, double TreeWeight)
{
    public int Clusters => Chosen.Length;

    /// <summary>Soft memberships of a row in the clusters, in their order.</summary>
    public double[] Soft(int row) => Tree.Soft(row, Chosen);
}

internal static class Hdbscan
{
    /// <exception cref="ArgumentException">An option makes no sense, or a value is not finite.</exception>
    internal static HdbscanResult Fit(float[] values, int rows, int dimension, VectorMetric metric, HdbscanOptions options, Action<string, int, int>? progress = null, CancellationToken stop = default)
    {
        if (rows < 1 || values.Length != (long)rows * dimension) throw new ArgumentException($"Expected {rows} x {dimension} values, found {values.Length}.");
        if (options.MinClusterSize < 2) throw new ArgumentException($"Expected clusters of at least 2 rows, found {options.MinClusterSize}.");
        if (options.MinSamples is < 1) throw new ArgumentException($"Expected at least the first neighbour for core distances, found {options.MinSamples}.");
        HostRows.RequireFinite(values, dimension);
        progress ??= (_, _, _) => { };
        var (edges, _) = SpanningTree.Of(values, rows, dimension, metric, options.MinSamples ?? options.MinClusterSize, progress, stop);
        var tree = CondensedTree.Of(edges, rows, options.MinClusterSize);
        var chosen = tree.Select(options.Selection);
        var (labels, strength) = tree.Label(chosen);
        return new(labels, strength, tree.OutlierScores(), tree, chosen, edges.Sum(edge => edge.Weight));
    }
}
