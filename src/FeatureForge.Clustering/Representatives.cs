// The items that show what a cluster is, and those at its border.
namespace FeatureForge.Clustering;

/// <summary>Row numbers per node: exemplars (the medoid first, then typical ones that differ), and rows nearest to a sibling.</summary>
internal sealed record Representatives(int[] Exemplars, int[] Boundary)
{
    private const int Count = 8;
    private const int Typical = 256;

    /// <param name="siblings">Centroids of the other children of the node's parent.</param>
    internal static Representatives Of(SetVectors vectors, int[] members, float[] centroid, IReadOnlyList<float[]> siblings)
    {
        var distances = Array.ConvertAll(members, row => Geometry.Distance(vectors[row], centroid, vectors.Metric));
        var typical = members.Zip(distances).OrderBy(pair => pair.Second).ThenBy(pair => pair.First).Take(Math.Clamp(members.Length / 2, Count, Typical)).Select(pair => pair.First).ToList();
        return new(Diverse(vectors, typical), siblings.Count == 0 ? [] : Nearest(vectors, members, distances, siblings));
    }

    // Farthest-first among the typical half (Gonzalez 1985); one row per item.
    private static int[] Diverse(SetVectors vectors, List<int> typical)
    {
        var chosen = new List<int> { typical[0] };
        var apart = typical.Select(row => Geometry.Distance(vectors[row], vectors[typical[0]], vectors.Metric)).ToArray();
        var items = new HashSet<string>(StringComparer.Ordinal) { vectors.ItemIds[typical[0]] };
        while (chosen.Count < Count)
        {
            var next = -1;
            for (var i = 0; i < typical.Count; i++)
                if (!items.Contains(vectors.ItemIds[typical[i]]) && (next < 0 || apart[i] > apart[next])) next = i;
            if (next < 0) break;
            chosen.Add(typical[next]);
            items.Add(vectors.ItemIds[typical[next]]);
            for (var i = 0; i < typical.Count; i++) apart[i] = Math.Min(apart[i], Geometry.Distance(vectors[typical[i]], vectors[typical[next]], vectors.Metric));
        }
        return [.. chosen];
    }

    // Least margin between the nearest sibling and the own centroid.
    private static int[] Nearest(SetVectors vectors, int[] members, float[] distances, IReadOnlyList<float[]> siblings)
    {
        var margins = members.Select((row, i) => (Row: row, Margin: siblings.Min(sibling => Geometry.Distance(vectors[row], sibling, vectors.Metric)) - distances[i]));
        return [.. margins.OrderBy(pair => pair.Margin).ThenBy(pair => pair.Row).DistinctBy(pair => vectors.ItemIds[pair.Row]).Take(Count).Select(pair => pair.Row)];
    }
}
