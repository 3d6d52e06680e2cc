// Builds a search index: micro-clusters of the streamed set, vectors written to their cells' places in mapped files, then the
// recall measured against all vectors and the fewest probes chosen that reach the target. Files lie in a folder of their own under
// .staging until they are whole; the manifest comes last. Killed anywhere, the old index, or none, stays in force.
using System.Diagnostics;
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>The request of an index.</summary>
public sealed record SearchIndexSpec
{
    public required string Set { get; init; }
    public string Level { get; init; } = Data.Level.High;
    public Grain Grain { get; init; } = Grain.Item;
    /// <summary>Null: four times the square root of the rows.</summary>
    public int? Cells { get; init; }
    /// <summary>Share of the true ten nearest that a search should find, in (0,1].</summary>
    public double Recall { get; init; } = 0.98;
    public int Seed { get; init; }

    /// <summary>Every problem of the request that can be seen without the store.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (Names.Problem("embedding set", Set) is { } set) problems.Add(set);
        if (Names.Problem("level", Level) is { } level) problems.Add(level);
        if (Cells is < 1) problems.Add($"The number of cells is {Cells}; expected at least 1.");
        if (Recall is not (> 0 and <= 1)) problems.Add($"The recall to reach is {Recall}; expected more than 0 and at most 1.");
        return problems;
    }
}

/// <summary>Builds indexes.</summary>
public static class SearchIndexBuild
{
    private const int ItemBytes = 20;
    private const int Queries = 200;
    private const int QueryNeighbours = 10;

    /// <exception cref="BadRequestException">The spec is wrong, or does not fit the store; nothing was changed.</exception>
    public static SearchIndexManifest Execute(SearchIndexSpec spec, Store store, TimeProvider time, Action<string, long, long>? progress = null, CancellationToken stop = default)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        var (set, table) = SetSearch.TableOf(store, spec.Set, spec.Level, spec.Grain);
        if (table.Rows is 0 or > int.MaxValue) throw new BadRequestException($"Embedding set '{spec.Set}' holds {table.Rows} vectors of level {spec.Level}; expected 1 to {int.MaxValue}.");
        var metric = VectorMetrics.Parse(table.Metric);
        var stream = new RowStream(table.Rows, table.Dimension, () => SetSearch.Blocks(store, set, table).Select(block => (block.Vectors, block.Rows)));
        var cells = (int)Math.Min(spec.Cells ?? Math.Max(1, 4 * (long)Math.Sqrt(table.Rows)), table.Rows);
        var found = MicroClusters.Fit(stream, new() { Cells = cells, Metric = metric, Seed = spec.Seed }, progress, stop);

