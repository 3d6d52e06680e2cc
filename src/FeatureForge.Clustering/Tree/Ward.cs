// Size-weighted agglomeration by Ward's criterion (Ward 1963; update of Lance, Williams 1967): joins the two groups whose
// union raises the sum of squares least. Builds the levels above the leaves, where groups are few: quadratic memory is fine.
namespace FeatureForge.Clustering;

internal static class Ward
{
    /// <summary>All merges, first to last. Group numbers: 0..n-1 are the inputs, n + i is what merge i made.</summary>
    internal static IReadOnlyList<(int Left, int Right, double Height)> Merges(IReadOnlyList<float[]> centroids, IReadOnlyList<int> sizes)
    {
        var n = centroids.Count;
        var cost = new double[n, n];
        for (var i = 0; i < n; i++)
            for (var j = 0; j < n; j++) cost[i, j] = (double)sizes[i] * sizes[j] / (sizes[i] + sizes[j]) * Geometry.SquaredDistance(centroids[i], centroids[j]);

        var number = Enumerable.Range(0, n).ToArray(); // of the group in each slot
        var size = sizes.Select(count => (double)count).ToArray();
        var alive = Enumerable.Range(0, n).ToList();
        var merges = new List<(int, int, double)>();
        // The cheapest partner of each slot among later ones; recomputed only where a merge touched it.
        var nearest = new int[n];
        void Refresh(int at)
        {
            var slot = alive[at];
            nearest[slot] = -1;
            for (var other = at + 1; other < alive.Count; other++)
                if (nearest[slot] < 0 || cost[slot, alive[other]] < cost[slot, nearest[slot]]) nearest[slot] = alive[other];
        }
        for (var at = 0; at < n; at++) Refresh(at);
        while (alive.Count > 1)
        {
            var left = alive[0];
            foreach (var slot in alive)
                if (nearest[slot] >= 0 && cost[slot, nearest[slot]] < cost[left, nearest[left]]) left = slot;
            var right = nearest[left];

            var height = cost[left, right];
            merges.Add((number[left], number[right], height));
            foreach (var other in alive.Where(slot => slot != left && slot != right))
                cost[left, other] = cost[other, left] = ((size[left] + size[other]) * cost[left, other] + (size[right] + size[other]) * cost[right, other]
                    - size[other] * height) / (size[left] + size[right] + size[other]);
            size[left] += size[right];
            number[left] = n + merges.Count - 1;
            alive.Remove(right);
            for (var at = 0; at < alive.Count; at++)
            {
                var slot = alive[at];
                if (slot == left || nearest[slot] == left || nearest[slot] == right) Refresh(at);
                else if (slot < left && cost[slot, left] < cost[slot, nearest[slot]]) nearest[slot] = left;
            }
        }
        return merges;
    }

    /// <summary>The group of each input when <paramref name="groups"/> are left.</summary>
    internal static int[] Cut(IReadOnlyList<(int Left, int Right, double Height)> merges, int inputs, int groups)
    {
        var parent = new int[inputs + merges.Count];
        Array.Fill(parent, -1);
        for (var i = 0; i < inputs - groups; i++) parent[merges[i].Left] = parent[merges[i].Right] = inputs + i;
        return [.. Enumerable.Range(0, inputs).Select(node =>
        {
            while (parent[node] >= 0) node = parent[node];
            return node;
        })];
    }
}
