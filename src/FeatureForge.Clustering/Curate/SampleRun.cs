// Balanced sampling: a new corpus of items spread evenly over a tree of clusters, so that what is frequent does not drown what
// is rare (Vo et al. 2024, arXiv 2405.15613): the number asked for is divided from the root downwards, every child getting
// the same until it has no more to give.
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>Make a corpus of some items of a clustering, balanced over its tree.</summary>
public sealed record SampleSpec
{
    public required string Clustering { get; init; }
    /// <summary>Items to choose; all of them when the clustering holds fewer.</summary>
    public required int Items { get; init; }
    /// <summary>The corpus to make; a new name.</summary>
    public required string Corpus { get; init; }
    public int Seed { get; init; }

    /// <summary>Every problem of the request that can be seen without the store.</summary>
    public IReadOnlyList<string> Problems() =>
        [.. new[] { Names.Problem("clustering", Clustering), Names.Problem("corpus", Corpus), Items < 1 ? $"items is {Items}; expected at least 1." : null }.OfType<string>()];
}

/// <summary>What a sample run made.</summary>
/// <param name="Available">Items that belong to a cluster.</param>
/// <param name="LargestShare">Share of the largest leaf among the chosen items, and before.</param>
/// <param name="LargestShareBefore">The same among all items.</param>
public sealed record SampleResult(string Corpus, string From, long Items, long Available, double LargestShare, double LargestShareBefore, double Seconds);

/// <summary>Runs a <see cref="SampleSpec"/>.</summary>
public static class SampleRun
{
    /// <summary>Chooses the items and publishes the corpus.</summary>
    /// <exception cref="BadRequestException">The spec is wrong, or does not fit the store; nothing was changed.</exception>
    public static async Task<SampleResult> ExecuteAsync(SampleSpec spec, RunContext context, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        var started = context.Time.GetTimestamp();
        SubsetCorpus.Check(context.Store, spec.Corpus, context.RunId);
        var clustering = context.Store.Clustering(spec.Clustering);
        var source = context.Store.Corpus(context.Store.Set(clustering.Set).Corpus);
        var folder = context.Store.ClusteringFolder(clustering.Name);
        var clusters = await PreviousClustering.ReadAsync(part => context.Store.FileOf(folder, part), clustering.ClusterParts, ClustersTable.ReadAsync, stop);
        var memberships = await PreviousClustering.ReadAsync(part => context.Store.FileOf(folder, part), clustering.MembershipParts, MembershipsTable.ReadAsync, stop);

        // An item with several spans counts where it belongs most.
        var items = memberships.Where(row => row.ClusterId is not null).GroupBy(row => row.ItemId).Select(group => group.MaxBy(row => row.Strength)!)
            .GroupBy(row => row.ClusterId!).ToDictionary(group => group.Key, group => group.Select(row => row.ItemId).Order(StringComparer.Ordinal).ToArray());
        var chosen = Choose(clusters, items, spec.Items, new(spec.Seed));
        var available = items.Values.Sum(leaf => leaf.Length);
        if (available < spec.Items) context.Warning($"Clustering '{clustering.Name}' has {available} items in clusters, {spec.Items} were asked for: all of them are taken.");
        var manifest = await SubsetCorpus.PublishAsync(context, source, spec.Corpus, chosen.Values.SelectMany(leaf => leaf).ToHashSet(StringComparer.Ordinal), stop);
        new Publication(context).Finish();
        var taken = chosen.Values.Sum(leaf => leaf.Length);
        if (manifest.TotalItems < taken) context.Warning($"{taken - manifest.TotalItems} of the chosen items are no longer in corpus '{source.Name}'.");
        context.Information($"Corpus '{spec.Corpus}': {manifest.TotalItems} items balanced over the {items.Count} leaves of clustering '{clustering.Name}'.");
        return new(spec.Corpus, source.Name, manifest.TotalItems, available, Share(chosen.Values, taken), Share(items.Values, available), context.Time.GetElapsedTime(started).TotalSeconds);
    }

    private static double Share(IEnumerable<string[]> leaves, int all) => all == 0 ? 0 : leaves.Max(leaf => leaf.Length) / (double)all;

    /// <summary>Per leaf the items chosen.</summary>
    internal static Dictionary<string, string[]> Choose(IReadOnlyList<ClusterRow> clusters, IReadOnlyDictionary<string, string[]> items, int count, CounterRandom random)
    {
        var children = clusters.Where(row => row.ParentId is not null).ToLookup(row => row.ParentId!, row => row.ClusterId);
        var capacity = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var row in clusters.OrderByDescending(row => row.Depth))
            capacity[row.ClusterId] = (items.GetValueOrDefault(row.ClusterId)?.Length ?? 0) + children[row.ClusterId].Sum(child => capacity[child]);
        var chosen = new Dictionary<string, string[]>(StringComparer.Ordinal);
        Give(clusters.Single(row => row.ParentId is null).ClusterId, count);
        return chosen;

        void Give(string node, int budget)
        {
            if (items.TryGetValue(node, out var own))
            {
                // Where the leaf stands in the order of ids makes its draw independent of the others.
                var take = Math.Min(budget, own.Length);
                chosen[node] = Array.ConvertAll(random.Stream(Number(node)).Sample(take, own.Length), at => own[at]);
                return;
            }
            var shares = Fill([.. children[node].Select(child => capacity[child])], budget);
            foreach (var (child, share) in children[node].Zip(shares)) Give(child, share);
        }
    }

    private static long Number(string id) => long.TryParse(id.AsSpan(0, Math.Min(15, id.Length)), System.Globalization.NumberStyles.HexNumber, null, out var number) ? number : id.Length;

    /// <summary>Divides a budget: everybody the same, but nobody more than the capacity; remainders to the earlier ones.</summary>
    internal static int[] Fill(IReadOnlyList<int> capacities, int budget)
    {
        var shares = new int[capacities.Count];
        var left = Math.Min(budget, capacities.Sum());
        while (left > 0)
        {
            var open = Enumerable.Range(0, shares.Length).Where(i => shares[i] < capacities[i]).ToList();
            var each = Math.Max(1, left / open.Count);
            foreach (var i in open)
            {
                var more = Math.Min(Math.Min(each, capacities[i] - shares[i]), left);
                shares[i] += more;
                left -= more;
            }
        }
        return shares;
    }
}
