// How well two groupings of the same items agree. Normalised mutual information (arithmetic mean of the entropies) and adjusted
// Rand index: Hubert and Arabie 1985, Vinh, Epps, Bailey 2010; accuracy: best one-to-one matching (Kuhn 1955).
namespace FeatureForge.Learning;

/// <summary>Agreement of a clustering with labels; both are group numbers from 0, item by item.</summary>
internal static class Agreement
{
    /// <summary>In [0, 1]; 1 when both say the same, 0 when one tells nothing of the other.</summary>
    public static double NormalisedMutualInformation(IReadOnlyList<int> clusters, IReadOnlyList<int> labels)
    {
        var (table, rows, columns) = Count(clusters, labels);
        double items = clusters.Count;
        var shared = 0.0;
        for (var r = 0; r < rows.Length; r++)
            for (var c = 0; c < columns.Length; c++)
                if (table[r, c] > 0) shared += table[r, c] / items * Math.Log(items * table[r, c] / ((double)rows[r] * columns[c]));
        var mean = (Entropy(rows, items) + Entropy(columns, items)) / 2;
        // Two groupings of one group each agree fully.
        return mean == 0 ? 1 : Math.Clamp(shared / mean, 0, 1);
    }

    /// <summary>1 when both say the same; about 0 for a random clustering; may be negative.</summary>
    public static double AdjustedRandIndex(IReadOnlyList<int> clusters, IReadOnlyList<int> labels)
    {
        static double Pairs(double count) => count * (count - 1) / 2;
        var (table, rows, columns) = Count(clusters, labels);
        var together = 0.0;
        foreach (var count in table) together += Pairs(count);
        var (byRow, byColumn) = (rows.Sum(count => Pairs(count)), columns.Sum(count => Pairs(count)));
        var expected = byRow * byColumn / Math.Max(1, Pairs(clusters.Count));
        var most = (byRow + byColumn) / 2;
        return most == expected ? 1 : (together - expected) / (most - expected);
    }

    /// <summary>Share of items whose cluster is matched to their label, under the best one-to-one matching.</summary>
    public static double MatchedAccuracy(IReadOnlyList<int> clusters, IReadOnlyList<int> labels)
    {
        var (table, rows, columns) = Count(clusters, labels);
        var size = Math.Max(rows.Length, columns.Length);
        var costs = new double[size, size];
        for (var r = 0; r < rows.Length; r++)
            for (var c = 0; c < columns.Length; c++) costs[r, c] = -table[r, c];
        var matching = Hungarian.Match(costs);
        return -Enumerable.Range(0, size).Sum(r => costs[r, matching[r]]) / clusters.Count;
    }

    private static double Entropy(long[] counts, double items) => -counts.Where(count => count > 0).Sum(count => count / items * Math.Log(count / items));

    private static (long[,] Table, long[] Rows, long[] Columns) Count(IReadOnlyList<int> clusters, IReadOnlyList<int> labels)
    {
        if (clusters.Count != labels.Count || clusters.Count == 0) throw new ArgumentException($"Expected as many clusters as labels and at least one, found {clusters.Count} and {labels.Count}.");
        var table = new long[clusters.Max() + 1, labels.Max() + 1];
        var (rows, columns) = (new long[clusters.Max() + 1], new long[labels.Max() + 1]);
        for (var i = 0; i < clusters.Count; i++)
        {
            table[clusters[i], labels[i]]++;
            rows[clusters[i]]++;
            columns[labels[i]]++;
        }
        return (table, rows, columns);
    }
}
