// Makes the prepared forms that a corpus lacks for one preparation, part by part, from the items themselves.
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Which prepared form of which corpus to complete.</summary>
public sealed record PrepareSpec
{
    public required string Corpus { get; init; }
    /// <summary>At which size or rate.</summary>
    public required PreparationSpec Preparation { get; init; }

    /// <summary>One sentence per problem; empty when the run may start.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (Names.Problem("corpus", Corpus) is { } name) problems.Add(name);
        var (size, rate) = (Preparation.ImageSize, Preparation.SampleRate);
        if (Preparation.Modality == Modality.Image && size is not (>= 8 and <= 1024)) problems.Add($"The prepared image size is {size}; expected 8 to 1024 pixels.");
        if (Preparation.Modality == Modality.Audio && rate is not (>= 1000 and <= 192000)) problems.Add($"The prepared sample rate is {rate}; expected 1000 to 192000 Hz.");
        return problems;
    }
}

/// <summary>What a prepare run did.</summary>
/// <param name="Parts">Parts made now; 0 when nothing was missing.</param>
/// <param name="Prepared">Items in them.</param>
/// <param name="Failed">Items that could not be decoded again (their file has gone or changed); they are left out.</param>
public sealed record PrepareResult(string Corpus, string PreparationHash, int Parts, long Prepared, long Failed);

/// <summary>Corpus items to prepared Arrow parts.</summary>
public static class PrepareRun
{
    /// <summary>Makes the missing parts and publishes them together.</summary>
    /// <exception cref="BadRequestException">The spec is wrong or the corpus does not exist.</exception>
    public static async Task<PrepareResult> ExecuteAsync(PrepareSpec spec, RunContext context, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        var corpus = context.Store.Corpus(spec.Corpus);
        var folder = context.Store.CorpusFolder(spec.Corpus);
        var there = PreparedCorpus.FindManifest(context.Store, spec.Corpus, spec.Preparation)?.Parts.Select(CorpusPublication.NumberOf).ToHashSet() ?? [];
        var missing = corpus.ItemParts.Where(part => !there.Contains(CorpusPublication.NumberOf(part))).ToList();
        var meter = new ProgressMeter(context, "prepare", "items", missing.Sum(part => part.Rows));
        var made = new List<(string Staged, int Number, long Rows, int Pieces)>();
        var failed = 0L;
        foreach (var part in missing)
        {
            var staged = Path.Combine(context.StagingFolder, $"part-{CorpusPublication.NumberOf(part):D5}.arrow");
            // Finished before the run was killed: its counts were written last.
            var counts = ReadCounts(staged) ?? await PreparePartAsync(spec, context, context.Store.FileOf(folder, part), staged, meter, stop);
            failed += counts.Failed;
            if (counts.Rows > 0) made.Add((staged, CorpusPublication.NumberOf(part), counts.Rows, counts.Pieces));
        }
        if (made.Count > 0) CorpusPublication.PublishPrepared(context, spec.Corpus, spec.Preparation, made);
        new Publication(context).Finish();
        return new(spec.Corpus, spec.Preparation.Hash, made.Count, made.Sum(part => part.Rows), failed);
    }

    private sealed record PartCounts(long Rows, long Failed, int Pieces = 1);

    private static PartCounts? ReadCounts(string staged) =>
        File.Exists(staged + ".json") ? JsonSerializer.Deserialize<PartCounts>(File.ReadAllText(staged + ".json"), SpecJson.Line) : null;

    private static async Task<PartCounts> PreparePartAsync(PrepareSpec spec, RunContext context, string itemsPath, string staged, ProgressMeter meter, CancellationToken stop)
    {
        var (rows, failed) = (0L, 0L);
        var unfinished = Path.Combine(Path.GetDirectoryName(staged)!, $"unfinished-{Path.GetFileName(staged)}");
        var pieces = 1;
        using (var writer = new PreparedPartWriter(unfinished, spec.Preparation))
        {
            await foreach (var row in ItemsTable.ReadAsync(itemsPath, withContent: true, stop))
            {
                stop.ThrowIfCancellationRequested();
                meter.Add(1);
                if (row.Modality != spec.Preparation.Modality) continue;
                try
                {
                    PreparedItem.Add(writer, spec.Preparation, Decode(row, spec.Preparation, context, stop));
                    rows++;
                }
                catch (Exception error) when (error is MediaRejectedException or IOException or UnauthorizedAccessException)
                {
                    failed++;
                    context.Warning($"Item {row.ItemId} ({row.Path}) cannot be decoded again and is left out: {error.Message}");
                }
            }
            writer.Complete();
            pieces = writer.Pieces;
        }
        for (var piece = 0; piece < pieces; piece++) File.Move(PreparedPartWriter.PiecePath(unfinished, piece), PreparedPartWriter.PiecePath(staged, piece), overwrite: true);
        var counts = new PartCounts(rows, failed, pieces);
        DurableFile.WriteAllText(staged + ".json", JsonSerializer.Serialize(counts, SpecJson.Line));
        return counts;
    }

    private static Outcome Decode(ItemRow row, PreparationSpec preparation, RunContext context, CancellationToken stop)
    {
        var outcome = new Outcome { Kind = OutcomeKind.Item, Finding = default, Row = row, ItemId = row.ItemId };
        return preparation.Modality switch
        {
            Modality.Image => outcome with { Images = StoredItem.Image(row, [preparation.ImageSize!.Value]).Forms },
            Modality.Audio => outcome with { Samples = StoredItem.Audio(row, preparation.SampleRate!.Value, Path.Combine(context.StagingFolder, "scratch"), stop).Samples },
            _ => outcome,
        };
    }
}
