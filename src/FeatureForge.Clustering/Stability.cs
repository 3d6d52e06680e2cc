// Cluster-wise stability (Hennig 2007): how well each cluster comes back in reruns on 80 % of the rows.
namespace FeatureForge.Clustering;

internal static class Stability
{
    /// <summary>Groups of the kept rows spread over all rows; -1 for the others.</summary>
    internal static int[] Scatter(int[] groups, int[] kept, int rows)
    {
        var spread = new int[rows];
        Array.Fill(spread, -1);
        for (var i = 0; i < kept.Length; i++) spread[kept[i]] = groups[i];
        return spread;
    }

    /// <summary>
    /// Per node the mean over reruns of the best Jaccard index between it and a union of rerun clusters that lie mostly in it
    /// (for a leaf: with one rerun cluster). Null for the root, which cannot fail, and where no rerun saw a member.
    /// </summary>
    /// <param name="reruns">Group per sample row; -1 where the rerun did not see it.</param>
    internal static float?[] OfNodes(ClusterTree tree, FitSample sample, IReadOnlyList<int[]> reruns)
    {
        var sampleNumber = new Dictionary<int, int>(sample.Count);
        for (var i = 0; i < sample.Count; i++) sampleNumber[sample.Rows[i]] = i;
        var sizes = reruns.Select(Sizes).ToList();
        var result = new float?[tree.Nodes.Count];
        for (var node = 1; node < tree.Nodes.Count; node++)
        {
            var members = tree.Nodes[node].Members.Where(sampleNumber.ContainsKey).Select(row => sampleNumber[row]).ToList();
            var found = reruns.Zip(sizes, (rerun, size) => Jaccard(members, rerun, size, isLeaf: tree.Children[node].Count == 0)).OfType<double>().ToList();
            if (found.Count > 0) result[node] = (float)found.Average();
        }
        return result;
    }

    /// <summary>Per group the same as for a leaf; 0 where no rerun saw a member.</summary>
    internal static double[] OfGroups(int[] groups, int count, IReadOnlyList<int[]> reruns)
    {
        var members = new List<int>[count];
        for (var group = 0; group < count; group++) members[group] = [];
        for (var row = 0; row < groups.Length; row++) members[groups[row]].Add(row);
        var sizes = reruns.Select(Sizes).ToList();
        return [.. members.Select(rows => reruns.Zip(sizes, (rerun, size) => Jaccard(rows, rerun, size, isLeaf: true)).OfType<double>().DefaultIfEmpty(0).Average())];
    }

    private static Dictionary<int, int> Sizes(int[] rerun) => rerun.Where(group => group >= 0).CountBy(group => group).ToDictionary();

    private static double? Jaccard(List<int> members, int[] rerun, Dictionary<int, int> sizes, bool isLeaf)
    {
        var overlaps = new Dictionary<int, int>();
        foreach (var member in members)
            if (rerun[member] >= 0) overlaps[rerun[member]] = overlaps.GetValueOrDefault(rerun[member]) + 1;
        if (overlaps.Count == 0) return null;
        var seen = overlaps.Values.Sum();
        if (isLeaf) return overlaps.Max(pair => pair.Value / (double)(seen + sizes[pair.Key] - pair.Value));
        var mostlyInside = overlaps.Where(pair => pair.Value * 2 > sizes[pair.Key]).ToList();
        var common = mostlyInside.Sum(pair => pair.Value);
        return common / (double)(seen + mostlyInside.Sum(pair => sizes[pair.Key]) - common);
    }
}
