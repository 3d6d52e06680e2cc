// Where a descent on host rows starts. Up to 512 clusters: greedy k-means++ (Arthur, Vassilvitskii 2007; the greedy variant is the
// one of their own program): every next seed is the best of a few rows drawn in proportion to the squared distance. More:
// k-means|| (Bahmani et al. 2012), whose few rounds draw many at once, reduced by weighted k-means++. Both look at a sample.
namespace FeatureForge.Tensors;

internal static unsafe class KMeansStart
{
    private const int ManyClusters = 512;
    private const int RowsPerCluster = 64;
    private const int FewestRows = 16_384;
    private const int Rounds = 5;

    /// <summary>k rows of <paramref name="values"/> [rows, dimension], row-major [k, dimension].</summary>
    internal static float[] Seeds(float[] values, int rows, int dimension, int clusters, CounterRandom random, CancellationToken stop)
    {
        var limit = (int)Math.Min(rows, Math.Max(FewestRows, (clusters > ManyClusters ? RowsPerCluster / 4 : RowsPerCluster) * (long)clusters));
        var sample = limit == rows ? [.. Enumerable.Range(0, rows)] : random.Stream(1).Sample(limit, rows);
        var some = Rows(values, sample, dimension);
        var chosen = clusters <= ManyClusters
            ? Greedy(some, limit, dimension, clusters, random, stop)
            : Oversampled(some, limit, dimension, clusters, random, stop);
        return Rows(some, chosen, dimension);
    }

    /// <summary>Some rows, one after the other.</summary>
    internal static float[] Rows(float[] values, int[] numbers, int dimension)
    {
        var rows = new float[(long)numbers.Length * dimension];
        for (var i = 0; i < numbers.Length; i++) values.AsSpan(numbers[i] * dimension, dimension).CopyTo(rows.AsSpan(i * dimension));
        return rows;
    }

    private static int[] Greedy(float[] values, int rows, int dimension, int clusters, CounterRandom random, CancellationToken stop)
    {
        var candidates = 2 + (int)Math.Log(clusters);
        var lanes = ScoreKernel.Lanes;
        var panels = (rows + lanes - 1) / lanes;
        using var packed = new AlignedFloats((long)panels * lanes * dimension);
        var squares = new float[rows];
        fixed (float* from = values)
            for (var panel = 0; panel < panels; panel++)
                ScoreKernel.PackPanel(from + (long)panel * lanes * dimension, Math.Min(lanes, rows - panel * lanes), dimension, packed.Pointer + (long)panel * lanes * dimension);
        for (var row = 0; row < rows; row++) squares[row] = RowProducts.SumOfSquares(values.AsSpan(row * dimension, dimension));

        var chosen = new int[clusters];
        var closest = new float[rows];
        Array.Fill(closest, float.PositiveInfinity);
        var reduced = new float[candidates][];
        for (var i = 0; i < candidates; i++) reduced[i] = new float[rows];
        for (var k = 0; k < clusters; k++)
        {
            stop.ThrowIfCancellationRequested();
            var drawn = k == 0 ? [random.Below(0, rows)] : Draw(closest, null, Math.Min(candidates, ScoreKernel.Group), random, k, chosen.AsSpan(0, k));
            using var targets = new PackedTargets(Rows(values, drawn, dimension), drawn.Length, dimension, []);
            var at = (nint)packed.Pointer;
            Parallel.For(0, (panels + 63) / 64, part =>
            {
                var tile = stackalloc float[ScoreKernel.Group * ScoreKernel.Lanes];
                for (var panel = part * 64; panel < Math.Min(panels, part * 64 + 64); panel++)
                {
                    ScoreKernel.Multiply((float*)at + (long)panel * lanes * dimension, targets[0], dimension, tile);
                    for (var i = 0; i < drawn.Length; i++)
                        for (var row = panel * lanes; row < Math.Min(rows, (panel + 1) * lanes); row++)
                            reduced[i][row] = Math.Min(closest[row], Math.Max(0, squares[row] + squares[drawn[i]] - 2 * tile[i * lanes + row - panel * lanes]));
                }
            });
            var winner = 0;
            var least = double.PositiveInfinity;
            for (var i = 0; i < drawn.Length; i++)
            {
                reduced[i][drawn[i]] = 0; // a seed's own distance is 0, not rounding
                double sum = 0;
                foreach (var distance in reduced[i]) sum += distance;
                if (sum < least) (winner, least) = (i, sum);
            }
            chosen[k] = drawn[winner];
            (closest, reduced[winner]) = (reduced[winner], closest);
        }
        return chosen;
    }

