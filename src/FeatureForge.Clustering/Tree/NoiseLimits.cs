// Which rows belong to no cluster. Density relative to the own leaf (as in LOF: Breunig et al. 2000), so that sparse clusters
// are not mistaken for noise; and only when the data says so: the far rows must be more than the tail of any distribution.
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>Per leaf how far a member's neighbours may be, in the metric.</summary>
internal sealed class NoiseLimits
{
    /// <summary>The neighbour whose distance measures density.</summary>
    private const int Rank = 5;
    private const double Deviations = 4;
    private const double LeastRatio = 1.35;
    /// <summary>Fewer far rows than this share are the tail of the clusters; of them only the extreme ones are noise.</summary>
    private const double TailShare = 0.01;
    private const double ExtremeDeviations = 9;
    private const double ExtremeRatio = 3;
    /// <summary>A leaf that comes back in reruns no better than this, and is far sparser than the others, is scattered rows.</summary>
    private const double Unstable = 0.75;
    /// <summary>Of a leaf this small, sparseness alone says so when it is extreme.</summary>
    private const double SmallShare = 0.03;
    private const int FewMembers = 20;

    private readonly double[] _limits; // of log distance
    private readonly int _rank;

    internal NoiseLimits(NeighbourTable neighbours, Communities found)
    {
        _rank = Math.Min(Rank, neighbours.K);
        var nodes = neighbours.Queries;
        var distances = Enumerable.Range(0, nodes).Select(node => Log(neighbours.Distance[node * neighbours.K + _rank - 1])).ToArray();
        var members = new List<int>[found.Count];
        for (var leaf = 0; leaf < found.Count; leaf++) members[leaf] = [];
        for (var node = 0; node < nodes; node++) members[found.Groups[node]].Add(node);
        var medians = members.Select(rows => Median(rows.Select(node => distances[node]))).ToArray();
        var deviations = members.Select((rows, leaf) => Math.Max(0.05, 1.4826 * Median(rows.Select(node => Math.Abs(distances[node] - medians[leaf]))))).ToArray();
        var usual = Median(found.Groups.Select(leaf => deviations[leaf]));
        for (var leaf = 0; leaf < found.Count; leaf++)
            // Few members measure nothing; many far ones among them must not widen what is usual.
            deviations[leaf] = Math.Clamp(deviations[leaf], members[leaf].Count < FewMembers ? usual : 0, 1.5 * usual);

        var scattered = Scattered(found, members, medians, usual);
        _limits = Limits(Deviations, LeastRatio);
        var far = Enumerable.Range(0, nodes).Count(node => distances[node] > _limits[found.Groups[node]]);
        if (far < TailShare * nodes) _limits = Limits(ExtremeDeviations, ExtremeRatio);
        OfFitted = [.. Enumerable.Range(0, nodes).Select(node => distances[node] > _limits[found.Groups[node]])];

        double[] Limits(double count, double ratio) => [.. medians.Select((median, leaf) => scattered[leaf] ? double.NegativeInfinity
            : median + Math.Max(Math.Log(ratio), count * deviations[leaf]))];
    }

    /// <summary>Per fitted row whether it is noise.</summary>
    internal bool[] OfFitted { get; }

    internal bool IsNoise(int leaf, ReadOnlySpan<float> distances) => Log(distances[Math.Min(_rank, distances.Length) - 1]) > _limits[leaf];

    private static double Log(float distance) => Math.Log(Math.Max(distance, 1e-9));

    // Half of the rows lie in leaves that are no sparser than `typical`.
    private static bool[] Scattered(Communities found, List<int>[] members, double[] medians, double usual)
    {
        var typical = Median(found.Groups.Select(leaf => medians[leaf]));
        var stability = Stability.OfGroups(found.Groups, found.Count, found.Reruns);
        return [.. members.Select((rows, leaf) => (stability[leaf] < Unstable && medians[leaf] > typical + Math.Max(Math.Log(1.5), 3 * usual))
            || (rows.Count < SmallShare * found.Groups.Length && medians[leaf] > typical + Math.Max(Math.Log(2.5), 6 * usual)))];
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? 0 : sorted[sorted.Length / 2];
    }
}
