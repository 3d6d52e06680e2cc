// [ExtractRun] prepared corpus + encoder -> embeddings/SET: one vector per span, at every level and grain asked for.
// The unit of work is a prepared part: its files are whole or absent, so that a killed run repeats at most one part.
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Makes the vectors that an embedding set lacks and publishes it. Started again with the same run id it continues.</summary>
public static class ExtractRun
{
    /// <summary>A prepared part and the tables that lack it.</summary>
    private sealed record Unit(PreparedPart Part, IReadOnlyList<(string Level, Grain Grain)> Tables);

    /// <exception cref="BadRequestException">The request cannot be carried out; nothing was started.</exception>
    public static async Task<ExtractResult> ExecuteAsync(ExtractSpec spec, RunContext context, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        var start = context.Time.GetTimestamp();
        var corpus = context.Store.Corpus(spec.Corpus);
        var encoder = context.Store.Encoder(spec.Encoder);
        var existing = context.Store.FindSet(spec.Set);
        BadRequestException.ThrowIfAny(Conflicts(spec, encoder, existing));

        using var prepared = PreparedCorpus.Open(context.Store, spec.Corpus, encoder.Preparation);
        var tables = Tables(spec, existing);
        // A run that was killed while publishing finds its own parts in place: they count as its work, not as there before.
        var units = Units(prepared, tables, existing).ToList();
        // Shard runs leave their parts where the run that publishes looks for them.
        var work = spec.Shards is null ? context : context with { RunId = SharedName(spec, corpus, encoder, existing) };
        if (spec.Shard is { } shard)
        {
            var shards = ShareOut([.. units.Select(unit => unit.Part.Count)], spec.Shards!.Value);
            units = [.. units.Where((_, number) => shards[number] == shard)];
        }
        if (units.Count == 0 && existing is not null && existing.CorpusVersion == corpus.Version)
        {
            if (spec.Shard is null) new Publication(work).Finish();
            return Result(existing, 0, 0, context.Time.GetElapsedTime(start));
        }
        Directory.CreateDirectory(work.StagingFolder);
        var own = units.Select(unit => ExtractionFiles.RecordPath(work.StagingFolder, unit.Part.Number)).ToHashSet(StringComparer.Ordinal);
        context.Store.FetchFolder(work.StagingFolder, own.Contains);
        var records = await TorchThread.RunAsync("extract", () => Extract(spec, encoder, prepared, units, work, stop), context.Warning).ConfigureAwait(false);
        if (spec.Shard is not null)
        {
            // Where the store keeps them for the run that publishes, they need not lie here as well.
            context.Store.LetGoOfStaged([.. units.SelectMany(unit => unit.Tables.Select(table => ExtractionFiles.Staged(work.StagingFolder, table.Level, table.Grain, unit.Part.Number))), .. own]);
            return ShardResult(spec, encoder, existing, records, context.Time.GetElapsedTime(start));
        }
        var manifest = Publish(spec, corpus, encoder, prepared, tables, existing, units, records, work, context.RunId);
        return Result(manifest, records.Sum(record => record.Items), records.Sum(record => record.Rows.Values.Sum()), context.Time.GetElapsedTime(start));
    }

    /// <summary>Which shard computes which unit, the same for all shards of one request: the largest unit that is left goes to the shard that has the fewest items. By turns, full parts would meet in one shard and the last ones of every ingest in another.</summary>
    internal static int[] ShareOut(IReadOnlyList<int> items, int shards)
    {
        var shardOf = new int[items.Count];
        var loads = new PriorityQueue<int, (long Items, int Shard)>(Enumerable.Range(0, shards).Select(shard => (shard, (0L, shard))));
        foreach (var unit in Enumerable.Range(0, items.Count).OrderByDescending(unit => items[unit]))
        {
            loads.TryDequeue(out var shard, out var load);
            shardOf[unit] = shard;
            loads.Enqueue(shard, (load.Items + items[unit], shard));
        }
        return shardOf;
    }

