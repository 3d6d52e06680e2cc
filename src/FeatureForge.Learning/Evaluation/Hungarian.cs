// The assignment problem in cubic time by shortest augmenting paths with potentials (Kuhn 1955; Jonker and Volgenant 1987).
namespace FeatureForge.Learning;

internal static class Hungarian
{
    /// <summary>For a square table of costs, the column of every row in the cheapest one-to-one matching.</summary>
    public static int[] Match(double[,] costs)
    {
        var size = costs.GetLength(0);
        if (costs.GetLength(1) != size) throw new ArgumentException($"Expected a square table of costs, found {size} x {costs.GetLength(1)}.");
        var rowPotential = new double[size + 1];
        var columnPotential = new double[size + 1];
        var rowOf = new int[size + 1]; // by column, both counted from 1; 0 = free
        for (var row = 1; row <= size; row++) Augment(costs, row, rowPotential, columnPotential, rowOf);
        var matching = new int[size];
        for (var column = 1; column <= size; column++) matching[rowOf[column] - 1] = column - 1;
        return matching;
    }

    private static void Augment(double[,] costs, int row, double[] rowPotential, double[] columnPotential, int[] rowOf)
    {
        var size = rowOf.Length - 1;
        var slack = Enumerable.Repeat(double.PositiveInfinity, size + 1).ToArray();
        var previous = new int[size + 1];
        var used = new bool[size + 1];
        rowOf[0] = row;
        var column = 0;
        do
        {
            used[column] = true;
            var (from, smallest, next) = (rowOf[column], double.PositiveInfinity, 0);
            for (var c = 1; c <= size; c++)
            {
                if (used[c]) continue;
                var reduced = costs[from - 1, c - 1] - rowPotential[from] - columnPotential[c];
                if (reduced < slack[c]) (slack[c], previous[c]) = (reduced, column);
                if (slack[c] < smallest) (smallest, next) = (slack[c], c);
            }
            for (var c = 0; c <= size; c++)
            {
                if (!used[c]) { slack[c] -= smallest; continue; }
                rowPotential[rowOf[c]] += smallest;
                columnPotential[c] -= smallest;
            }
            column = next;
        }
        while (rowOf[column] != 0);
        for (; column != 0; column = previous[column]) rowOf[column] = rowOf[previous[column]];
    }
}