        var staging = ScratchFolder.Begin(store, $"index-{Guid.NewGuid():n}");
        try
        {
            WriteFiles(staging, SetSearch.Blocks(store, set, table), table, metric, found, progress, stop);
            var manifest = new SearchIndexManifest
            {
                Set = spec.Set,
                EncoderId = set.EncoderId,
                Level = spec.Level,
                Grain = spec.Grain,
                Metric = table.Metric,
                Dimension = table.Dimension,
                Rows = table.Rows,
                Cells = cells,
                Probes = cells,
                TargetRecall = spec.Recall,
                Recall = 1,
                RecallNeighbours = QueryNeighbours,
                RecallQueries = 0,
                Measured = [],
                PartHashes = [.. table.Parts.Select(part => part.Sha256)],
                BuiltAt = time.GetUtcNow(),
            };
            using (var index = SearchIndex.Open(staging, manifest)) manifest = Measured(index, spec, progress, stop);
            Publish(store, staging, SearchIndex.Folder(store, spec.Set, spec.Level, spec.Grain), manifest);
            return manifest;
        }
        finally
        {
            if (Directory.Exists(staging)) Directory.Delete(staging, recursive: true);
        }
    }

    private static void WriteFiles(string folder, IEnumerable<EmbeddingBlock> blocks, SetTable table, VectorMetric metric, MicroClusterResult found, Action<string, long, long>? progress, CancellationToken stop)
    {
        var starts = new long[found.Cells + 1];
        for (var cell = 0; cell < found.Cells; cell++) starts[cell + 1] = starts[cell] + found.Sizes[cell];
        var next = starts[..found.Cells].ToArray();
        using var startFile = IndexFile<long>.Create(Path.Combine(folder, "starts.i64"), starts.Length);
        using var centroids = IndexFile<float>.Create(Path.Combine(folder, "centroids.f32"), found.Centroids.Length);
        using var vectors = IndexFile<float>.Create(Path.Combine(folder, "vectors.f32"), table.Rows * table.Dimension);
        using var items = IndexFile<byte>.Create(Path.Combine(folder, "items.bin"), table.Rows * ItemBytes);
        starts.CopyTo(startFile[0, starts.Length]);
        found.Centroids.CopyTo(centroids[0, found.Centroids.Length]);
        var row = 0;
        foreach (var block in blocks)
        {
            stop.ThrowIfCancellationRequested();
            for (var i = 0; i < block.Rows; i++, row++)
            {
                var place = next[found.Nearest[row]]++;
                var target = vectors[place * table.Dimension, table.Dimension];
                block.Vectors.AsSpan(i * table.Dimension, table.Dimension).CopyTo(target);
                if (metric == VectorMetric.Cosine) RowProducts.ToUnitLength(target);
                var item = items[place * ItemBytes, ItemBytes];
                Convert.FromHexString(block.ItemIds[i]).CopyTo(item);
                BitConverter.TryWriteBytes(item[16..], block.SpanIndex[i]);
            }
            progress?.Invoke("index", row, table.Rows);
        }
    }

    // Sampled rows ask for their neighbours: exactly, then with ever more probes until the target is reached.
    private static SearchIndexManifest Measured(SearchIndex index, SearchIndexSpec spec, Action<string, long, long>? progress, CancellationToken stop)
    {
        var manifest = index.Manifest;
        var k = (int)Math.Min(QueryNeighbours, manifest.Rows - 1);
        if (k < 1 || manifest.Cells == 1) return manifest;
        var asked = new CounterRandom(spec.Seed).Stream(9).Sample((int)Math.Min(Queries, manifest.Rows), (int)manifest.Rows);
        var exact = new int[asked.Length][];
        Parallel.For(0, asked.Length, new ParallelOptions { CancellationToken = stop }, i => exact[i] = index.Rows(index.Vector(asked[i]), k, manifest.Cells, asked[i]).Rows);
        var lines = new List<ProbeRecall>();
        for (var probes = 1; ; probes = Math.Min(2 * probes, manifest.Cells))
        {
            stop.ThrowIfCancellationRequested();
            progress?.Invoke("recall", probes, manifest.Cells);
            var clock = Stopwatch.GetTimestamp();
            var hit = 0;
            for (var i = 0; i < asked.Length; i++) hit += index.Rows(index.Vector(asked[i]), k, probes, asked[i]).Rows.Intersect(exact[i]).Count();
            lines.Add(new(probes, hit / (double)(asked.Length * k), Stopwatch.GetElapsedTime(clock).TotalMilliseconds / asked.Length));
            if (lines[^1].Recall >= spec.Recall || probes == manifest.Cells) break;
        }
        return manifest with { Probes = lines[^1].Probes, Recall = lines[^1].Recall, RecallNeighbours = k, RecallQueries = asked.Length, Measured = lines };
    }

    private static void Publish(Store store, string staging, string folder, SearchIndexManifest manifest)
    {
        var files = Directory.EnumerateFiles(staging).Where(file => Path.GetFileName(file) != ScratchFolder.Note).ToList();
        // Without its manifest the old index is none, whatever of the new one has arrived.
        store.Remove(Path.Combine(folder, "index.json"));
        foreach (var file in files) store.Put(file, Path.Combine(folder, Path.GetFileName(file)));
        store.WriteManifest(Path.Combine(folder, "index.json"), JsonSerializer.Serialize(manifest, SpecJson.Readable));
    }
}
