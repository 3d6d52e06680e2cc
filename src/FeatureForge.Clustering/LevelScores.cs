// Which level of a set separates best, without labels: on the same sample of every level, communities of the neighbour graph
// must both stand apart (modularity) and come back in reruns on parts of the rows (adjusted Rand index).
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <param name="Best">The level of the highest score.</param>
/// <param name="Measures">separation.LEVEL: agreement times modularity, in [0,1], comparable between levels of one set.</param>
internal sealed record LevelScores(string Best, IReadOnlyDictionary<string, double> Measures)
{
    private const int SampledRows = 3000;
    /// <summary>Reading every level of more vectors than this would cost more than the answer is worth.</summary>
    private const long MostRows = 200_000;
    private const int Reruns = 3;
    private static readonly double[] _resolutions = [0.5, 1, 2, 4];

    /// <summary>Null when the set has one level of the grain only, or too many or too few vectors.</summary>
    internal static LevelScores? Of(Store store, SetVectors clustered, int seed, string device, Action<string, int, int> progress, CancellationToken stop)
    {
        var tables = clustered.Set.Tables.Where(table => table.Grain == clustered.Grain && table.Rows > 0).ToList();
        if (tables.Count < 2 || tables.Any(table => table.Rows > MostRows) || clustered.Rows < 30) return null;
        var scores = new SortedDictionary<string, double>(StringComparer.Ordinal);
        for (var i = 0; i < tables.Count; i++)
        {
            progress("levels", i, tables.Count);
            var vectors = tables[i].Level == clustered.Level ? clustered : SetVectors.Read(store, clustered.Set.Name, tables[i].Level, clustered.Grain, stop);
            scores[tables[i].Level] = Separation(vectors, seed, device, stop);
        }
        progress("levels", tables.Count, tables.Count);
        return new(scores.MaxBy(pair => pair.Value).Key, scores.ToDictionary(pair => $"separation.{pair.Key}", pair => pair.Value));
    }

    private static double Separation(SetVectors vectors, int seed, string device, CancellationToken stop)
    {
        var sample = FitSample.Of(vectors, SampledRows, seed);
        var neighbours = Neighbours.Among(sample.Values, sample.Count, vectors.Dimension, Math.Min(TreeMethod.NeighbourCount, sample.Count - 1), vectors.Metric, device, stop: stop);
        var graph = SimilarityGraph.Of(neighbours.Queries, NeighbourWeights.Of(neighbours).Once());
        var random = new CounterRandom(seed);
        var parts = Enumerable.Range(0, Reruns).Select(rerun => random.Stream(rerun).Sample(Math.Max(1, (int)(0.8 * graph.Nodes)), graph.Nodes)).ToList();
        var subgraphs = parts.ConvertAll(graph.Induced);
        return _resolutions.Max(resolution =>
        {
            var groups = Leiden.Partition(graph, resolution, random.Stream(10), stop);
            var agreement = parts.Select((kept, rerun) => Agreement.AdjustedRand(Leiden.Partition(subgraphs[rerun], resolution, random.Stream(11 + rerun), stop), Array.ConvertAll(kept, row => groups[row]))).Average();
            return Math.Max(0, agreement) * Math.Max(0, Modularity(graph, groups));
        });
    }

    private static double Modularity(SimilarityGraph graph, int[] groups)
    {
        var degrees = new double[groups.Max() + 1];
        double inside = 0;
        for (var node = 0; node < graph.Nodes; node++)
        {
            degrees[groups[node]] += graph.Degrees[node];
            for (var e = graph.Starts[node]; e < graph.Starts[node + 1]; e++)
                if (groups[graph.Targets[e]] == groups[node]) inside += graph.Weights[e];
        }
        return graph.TotalDegree > 0 ? inside / graph.TotalDegree - degrees.Sum(degree => degree / graph.TotalDegree * (degree / graph.TotalDegree)) : 0;
    }
}
