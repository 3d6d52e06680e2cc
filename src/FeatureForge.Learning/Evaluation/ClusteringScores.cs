// Scores a published clustering against labels, once per depth of its tree: reads the tables as any other tool would.
using FeatureForge.Data;

namespace FeatureForge.Learning;

internal static class ClusteringScores
{
    public static async Task<IReadOnlyList<DepthScores>> MeasureAsync(Store store, ClusteringManifest clustering, LabelledItems labels, CancellationToken stop)
    {
        var paths = new List<IReadOnlyList<string>>();
        var classes = new List<int>();
        foreach (var part in clustering.MembershipParts)
        {
            await foreach (var row in MembershipsTable.ReadAsync(store.FileOf(store.ClusteringFolder(clustering.Name), part), stop).ConfigureAwait(false))
            {
                if (!labels.ByItem.TryGetValue(row.ItemId, out var label)) continue;
                paths.Add(row.ClusterId is null ? [] : row.ClusterPath);
                classes.Add(label.Class);
            }
        }
        if (paths.Count == 0) throw new BadRequestException($"Clustering '{clustering.Name}' holds none of the labelled items.");
        var deepest = Math.Max(1, paths.Max(path => path.Count));
        return [.. Enumerable.Range(0, deepest).Select(depth => AtDepth(depth, paths, classes))];
    }

    private static DepthScores AtDepth(int depth, List<IReadOnlyList<string>> paths, List<int> classes)
    {
        // A leaf above this depth stands for itself; items without a cluster form one group of their own.
        var names = paths.Select(path => path.Count == 0 ? "" : path[Math.Min(depth, path.Count - 1)]).ToList();
        var numbers = names.Distinct().Order(StringComparer.Ordinal).Select((name, number) => (name, number)).ToDictionary(pair => pair.name, pair => pair.number);
        var clusters = names.Select(name => numbers[name]).ToList();
        return new(depth, numbers.Count - (numbers.ContainsKey("") ? 1 : 0), names.Count(name => name == "") / (double)names.Count,
            Agreement.NormalisedMutualInformation(clusters, classes), Agreement.AdjustedRandIndex(clusters, classes), Agreement.MatchedAccuracy(clusters, classes));
    }
}
