// HDBSCAN* from a spanning tree (Campello, Moulavi, Sander 2013; Campello et al. 2015; notions of McInnes, Healy 2017): single
// linkage, the condensed tree in which a split counts only when both sides have min_cluster_size rows, choice of clusters by
// excess of mass or of the leaves, strengths, soft memberships and outlier scores. Lambda is 1 / distance.
namespace FeatureForge.Clustering;

/// <summary>How clusters are chosen from the condensed tree.</summary>
internal enum DensitySelection
{
    ExcessOfMass,
    Leaf,
}

internal sealed class CondensedTree
{
    private readonly int _rows;
    private readonly List<Cluster> _clusters = [];
    private readonly int[] _home; // the condensed cluster a row falls out of
    private readonly double[] _lambda; // and when

    private sealed class Cluster(int parent, double birth, int size)
    {
        internal int Parent { get; } = parent;
        internal double Birth { get; } = birth;
        internal int Size { get; } = size;
        internal double Stability { get; set; }
        internal double Death { get; set; } // the last lambda at which something leaves it
        internal List<int> Children { get; } = [];
    }

    private CondensedTree(int rows)
    {
        _rows = rows;
        (_home, _lambda) = (new int[rows], new double[rows]);
    }

    /// <summary>Clusters in the order they are met from the root; the root is 0 and never chosen.</summary>
    internal int Count => _clusters.Count;

    /// <param name="edges">n - 1 edges by rising weight.</param>
    internal static CondensedTree Of(IReadOnlyList<ReachabilityEdge> edges, int rows, int minClusterSize)
    {
        var merges = Merge(edges, rows);
        var tree = new CondensedTree(rows);
        tree.Condense(merges, minClusterSize, HighestLambda(edges));
        return tree;
    }

    private sealed record Merges(int[] Left, int[] Right, double[] Height, int[] Size);

    // Node n + i is what edge i joins.
    private static Merges Merge(IReadOnlyList<ReachabilityEdge> edges, int rows)
    {
        var merges = new Merges(new int[edges.Count], new int[edges.Count], new double[edges.Count], new int[edges.Count]);
        var parent = Enumerable.Range(0, rows + edges.Count).ToArray();
        int Find(int node)
        {
            while (parent[node] != node) node = parent[node] = parent[parent[node]];
            return node;
        }
        for (var i = 0; i < edges.Count; i++)
        {
            var (left, right) = (Find(edges[i].From), Find(edges[i].To));
            (merges.Left[i], merges.Right[i], merges.Height[i]) = (left, right, edges[i].Weight);
            merges.Size[i] = SizeOf(left) + SizeOf(right);
            parent[left] = parent[right] = rows + i;
        }
        return merges;

        int SizeOf(int node) => node < rows ? 1 : merges.Size[node - rows];
    }

    // Duplicates merge at distance 0: they count as a thousand times denser than the densest others, so that sums stay finite.
    private static double HighestLambda(IReadOnlyList<ReachabilityEdge> edges)
    {
        var least = edges.Where(edge => edge.Weight > 0).Select(edge => edge.Weight).DefaultIfEmpty(1).Min();
        return 1000 / Math.Max(least, 1e-300);
    }

    private void Condense(Merges merges, int minClusterSize, double highest)
    {
        _clusters.Add(new(-1, 0, _rows));
        if (_rows == 1) return;
        int SizeOf(int node) => node < _rows ? 1 : merges.Size[node - _rows];
        // Breadth first, so that clusters are numbered level by level.
        var queue = new Queue<(int Node, int Cluster)>();
        queue.Enqueue((_rows + merges.Left.Length - 1, 0));
        while (queue.Count > 0)
        {
            var (node, cluster) = queue.Dequeue();
            var (left, right, height) = (merges.Left[node - _rows], merges.Right[node - _rows], merges.Height[node - _rows]);
            var lambda = Math.Min(highest, 1 / height);
            var (wideLeft, wideRight) = (SizeOf(left) >= minClusterSize, SizeOf(right) >= minClusterSize);
            if (wideLeft && wideRight)
            {
                foreach (var child in (ReadOnlySpan<int>)[left, right])
                {
                    Leave(cluster, lambda, SizeOf(child));
                    _clusters[cluster].Children.Add(_clusters.Count);
                    _clusters.Add(new(cluster, lambda, SizeOf(child)));
                    if (child >= _rows) queue.Enqueue((child, _clusters.Count - 1));
                    else FallOut(child, _clusters.Count - 1, highest); // a cluster of one row
                }
                continue;
            }
            foreach (var (child, stays) in (ReadOnlySpan<(int, bool)>)[(left, wideLeft), (right, wideRight)])
                if (!stays) Drop(child, cluster, lambda, merges);
                else if (child >= _rows) queue.Enqueue((child, cluster));
        }
    }

    private void Leave(int cluster, double lambda, int size)
    {
        var from = _clusters[cluster];
        from.Stability += (lambda - from.Birth) * size;
        from.Death = Math.Max(from.Death, lambda);
    }

