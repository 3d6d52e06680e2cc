// Communities by the Leiden algorithm (Traag, Waltman, van Eck 2019, arXiv 1810.08473) on modularity with a resolution
// (Reichardt, Bornholdt 2006). Our deviation: the refinement joins the best community instead of drawing one at random,
// so a seed matters only through the order in which nodes are visited.
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

internal static class Leiden
{
    /// <summary>Passes over all levels; each starts from what the one before found.</summary>
    internal const int Rounds = 8;

    /// <summary>Community per node, numbered 0.. by their first node. Connected by construction.</summary>
    /// <param name="resolution">Higher gives more and smaller communities; 1 is plain modularity.</param>
    internal static int[] Partition(SimilarityGraph graph, double resolution, CounterRandom random, CancellationToken stop, int rounds = Rounds)
    {
        var best = Singletons(graph.Nodes);
        for (var round = 0; round < rounds; round++)
        {
            var next = Improve(graph, best, resolution, random.Stream(round), stop);
            if (next.AsSpan().SequenceEqual(best)) break;
            best = next;
        }
        return best;
    }

    /// <summary>Renumbers groups 0.. in the order of their first node.</summary>
    internal static int[] Renumbered(int[] groups, out int count)
    {
        var names = new Dictionary<int, int>();
        var renumbered = new int[groups.Length];
        for (var i = 0; i < groups.Length; i++)
        {
            if (!names.TryGetValue(groups[i], out var name)) names.Add(groups[i], name = names.Count);
            renumbered[i] = name;
        }
        count = names.Count;
        return renumbered;
    }

    // One pass over all levels: move nodes, refine, aggregate, until nothing aggregates any more.
    private static int[] Improve(SimilarityGraph graph, int[] start, double resolution, CounterRandom random, CancellationToken stop)
    {
        var nodeOf = Singletons(graph.Nodes); // point -> node of the current level
        var communities = start;
        for (var level = 0; ; level++)
        {
            stop.ThrowIfCancellationRequested();
            communities = Renumbered(Move(graph, communities, null, resolution, random.Stream(2 * level)), out var count);
            if (count == graph.Nodes) break;

            var refined = Renumbered(Move(graph, Singletons(graph.Nodes), communities, resolution, random.Stream(2 * level + 1)), out var parts);
            if (parts == graph.Nodes) (refined, parts) = (communities, count);
            var partCommunity = new int[parts];
            for (var i = 0; i < graph.Nodes; i++) partCommunity[refined[i]] = communities[i];
            graph = graph.Aggregate(refined, parts);
            nodeOf = Array.ConvertAll(nodeOf, node => refined[node]);
            communities = partCommunity;
        }
        return Renumbered(Array.ConvertAll(nodeOf, node => communities[node]), out _);
    }

    private static int[] Singletons(int nodes) => [.. Enumerable.Range(0, nodes)];

    /// <summary>
    /// Moves nodes to the neighbouring community of highest gain until no move gains. With <paramref name="within"/> (the
    /// refinement) only nodes that are alone move, each once, and only inside their community of that partition.
    /// </summary>
    private static int[] Move(SimilarityGraph graph, int[] start, int[]? within, double resolution, CounterRandom random)
    {
        var communities = (int[])start.Clone();
        var capacity = Math.Max(graph.Nodes, start.Length == 0 ? 0 : start.Max() + 1);
        var degrees = new double[capacity];
        var sizes = new int[capacity];
        for (var i = 0; i < graph.Nodes; i++)
        {
            degrees[communities[i]] += graph.Degrees[i];
            sizes[communities[i]]++;
        }
        var empty = new Stack<int>(Enumerable.Range(0, capacity).Where(community => sizes[community] == 0).Reverse());
        var weightTo = new double[capacity];
        var touched = new List<int>();
        var queued = new bool[graph.Nodes];
        var queue = new Queue<int>(Shuffled(graph.Nodes, random));
        Array.Fill(queued, true);
        var perDegree = graph.TotalDegree > 0 ? resolution / graph.TotalDegree : 0;

        while (queue.TryDequeue(out var node))
        {
            queued[node] = false;
            var own = communities[node];
            if (within is not null && sizes[own] > 1) continue;
            for (var e = graph.Starts[node]; e < graph.Starts[node + 1]; e++)
            {
                if (within is not null && within[graph.Targets[e]] != within[node]) continue;
                var community = communities[graph.Targets[e]];
                if (weightTo[community] == 0) touched.Add(community);
                weightTo[community] += graph.Weights[e];
            }

            degrees[own] -= graph.Degrees[node];
            var cost = perDegree * graph.Degrees[node];
            var (best, bestGain) = (own, weightTo[own] - cost * degrees[own]);
            foreach (var community in touched)
            {
                var gain = weightTo[community] - cost * degrees[community];
                if (gain > bestGain + 1e-12) (best, bestGain) = (community, gain);
            }
            if (bestGain < -1e-12 && within is null && sizes[own] > 1) best = empty.Pop();
            degrees[best] += graph.Degrees[node];
            foreach (var community in touched) weightTo[community] = 0;
            touched.Clear();
            if (best == own) continue;

            if (--sizes[own] == 0) empty.Push(own);
            sizes[best]++;
            communities[node] = best;
            if (within is not null) continue;
            for (var e = graph.Starts[node]; e < graph.Starts[node + 1]; e++)
            {
                var neighbour = graph.Targets[e];
                if (queued[neighbour] || communities[neighbour] == best) continue;
                queued[neighbour] = true;
                queue.Enqueue(neighbour);
            }
        }
        return communities;
    }

    private static int[] Shuffled(int count, CounterRandom random)
    {
        var order = Singletons(count);
        for (var i = count - 1; i > 0; i--)
        {
            var other = random.Below(i, i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }
        return order;
    }
}
