// Duplicates by meaning (after SemDeDup: Abbas et al. 2023, arXiv 2303.09540): items whose vectors are nearly the same. What
// is kept: an item with many near-duplicates before its duplicates, so that everything dropped lies within the threshold of
// something kept, and nothing kept within the threshold of something else that is.
using System.Globalization;
using System.Text;
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;

namespace FeatureForge.Clustering;

/// <summary>Leave near-duplicate items of a set out: as a new corpus, as a list, or both.</summary>
public sealed record DedupSpec
{
    public required string Set { get; init; }
    public string Level { get; init; } = Data.Level.High;
    /// <summary>Cosine similarity from which two items are duplicates, in (0,1].</summary>
    public double Threshold { get; init; } = 0.95;
    /// <summary>The corpus to make of what is kept; a new name.</summary>
    public string? Corpus { get; init; }
    /// <summary>A CSV file to write: item_id, duplicate_of, similarity.</summary>
    public string? List { get; init; }
    public int Seed { get; init; }
    /// <summary>auto, cpu or cuda.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Every problem of the request that can be seen without the store.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        void Check(string? problem) { if (problem is not null) problems.Add(problem); }
        Check(Names.Problem("embedding set", Set));
        foreach (var level in Level.Split('+')) Check(Names.Problem("level", level));
        if (Corpus is not null) Check(Names.Problem("corpus", Corpus));
        if (Corpus is null && List is null) Check("Nothing to write is named; name a new corpus, a list file, or both.");
        if (Threshold is not (> 0 and <= 1)) Check($"The threshold is {Threshold}; expected a cosine similarity above 0 and at most 1.");
        Check(DeviceChoice.Problem(Device));
        return problems;
    }
}

/// <summary>What a dedup run found.</summary>
/// <param name="Groups">Kept items that stand for others.</param>
public sealed record DedupResult(string Set, long Items, long Kept, long Duplicates, long Groups, string? Corpus, string? List, double Seconds);

/// <summary>Runs a <see cref="DedupSpec"/>.</summary>
public static class DedupRun
{
    private const int Neighbourhood = 32;
    /// <summary>Rows of one cell where not all pairs are compared: duplicates fall into the same cell.</summary>
    private const int CellRows = 2000;
    /// <summary>Rows that are given their cells at once.</summary>
    private const int AssignedRows = 1 << 16;
    private const double Rounding = 1e-6;