    // In proportion to the (weighted) squared distance; when every row coincides with a seed, the first row that is no seed yet.
    private static int[] Draw(float[] closest, int[]? weights, int count, CounterRandom random, int k, ReadOnlySpan<int> chosen)
    {
        var cumulative = new double[closest.Length];
        for (var row = 0; row < closest.Length; row++) cumulative[row] = (row == 0 ? 0 : cumulative[row - 1]) + (double)closest[row] * (weights?[row] ?? 1);
        if (cumulative[^1] <= 0)
        {
            var taken = new HashSet<int>(chosen.ToArray());
            return [Enumerable.Range(0, closest.Length).First(row => !taken.Contains(row))];
        }
        var drawn = new int[count];
        for (var i = 0; i < count; i++)
        {
            // The first row whose share reaches the target: never one of distance 0.
            var (low, high) = (0, closest.Length - 1);
            var target = random.Unit((long)k * 16 + i) * cumulative[^1];
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (cumulative[middle] > target) high = middle;
                else low = middle + 1;
            }
            drawn[i] = low;
        }
        return drawn;
    }

    private static int[] Oversampled(float[] values, int rows, int dimension, int clusters, CounterRandom random, CancellationToken stop)
    {
        var candidates = new List<int> { random.Below(0, rows) };
        var closest = new float[rows];
        var nearest = new int[rows];
        Array.Fill(closest, float.PositiveInfinity);
        Compare(values, rows, dimension, [.. candidates], 0, closest, nearest);
        var share = Math.Max(1.0, clusters / 2.0);
        for (var round = 1; round <= Rounds || candidates.Count < clusters; round++)
        {
            stop.ThrowIfCancellationRequested();
            var total = closest.Sum(distance => (double)distance);
            var taken = new HashSet<int>(candidates);
            var fresh = new List<int>();
            var draw = random.Stream(round);
            for (var row = 0; row < rows; row++)
                if (total > 0 ? draw.Unit(row) * total < share * closest[row] : candidates.Count + fresh.Count < clusters && !taken.Contains(row)) fresh.Add(row);
            if (round > 4 * Rounds) fresh = [.. Enumerable.Range(0, rows).Where(row => !taken.Contains(row)).Take(clusters - candidates.Count)]; // rows that all but coincide
            Compare(values, rows, dimension, [.. fresh], candidates.Count, closest, nearest);
            candidates.AddRange(fresh);
        }
        var weights = new int[candidates.Count];
        foreach (var owner in nearest) weights[owner]++;
        var reduced = Reduce(Rows(values, [.. candidates], dimension), weights, dimension, clusters, random.Stream(-1), stop);
        return Array.ConvertAll(reduced, candidate => candidates[candidate]);
    }

    private static void Compare(float[] values, int rows, int dimension, int[] fresh, int number, float[] closest, int[] nearest)
    {
        if (fresh.Length == 0) return;
        var some = Rows(values, fresh, dimension);
        var found = NearestTwo.Among(values, rows, dimension, some, fresh.Length, VectorMetric.L2);
        for (var row = 0; row < rows; row++)
            if (found.Squared[row] < closest[row]) (closest[row], nearest[row]) = (found.Squared[row], number + found.Index[row]);
        for (var i = 0; i < fresh.Length; i++) closest[fresh[i]] = 0;
    }

    private static int[] Reduce(float[] candidates, int[] weights, int dimension, int clusters, CounterRandom random, CancellationToken stop)
    {
        var closest = new float[weights.Length];
        Array.Fill(closest, float.PositiveInfinity);
        var chosen = new int[clusters];
        for (var k = 0; k < clusters; k++)
        {
            stop.ThrowIfCancellationRequested();
            var seed = k == 0 ? random.Below(0, weights.Length) : Draw(closest, weights, 1, random, k, chosen.AsSpan(0, k))[0];
            chosen[k] = seed;
            Parallel.For(0, (weights.Length + 1023) / 1024, part =>
            {
                for (var i = part * 1024; i < Math.Min(weights.Length, part * 1024 + 1024); i++)
                    closest[i] = Math.Min(closest[i], RowProducts.SquaredDistance(candidates.AsSpan(i * dimension, dimension), candidates.AsSpan(seed * dimension, dimension)));
            });
            closest[seed] = 0;
        }
        return chosen;
    }
}
