// Pairs the rows and columns of a sparse table so that the sum of the weights is largest, each used once: the Hungarian
// algorithm (Kuhn 1955; Munkres 1957) with shortest augmenting paths (Jonker, Volgenant 1987), component by component.
namespace FeatureForge.Clustering;

internal static class MaximumMatching
{
    /// <summary>Component sides beyond this are matched greedily, heaviest first: the cubic time would not pay.</summary>
    private const int LargestSide = 1500;

    /// <summary>The pairs chosen; weights are positive, what is not listed weighs 0 and is never chosen.</summary>
    internal static IReadOnlyList<(int Left, int Right)> Of(IReadOnlyList<(int Left, int Right, double Weight)> edges)
    {
        var chosen = new List<(int, int)>();
        foreach (var component in Components(edges))
        {
            var lefts = component.Select(edge => edge.Left).Distinct().Order().ToList();
            var rights = component.Select(edge => edge.Right).Distinct().Order().ToList();
            chosen.AddRange(Math.Max(lefts.Count, rights.Count) > LargestSide ? Greedy(component) : Exact(component, lefts, rights));
        }
        return [.. chosen.Order()];
    }

    private static IEnumerable<List<(int Left, int Right, double Weight)>> Components(IReadOnlyList<(int Left, int Right, double Weight)> edges)
    {
        var parent = new Dictionary<(bool, int), (bool, int)>();
        (bool, int) Root((bool, int) node)
        {
            parent.TryAdd(node, node);
            while (parent[node] != node) node = parent[node] = parent[parent[node]];
            return node;
        }
        foreach (var (left, right, _) in edges) parent[Root((false, left))] = Root((true, right));
        return edges.GroupBy(edge => Root((false, edge.Left))).Select(group => group.ToList());
    }

    private static IEnumerable<(int, int)> Greedy(List<(int Left, int Right, double Weight)> edges)
    {
        var (lefts, rights) = (new HashSet<int>(), new HashSet<int>());
        foreach (var (left, right, _) in edges.OrderByDescending(edge => edge.Weight).ThenBy(edge => edge.Left).ThenBy(edge => edge.Right))
        {
            if (lefts.Contains(left) || rights.Contains(right)) continue;
            lefts.Add(left);
            rights.Add(right);
            yield return (left, right);
        }
    }

    private static IEnumerable<(int, int)> Exact(List<(int Left, int Right, double Weight)> edges, List<int> lefts, List<int> rights)
    {
        var n = Math.Max(lefts.Count, rights.Count);
        var (leftNumber, rightNumber) = (Numbers(lefts), Numbers(rights));
        var cost = new double[n, n];
        foreach (var (left, right, weight) in edges) cost[leftNumber[left], rightNumber[right]] = -weight;
        var rowOf = Solve(cost, n);
        for (var column = 0; column < rights.Count; column++)
            if (rowOf[column] < lefts.Count && cost[rowOf[column], column] < 0) yield return (lefts[rowOf[column]], rights[column]);
    }

    private static Dictionary<int, int> Numbers(List<int> values) => values.Select((value, i) => (value, i)).ToDictionary(pair => pair.value, pair => pair.i);

    // Row of every column; rows and columns count from 1 inside, 0 stands for none.
    private static int[] Solve(double[,] cost, int n)
    {
        var (ofRow, ofColumn, row, way) = (new double[n + 1], new double[n + 1], new int[n + 1], new int[n + 1]);
        for (var i = 1; i <= n; i++)
        {
            row[0] = i;
            var column = 0;
            var least = Enumerable.Repeat(double.PositiveInfinity, n + 1).ToArray();
            var used = new bool[n + 1];
            do
            {
                used[column] = true;
                var (from, delta, next) = (row[column], double.PositiveInfinity, 0);
                for (var j = 1; j <= n; j++)
                {
                    if (used[j]) continue;
                    var reduced = cost[from - 1, j - 1] - ofRow[from] - ofColumn[j];
                    if (reduced < least[j]) (least[j], way[j]) = (reduced, column);
                    if (least[j] < delta) (delta, next) = (least[j], j);
                }
                for (var j = 0; j <= n; j++)
                {
                    if (used[j]) (ofRow[row[j]], ofColumn[j]) = (ofRow[row[j]] + delta, ofColumn[j] - delta);
                    else least[j] -= delta;
                }
                column = next;
            } while (row[column] != 0);
            for (; column != 0; column = way[column]) row[column] = row[way[column]];
        }
        return [.. row.Skip(1).Select(found => found - 1)];
    }
}
