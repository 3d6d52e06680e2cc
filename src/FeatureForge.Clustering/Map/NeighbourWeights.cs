// How strongly the map pulls neighbours together: UMAP's fuzzy graph (McInnes, Healy, Melville 2018, arXiv 1802.03426).
// Every vector's nearest neighbour counts 1 and the weights of its neighbours sum to log2 k, whatever the local density.
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>Edges in both directions, ascending by (From, To); Weight in (0,1].</summary>
internal sealed record NeighbourWeights(int[] From, int[] To, float[] Weight)
{
    /// <summary>Every edge in one direction.</summary>
    internal IEnumerable<(int From, int To, double Weight)> Once()
    {
        for (var e = 0; e < From.Length; e++)
            if (From[e] < To[e]) yield return (From[e], To[e], Weight[e]);
    }

    internal static NeighbourWeights Of(NeighbourTable neighbours)
    {
        var directed = new (long Edge, float Weight)[neighbours.Index.Length * 2];
        for (var i = 0; i < neighbours.Queries; i++)
        {
            var distances = neighbours.Distance.AsSpan(i * neighbours.K, neighbours.K);
            var nearest = distances[0];
            foreach (var distance in distances)
            {
                nearest = distance;
                if (distance > 0) break; // duplicates do not set the scale
            }
            var scale = Scale(distances, nearest);
            for (var j = 0; j < distances.Length; j++)
            {
                var slot = i * neighbours.K + j;
                var weight = distances[j] <= nearest ? 1 : (float)Math.Exp(-(distances[j] - nearest) / scale);
                long other = neighbours.Index[slot];
                directed[2 * slot] = (((long)i << 32) | other, weight);
                directed[2 * slot + 1] = ((other << 32) | (long)i, weight);
            }
        }
        Array.Sort(directed, (a, b) => a.Edge != b.Edge ? a.Edge.CompareTo(b.Edge) : a.Weight.CompareTo(b.Weight));

        var edges = new List<(long Edge, float Weight)>(directed.Length);
        foreach (var (edge, weight) in directed)
        {
            // Probability that at least one direction holds.
            if (edges.Count > 0 && edges[^1].Edge == edge) edges[^1] = (edge, edges[^1].Weight + weight - edges[^1].Weight * weight);
            else edges.Add((edge, weight));
        }
        return new([.. edges.Select(edge => (int)(edge.Edge >> 32))], [.. edges.Select(edge => (int)(edge.Edge & 0xffffffff))], [.. edges.Select(edge => edge.Weight)]);
    }

    // Bisection: the weights grow with the scale.
    private static double Scale(ReadOnlySpan<float> distances, float nearest)
    {
        var target = Math.Log2(distances.Length + 1);
        double mean = 0;
        foreach (var distance in distances) mean += distance / distances.Length;
        var (low, high) = (0.0, Math.Max(1e-12, 1000 * mean));
        for (var i = 0; i < 64; i++)
        {
            var middle = (low + high) / 2;
            double sum = 0;
            foreach (var distance in distances) sum += distance <= nearest ? 1 : Math.Exp(-(distance - nearest) / middle);
            if (sum > target) high = middle;
            else low = middle;
        }
        return Math.Max((low + high) / 2, 1e-3 * mean + 1e-12);
    }
}