    // The same for all shards of one request about one state of the store, and for no other.
    private static string SharedName(ExtractSpec spec, CorpusManifest corpus, EncoderManifest encoder, SetManifest? existing) =>
        "extract-" + ContentId.Of($"{JsonSerializer.Serialize(spec with { Shard = null, Device = "" }, SpecJson.Line)} {corpus.RunId} {corpus.Version} {encoder.EncoderId} {existing?.RunId} {existing?.UpdatedAt:O}")[..16];

    private static ExtractResult ShardResult(ExtractSpec spec, EncoderManifest encoder, SetManifest? existing, List<UnitRecord> records, TimeSpan elapsed) => new()
    {
        Set = spec.Set,
        EncoderId = encoder.EncoderId,
        Items = existing?.Items ?? 0,
        NewItems = records.Sum(record => record.Items),
        NewVectors = records.Sum(record => record.Rows.Values.Sum()),
        Tables = existing?.Tables ?? [],
        Seconds = elapsed.TotalSeconds,
    };

    private static List<string> Conflicts(ExtractSpec spec, EncoderManifest encoder, SetManifest? existing)
    {
        var problems = new List<string>();
        var known = encoder.Levels.Select(level => level.Name).ToList();
        foreach (var level in spec.Levels.Except(known)) problems.Add($"Encoder '{spec.Encoder}' has no level '{level}'; it has {string.Join(", ", known)}.");
        if (existing is null) return problems;
        if (existing.EncoderId != encoder.EncoderId)
            problems.Add($"Set '{spec.Set}' holds vectors of encoder '{existing.Encoder}' ({existing.EncoderId}); encoder '{spec.Encoder}' is {encoder.EncoderId}. Vectors of different encoders do not mix: name another set.");
        if (existing.Corpus != spec.Corpus) problems.Add($"Set '{spec.Set}' covers corpus '{existing.Corpus}', not '{spec.Corpus}'; name another set.");
        if (existing.Dtype != spec.Dtype) problems.Add($"Set '{spec.Set}' holds {existing.Dtype} vectors, the request asks for {spec.Dtype}; name another set.");
        return problems;
    }

    /// <summary>What the set is to have: what it has already, and what is asked for.</summary>
    private static List<(string Level, Grain Grain)> Tables(ExtractSpec spec, SetManifest? existing) =>
        [.. (existing?.Tables.Select(table => (table.Level, table.Grain)) ?? [])
            .Union(spec.Levels.SelectMany(level => spec.Grains.Select(grain => (level, grain))))];

    private static IEnumerable<Unit> Units(PreparedCorpus prepared, List<(string Level, Grain Grain)> tables, SetManifest? existing)
    {
        var present = (existing?.Tables ?? []).SelectMany(table => table.Parts.Select(part => part.Path)).ToHashSet();
        foreach (var part in prepared.Parts)
        {
            var missing = tables.Where(table => !present.Contains(ExtractionFiles.Relative(table.Level, table.Grain, part.Number))).ToList();
            if (missing.Count > 0) yield return new(part, missing);
        }
    }

    private static List<UnitRecord> Extract(ExtractSpec spec, EncoderManifest manifest, PreparedCorpus prepared, List<Unit> units, RunContext context, CancellationToken stop)
    {
        using var scope = NewDisposeScope();
        using var encoder = EncoderFile.Load(context.Store, manifest, DeviceChoice.Select(spec.Device));
        encoder.eval();
        context.Information($"Extracting {units.Sum(unit => unit.Part.Count)} items with encoder '{manifest.Name}' on {encoder.Device.type.ToString().ToLowerInvariant()}.");
        var records = units.Select(unit => ExtractionFiles.FindRecord(context.StagingFolder, unit.Part.Number)).ToList();
        var meter = new ProgressMeter(context, "extract", "items", units.Sum(unit => (long)unit.Part.Count), records.Sum(record => record?.Items ?? 0));
        // A unit's files are closed while the next one is computed.
        (PartWriters Writers, int Unit)? closing = null;
        void Close()
        {
            if (closing is not { } unit) return;
            records[unit.Unit] = unit.Writers.Complete();
            unit.Writers.Dispose();
            closing = null;
        }
        try
        {
            for (var u = 0; u < units.Count; u++)
            {
                if (records[u] is not null) continue;
                var writers = Writers(spec, manifest, units[u], context);
                try
                {
                    ExtractUnit(encoder, prepared, units[u], writers, meter, stop);
                    writers.CompleteAdding();
                    Close();
                }
                catch
                {
                    writers.Dispose();
                    throw;
                }
                closing = (writers, u);
            }
            Close();
        }
        finally { closing?.Writers.Dispose(); }
        return [.. records.Select(record => record!)];
    }