    private void Drop(int top, int cluster, double lambda, Merges merges)
    {
        var open = new Stack<int>();
        open.Push(top);
        while (open.Count > 0)
        {
            var node = open.Pop();
            if (node < _rows)
            {
                FallOut(node, cluster, lambda);
                continue;
            }
            open.Push(merges.Left[node - _rows]);
            open.Push(merges.Right[node - _rows]);
        }
    }

    private void FallOut(int row, int cluster, double lambda)
    {
        (_home[row], _lambda[row]) = (cluster, lambda);
        Leave(cluster, lambda, 1);
    }

    /// <summary>The chosen clusters, ascending.</summary>
    internal int[] Select(DensitySelection selection)
    {
        if (selection == DensitySelection.Leaf) return [.. Enumerable.Range(1, Count - 1).Where(cluster => _clusters[cluster].Children.Count == 0)];
        var best = _clusters.Select(cluster => cluster.Stability).ToArray();
        var chosen = new bool[Count];
        for (var cluster = Count - 1; cluster > 0; cluster--)
        {
            var below = _clusters[cluster].Children.Sum(child => best[child]);
            chosen[cluster] = _clusters[cluster].Children.Count == 0 || below <= best[cluster];
            if (!chosen[cluster]) best[cluster] = below;
        }
        // Top down: what lies in a chosen cluster is not one of its own.
        var covered = new bool[Count];
        for (var cluster = 1; cluster < Count; cluster++)
        {
            var parent = _clusters[cluster].Parent;
            covered[cluster] = covered[parent] || chosen[parent];
            chosen[cluster] &= !covered[cluster];
        }
        return [.. Enumerable.Range(1, Count - 1).Where(cluster => chosen[cluster])];
    }

    /// <summary>Per row the place of its cluster in <paramref name="chosen"/>, or -1 for noise, and its strength in [0,1].</summary>
    internal (int[] Labels, float[] Strength) Label(int[] chosen)
    {
        var owner = Owners(chosen);
        var (labels, strength) = (new int[_rows], new float[_rows]);
        for (var row = 0; row < _rows; row++)
        {
            labels[row] = owner[_home[row]];
            if (labels[row] < 0) continue;
            var death = _clusters[chosen[labels[row]]].Death;
            strength[row] = death > 0 ? (float)(Math.Min(_lambda[row], death) / death) : 1;
        }
        return (labels, strength);
    }

    private int[] Owners(int[] chosen)
    {
        var owner = new int[Count];
        Array.Fill(owner, -1);
        for (var i = 0; i < chosen.Length; i++) owner[chosen[i]] = i;
        for (var cluster = 1; cluster < Count; cluster++)
            if (owner[cluster] < 0 && _clusters[cluster].Parent >= 0) owner[cluster] = owner[_clusters[cluster].Parent];
        return owner;
    }

    /// <summary>
    /// Soft memberships of a row in the chosen clusters, summing to at most 1: for each the density at which row and cluster are still
    /// together, as a share of the row's own; normalised, times how surely the row is in any of them.
    /// </summary>
    internal double[] Soft(int row, int[] chosen)
    {
        // The ancestors of the row's last cluster and the density at which it was still in them.
        var until = new Dictionary<int, double>();
        var lambda = _lambda[row];
        for (var cluster = _home[row]; cluster >= 0; cluster = _clusters[cluster].Parent)
        {
            until[cluster] = lambda;
            lambda = _clusters[cluster].Birth;
        }
        var shares = new double[chosen.Length];
        var certain = 0.0;
        for (var i = 0; i < chosen.Length; i++)
        {
            var meeting = chosen[i];
            while (!until.ContainsKey(meeting)) meeting = _clusters[meeting].Parent;
            // Within the cluster itself the row's own density counts; otherwise both part when the meeting cluster splits.
            var together = meeting == chosen[i] ? _lambda[row] : until[meeting];
            shares[i] = together / _lambda[row];
            var death = _clusters[chosen[i]].Death;
            certain = Math.Max(certain, death > 0 ? Math.Min(1, together / death) : 1);
        }
        var sum = shares.Sum();
        return sum > 0 ? Array.ConvertAll(shares, share => share / sum * certain) : shares;
    }

    /// <summary>Outlier scores in [0,1] (GLOSH, Campello et al. 2015): 1 - the row's density over the highest below its last cluster.</summary>
    internal float[] OutlierScores()
    {
        var highest = _clusters.Select(cluster => cluster.Death).ToArray();
        for (var cluster = Count - 1; cluster > 0; cluster--) highest[_clusters[cluster].Parent] = Math.Max(highest[_clusters[cluster].Parent], highest[cluster]);
        return [.. Enumerable.Range(0, _rows).Select(row => highest[_home[row]] > 0 ? (float)(1 - _lambda[row] / highest[_home[row]]) : 0)];
    }

    /// <summary>Excess of mass of a cluster: the sum over its rows of the densities they stay through.</summary>
    internal double Stability(int cluster) => _clusters[cluster].Stability;
}
