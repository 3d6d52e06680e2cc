// The levels above the leaves: coarser communities that reruns reproduce, nested over the leaves, and between and above them
// Ward's agglomeration, cut where the next merge costs much more than the last one did.
namespace FeatureForge.Clustering;

internal static class LeafLayers
{
    private const double Reproduced = 0.9;
    private const double Apart = 1.6;
    private const double ClearGap = 1.5;
    private const double WidestBranching = 10;
    private const int MostLayers = 5;
    private const int FewLeaves = 6;

    /// <summary>For every leaf the coarser community that holds most of it.</summary>
    internal static int[] Parents(Communities leaves, Communities coarser)
    {
        var counts = new Dictionary<(int Leaf, int Community), int>();
        for (var node = 0; node < leaves.Groups.Length; node++)
            counts[(leaves.Groups[node], coarser.Groups[node])] = counts.GetValueOrDefault((leaves.Groups[node], coarser.Groups[node])) + 1;
        var parents = new int[leaves.Count];
        foreach (var group in counts.GroupBy(pair => pair.Key.Leaf))
            parents[group.Key] = group.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key.Community).First().Key.Community;
        return parents;
    }

    /// <summary>Coarse to fine, the leaves last. Leaves whose centroids coincide are one.</summary>
    /// <param name="leaves">Per row.</param>
    /// <param name="coarser">How well coarser communities were reproduced, and for every leaf the one it lies in.</param>
    internal static List<int[]> Above(SetVectors vectors, int[] leaves, IReadOnlyList<(double Agreement, int[] Parents)> coarser)
    {
        var members = leaves.Select((leaf, row) => (leaf, row)).GroupBy(pair => pair.leaf, pair => pair.row).OrderBy(group => group.Key).ToList();
        var number = members.Select((group, i) => (group.Key, i)).ToDictionary(pair => pair.Key, pair => pair.i);
        var rows = members.ConvertAll(group => group.ToArray());
        var centroids = rows.ConvertAll(group => Geometry.Centroid(vectors, group));
        var stages = Stages(members.ConvertAll(group => group.Key), coarser);
        var merges = StagedMerges(centroids, rows.ConvertAll(group => group.Length), stages);
        var nothing = 1e-9 * centroids.Average(centroid => (double)Geometry.Dot(centroid, centroid));
        var count = members.Count - merges.TakeWhile(merge => merge.Height <= nothing).Count();
        return [.. Cuts(merges, members.Count, count, stages).Select(groups =>
        {
            var group = Ward.Cut(merges, members.Count, groups);
            return Array.ConvertAll(leaves, leaf => group[number[leaf]]);
        })];
    }

    // Fine to coarse, each a union of the one before: communities of several resolutions need not nest by themselves.
    private static List<int[]> Stages(List<int> leaves, IReadOnlyList<(double Agreement, int[] Parents)> coarser)
    {
        var stages = new List<int[]>();
        var current = Enumerable.Range(0, leaves.Count).ToArray();
        var groups = leaves.Count;
        foreach (var (agreement, parents) in coarser.Reverse())
        {
            if (agreement < Reproduced || stages.Count == MostLayers - 2) continue;
            // The community of a group is that of most of its leaves.
            var majority = current.Zip(leaves, (group, leaf) => (group, Parent: parents[leaf])).GroupBy(pair => pair.group)
                .ToDictionary(group => group.Key, group => group.CountBy(pair => pair.Parent).OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key).First().Key);
            var next = Leiden.Renumbered(Array.ConvertAll(current, group => majority[group]), out var left);
            if (left < 2 || left * Apart > groups) continue;
            stages.Add(next);
            (current, groups) = (next, left);
        }
        return stages;
    }

    // Ward's merges, those inside the groups of each stage before those between them.
    private static List<(int Left, int Right, double Height)> StagedMerges(List<float[]> centroids, List<int> sizes, List<int[]> stages)
    {
        var merges = new List<(int, int, double)>();
        var units = Enumerable.Range(0, centroids.Count).Select(leaf => (Number: leaf, Centroid: centroids[leaf], Size: sizes[leaf], First: leaf)).ToList();
        foreach (var stage in stages.Append(new int[centroids.Count]))
        {
            var inside = new List<(int Group, int Left, int Right, double Height)>();
            var groups = units.GroupBy(unit => stage[unit.First]).Select(group => group.ToList()).ToList();
            for (var g = 0; g < groups.Count; g++)
                inside.AddRange(Ward.Merges(groups[g].ConvertAll(unit => unit.Centroid), groups[g].ConvertAll(unit => unit.Size)).Select(merge => (g, merge.Left, merge.Right, merge.Height)));
            var numbers = groups.ConvertAll(group => group.ConvertAll(unit => unit.Number));
            foreach (var (g, left, right, height) in inside.OrderBy(merge => merge.Height).ThenBy(merge => merge.Group))
            {
                merges.Add((numbers[g][left], numbers[g][right], height));
                numbers[g].Add(centroids.Count + merges.Count - 1);
            }
            units = [.. groups.Select((group, g) => (numbers[g][^1], Mean(group.ConvertAll(unit => (unit.Centroid, unit.Size))), group.Sum(unit => unit.Size), group[0].First))];
        }
        return merges;
    }

    private static float[] Mean(List<(float[] Centroid, int Size)> parts)
    {
        var total = parts.Sum(part => (double)part.Size);
        return [.. Enumerable.Range(0, parts[0].Centroid.Length).Select(d => (float)parts.Sum(part => part.Centroid[d] * (part.Size / total)))];
    }

    // Numbers of groups, ascending, the leaves' own last.
    private static List<int> Cuts(List<(int Left, int Right, double Height)> merges, int inputs, int count, List<int[]> stages)
    {
        var cuts = new SortedSet<int>(stages.Select(stage => stage.Max() + 1).Where(groups => groups < count)) { count };
        if (count < FewLeaves) return [.. cuts];
        // With g groups left, merge inputs - g is the next one and inputs - g - 1 the last one done.
        double Gap(int g) => merges[inputs - g].Height / Math.Max(1e-30, merges[inputs - g - 1].Height);
        bool IsApart(int g) => cuts.All(cut => g * Apart <= cut || cut * Apart <= g);
        var inOrder = Enumerable.Range(2, Math.Max(0, count - 2)).Where(g => g * Apart <= count).OrderByDescending(Gap).ThenBy(g => g).ToList();
        foreach (var g in inOrder.Where(g => Gap(g) >= ClearGap))
            if (cuts.Count < MostLayers && IsApart(g)) cuts.Add(g);
        // No node with too many children to look at.
        for (var (above, left) = (1, cuts.ToList()); left.Count > 0 && cuts.Count < MostLayers; (above, left) = (left[0], left[1..]))
        {
            var (low, high) = (above, left[0]);
            if (high <= WidestBranching * low) continue;
            var middle = Math.Sqrt((double)low * high);
            var best = inOrder.FirstOrDefault(g => g >= middle / 1.5 && g <= middle * 1.5 && IsApart(g));
            if (best > 0) cuts.Add(best);
        }
        return [.. cuts];
    }
}