    private static PartWriters Writers(ExtractSpec spec, EncoderManifest manifest, Unit unit, RunContext context) =>
        new(context.Store, context.StagingFolder, unit.Part.Number, unit.Part.Count, [.. unit.Tables.Select(table =>
        {
            var level = manifest.Levels.First(level => level.Name == table.Level);
            return new EmbeddingHeader(manifest.Modality, manifest.EncoderId, manifest.PreprocessingId, table.Level, table.Grain, level.Dimension, level.Metric, spec.Dtype);
        })]);

    private static void ExtractUnit(Encoder encoder, PreparedCorpus prepared, Unit unit, PartWriters writers, ProgressMeter meter, CancellationToken stop)
    {
        var wanted = unit.Tables.ToHashSet();
        var (levels, grains) = (unit.Tables.Select(table => table.Level).Distinct().ToList(), unit.Tables.Select(table => table.Grain).Distinct().ToList());
        void Done(int items)
        {
            prepared.LetGo();
            meter.Add(items);
        }
        foreach (var vectors in SliceExtraction.Run(encoder, prepared, unit.Part.First, unit.Part.Count, levels, grains, stop, Done))
            if (wanted.Contains((vectors.Level, vectors.Grain))) writers.Add(vectors, stop);
    }

    private static SetManifest Publish(ExtractSpec spec, CorpusManifest corpus, EncoderManifest encoder, PreparedCorpus prepared, List<(string Level, Grain Grain)> tables,
        SetManifest? existing, List<Unit> units, List<UnitRecord> records, RunContext context, string runId)
    {
        var folder = context.Store.SetFolder(spec.Set);
        var publication = new Publication(context);
        var published = new List<SetTable>();
        foreach (var (level, grain) in tables)
        {
            var parts = existing?.Tables.FirstOrDefault(table => table.Level == level && table.Grain == grain)?.Parts.ToList() ?? [];
            for (var u = 0; u < units.Count; u++)
            {
                if (!units[u].Tables.Contains((level, grain))) continue;
                var number = units[u].Part.Number;
                parts.Add(publication.Add(ExtractionFiles.Staged(context.StagingFolder, level, grain, number), folder, ExtractionFiles.Relative(level, grain, number), records[u].Rows[ExtractionFiles.Key(level, grain)]));
            }
            var shape = encoder.Levels.First(found => found.Name == level);
            parts.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
            published.Add(new(level, grain, shape.Dimension, shape.Metric, parts.Sum(part => part.Rows), parts));
        }
        var manifest = new SetManifest
        {
            Name = spec.Set,
            Corpus = spec.Corpus,
            CorpusVersion = corpus.Version,
            Encoder = encoder.Name,
            EncoderId = encoder.EncoderId,
            PreprocessingId = encoder.PreprocessingId,
            Modality = encoder.Modality,
            Dtype = spec.Dtype,
            Items = prepared.Count,
            Tables = published,
            RunId = runId,
            UpdatedAt = context.Time.GetUtcNow(),
        };
        publication.Commit(Path.Combine(folder, "set.json"), manifest);
        publication.Finish();
        context.Information($"Published set '{spec.Set}': {manifest.Items} items, {published.Sum(table => table.Rows)} vectors in {published.Count} tables.");
        return manifest;
    }

    private static ExtractResult Result(SetManifest set, long newItems, long newVectors, TimeSpan elapsed) => new()
    {
        Set = set.Name,
        EncoderId = set.EncoderId,
        Items = set.Items,
        NewItems = newItems,
        NewVectors = newVectors,
        Tables = set.Tables,
        Seconds = elapsed.TotalSeconds,
    };
}
