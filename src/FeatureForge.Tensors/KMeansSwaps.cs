// Moves k-means out of a local optimum by swaps: centroids whose removal costs least are put where a split gains most, several
// at once; a round that does not lower the inertia is undone and tried with fewer (the plan of I-k-means-+, Ismkhan 2018, and of
// breathing k-means, Fritzke 2020). Our gains are those of a 2-means of each cluster's own rows rather than its error, because an
// isotropic cluster has much error and gains little; the cost of a removal is exact but for the means that follow.
namespace FeatureForge.Tensors;

internal static class KMeansSwaps
{
    private const int HalvingPasses = 3;
    private const int PowerSteps = 6;
    private const int PassesAfterSwap = 12;
    private const double ToleranceAfterSwap = 2e-5;
    // A swap must promise more than this times its cost. Below 1: a cost counts no means that follow, and a bad round is undone.
    private const double Margin = 0.9;
    private const double WorthARound = 2e-6;

    /// <summary>Improves a descent that has come to rest; leaves it at the best state found.</summary>
    internal static int Improve(KMeansDescent descent, int rounds, CounterRandom random, Action<int>? progress, CancellationToken stop)
    {
        var passes = 0;
        var most = Math.Max(1, descent.Clusters / 4);
        for (var round = 0; round < rounds && most > 0; round++)
        {
            stop.ThrowIfCancellationRequested();
            descent.Compare(all: true);
            descent.Refill();
            descent.Update();
            var kept = descent.Keep();
            var swaps = Choose(descent, most, random.Stream(round));
            if (swaps.Count == 0) break;
            foreach (var (removed, split, left, right) in swaps)
            {
                left.CopyTo(descent.Centroid(split));
                right.CopyTo(descent.Centroid(removed));
            }
            passes += 2 + descent.Run(PassesAfterSwap, ToleranceAfterSwap, fresh: true, null, stop).Passes;
            progress?.Invoke(passes);
            var gain = (kept.Inertia - descent.Inertia) / Math.Max(double.Epsilon, kept.Inertia);
            if (gain <= 0)
            {
                descent.Return(kept);
                most = Math.Min(most, swaps.Count) / 2;
            }
            else if (gain < WorthARound) break;
        }
        return passes;
    }

    private sealed record Swap(int Removed, int Split, float[] Left, float[] Right);

    private static List<Swap> Choose(KMeansDescent descent, int most, CounterRandom random)
    {
        var members = Members(descent);
        var (costs, receivers) = Removals(descent, members);
        var halves = new (double Gain, float[] Left, float[] Right)[descent.Clusters];
        Parallel.For(0, descent.Clusters, cluster => halves[cluster] = Halve(descent, cluster, members[cluster], random.Stream(cluster)));

        var splits = Enumerable.Range(0, descent.Clusters).OrderByDescending(cluster => halves[cluster].Gain).ThenBy(cluster => cluster).ToList();
        var removals = Enumerable.Range(0, descent.Clusters).OrderBy(cluster => costs[cluster]).ThenBy(cluster => cluster).ToList();
        var (removed, busy) = (new HashSet<int>(), new HashSet<int>());
        var swaps = new List<Swap>();
        var next = 0;
        foreach (var split in splits)
        {
            if (swaps.Count == most) break;
            if (removed.Contains(split)) continue;
            // Not what is split, has taken over another's rows, or would give its rows to one that is gone: their costs no longer hold.
            while (next < removals.Count && (busy.Contains(removals[next]) || removed.Contains(receivers[removals[next]]) || removals[next] == split)) next++;
            if (next == removals.Count || halves[split].Gain <= Margin * costs[removals[next]]) break;
            var goes = removals[next++];
            removed.Add(goes);
            busy.Add(split);
            if (receivers[goes] >= 0) busy.Add(receivers[goes]);
            swaps.Add(new(goes, split, halves[split].Left, halves[split].Right));
        }
        return swaps;
    }

    private static int[][] Members(KMeansDescent descent)
    {
        var members = Array.ConvertAll(descent.Counts, count => new List<int>(count));
        for (var row = 0; row < descent.Rows; row++) members[descent.Assignment[row]].Add(row);
        return Array.ConvertAll(members, list => list.ToArray());
    }

    // What the members lose when they go to their second-nearest centroids, and which centroid takes most of them.
    private static (double[] Costs, int[] Receivers) Removals(KMeansDescent descent, int[][] members)
    {
        var costs = new double[descent.Clusters];
        var receivers = new int[descent.Clusters];
        Parallel.For(0, descent.Clusters, cluster =>
        {
            var votes = new Dictionary<int, int>();
            foreach (var row in members[cluster])
            {
                costs[cluster] += (double)descent.Lower[row] * descent.Lower[row] - (double)descent.Upper[row] * descent.Upper[row];
                votes[descent.Second[row]] = votes.GetValueOrDefault(descent.Second[row]) + 1;
            }
            receivers[cluster] = votes.Count == 0 ? -1 : votes.OrderByDescending(vote => vote.Value).ThenBy(vote => vote.Key).First().Key;
        });
        return (costs, receivers);
    }

    // 2-means of the members, started on both sides of their mean along the direction of most spread (power iteration): from two
    // random rows of many dimensions 2-means mostly ends at a split of noise.
    private static (double Gain, float[] Left, float[] Right) Halve(KMeansDescent descent, int cluster, int[] members, CounterRandom random)
    {
        if (members.Length < 2) return (0, [], []);
        var dimension = descent.Dimension;
        var all = descent.Sums.AsSpan(cluster * dimension, dimension);
        var mean = new float[dimension];
        for (var d = 0; d < dimension; d++) mean[d] = (float)(all[d] / members.Length);
        var difference = MostSpread(descent, members, mean, random);
        var (left, right) = (new float[dimension], new float[dimension]);
        var middle = RowProducts.Dot(mean, difference);
        double gain = 0;
        for (var pass = 0; pass < HalvingPasses; pass++)
        {
            var sums = new double[dimension];
            var count = 0;
            foreach (var member in members)
            {
                var row = descent[member];
                if (RowProducts.Dot(row, difference) <= middle) continue;
                count++;
                for (var d = 0; d < dimension; d++) sums[d] += row[d];
            }
            var rest = members.Length - count;
            if (count == 0 || rest == 0) return (0, [], []);
            double squared = 0;
            for (var d = 0; d < dimension; d++)
            {
                (left[d], right[d]) = ((float)((all[d] - sums[d]) / rest), (float)(sums[d] / count));
                difference[d] = right[d] - left[d];
                squared += (double)difference[d] * difference[d];
            }
            gain = (double)count * rest / members.Length * squared;
            middle = (RowProducts.SumOfSquares(right) - RowProducts.SumOfSquares(left)) / 2;
        }
        return (gain, left, right);
    }

    private static float[] MostSpread(KMeansDescent descent, int[] members, float[] mean, CounterRandom random)
    {
        var direction = new float[mean.Length];
        for (var d = 0; d < direction.Length; d++) direction[d] = (float)random.Normal(d);
        for (var step = 0; step < PowerSteps; step++)
        {
            var offset = RowProducts.Dot(mean, direction);
            var next = new float[direction.Length];
            foreach (var member in members)
            {
                var row = descent[member];
                var share = RowProducts.Dot(row, direction) - offset;
                for (var d = 0; d < next.Length; d++) next[d] += share * (row[d] - mean[d]);
            }
            RowProducts.ToUnitLength(next);
            direction = next;
        }
        return direction;
    }
}