    /// <summary>Finds the duplicates and publishes what was asked for.</summary>
    /// <exception cref="BadRequestException">The spec is wrong, or does not fit the store; nothing was changed.</exception>
    public static async Task<DedupResult> ExecuteAsync(DedupSpec spec, RunContext context, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        var started = context.Time.GetTimestamp();
        if (spec.Corpus is not null) SubsetCorpus.Check(context.Store, spec.Corpus, context.RunId);
        var set = context.Store.Set(spec.Set);
        var source = context.Store.Corpus(set.Corpus);

        var (vectors, of) = await Task.Factory.StartNew(() => Compute(spec, context, stop), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        var kept = Enumerable.Range(0, vectors.Rows).Where(row => of[row].Row < 0).Select(row => vectors.ItemIds[row]).Concat(vectors.LeftOut).ToHashSet(StringComparer.Ordinal);
        if (spec.List is { } list)
        {
            var text = new StringBuilder("item_id,duplicate_of,similarity\n");
            for (var row = 0; row < vectors.Rows; row++)
                if (of[row].Row >= 0) text.Append(CultureInfo.InvariantCulture, $"{vectors.ItemIds[row]},{vectors.ItemIds[of[row].Row]},{of[row].Similarity:f6}\n");
            DurableFile.WriteAllText(list, text.ToString());
        }
        if (spec.Corpus is { } corpus) await SubsetCorpus.PublishAsync(context, source, corpus, kept, stop);
        new Publication(context).Finish();
        var duplicates = of.Count(one => one.Row >= 0);
        context.Information($"{duplicates} of {vectors.Rows} items of set '{spec.Set}' are duplicates at cosine {spec.Threshold}.");
        return new(spec.Set, vectors.Rows, kept.Count, duplicates, of.Where(one => one.Row >= 0).Select(one => one.Row).Distinct().Count(), spec.Corpus, spec.List, context.Time.GetElapsedTime(started).TotalSeconds);
    }

    private static (SetVectors Vectors, (int Row, float Similarity)[] Of) Compute(DedupSpec spec, RunContext context, CancellationToken stop)
    {
        var vectors = SetVectors.Read(context.Store, spec.Set, spec.Level, Grain.Item, stop, context.StagingFolder, VectorMetric.Cosine);
        vectors.SayWhatIsLeftOut(context);
        return (vectors, Duplicates(vectors, spec.Threshold, spec.Seed, spec.Device, new PhaseProgress(context).Report, stop));
    }

    /// <summary>Per row the kept row it repeats and their similarity; -1 for rows that are kept.</summary>
    internal static (int Row, float Similarity)[] Duplicates(SetVectors vectors, double threshold, int seed, string device, Action<string, int, int> progress, CancellationToken stop)
    {
        var near = new List<(int Row, float Similarity)>[vectors.Rows];
        for (var row = 0; row < near.Length; row++) near[row] = [];
        foreach (var cell in Cells(vectors, seed, device, progress, stop))
        {
            if (cell.Length < 2) continue;
            var part = cell.Length == vectors.Rows ? vectors : vectors.Of(cell);
            var table = Neighbours.Among(part.Values.ToArray(), part.Rows, part.Dimension, Math.Min(Neighbourhood, part.Rows - 1), VectorMetric.Cosine, device,
                cell.Length == vectors.Rows ? (done, total) => progress("neighbours", done, total) : null, stop);
            for (var i = 0; i < table.Index.Length; i++)
            {
                if (1 - table.Distance[i] < threshold - Rounding) continue;
                var (from, to) = (cell[i / table.K], cell[table.Index[i]]);
                near[from].Add((to, 1 - table.Distance[i]));
                near[to].Add((from, 1 - table.Distance[i]));
            }
        }
        var of = Enumerable.Repeat((Row: -1, Similarity: 0f), vectors.Rows).ToArray();
        foreach (var row in Enumerable.Range(0, vectors.Rows).OrderByDescending(row => near[row].Count).ThenBy(row => row))
        {
            if (of[row].Row >= 0) continue;
            foreach (var (other, similarity) in near[row])
                if (of[other].Row < 0 && other != row && !IsKeptBefore(other)) of[other] = (row, similarity);
            bool IsKeptBefore(int other) => near[other].Count > near[row].Count || (near[other].Count == near[row].Count && other < row);
        }
        return of;
    }

    private static IEnumerable<int[]> Cells(SetVectors vectors, int seed, string device, Action<string, int, int> progress, CancellationToken stop)
    {
        if (vectors.Rows <= ClusterRun.GraphRows) return [[.. Enumerable.Range(0, vectors.Rows)]];
        var sample = FitSample.Of(vectors, ClusterRun.GraphRows, seed);
        var fit = KMeans.Fit(sample.Values, sample.Count, vectors.Dimension, new() { Clusters = Math.Max(2, vectors.Rows / CellRows), Metric = VectorMetric.Cosine, Iterations = 10, Restarts = 1, Seed = seed }, device,
            (done, total) => progress("cells", done, total), stop);
        using var scope = torch.NewDisposeScope();
        var on = DeviceChoice.Select(device);
        var centroids = HostCopies.ToTensor(fit.Centroids, [fit.Centroids.Length / vectors.Dimension, vectors.Dimension], on);
        var cell = new List<int>(vectors.Rows);
        while (cell.Count < vectors.Rows)
        {
            stop.ThrowIfCancellationRequested();
            using var step = torch.NewDisposeScope();
            var count = Math.Min(AssignedRows, vectors.Rows - cell.Count);
            cell.AddRange(KMeans.Assign(HostCopies.ToTensor(vectors.Values.Block(cell.Count, count), [count, vectors.Dimension], on), centroids, VectorMetric.Cosine).Assignment);
        }
        return [.. Enumerable.Range(0, vectors.Rows).GroupBy(row => cell[row]).OrderBy(group => group.Key).Select(group => group.ToArray())];
    }
}
