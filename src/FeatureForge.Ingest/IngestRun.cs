// The ingest stage: what is found is decoded (DecodePump), and outcomes are taken in source order into parts of bounded size, which are staged one by one while the next is filled and published together at the end. A run killed anywhere and started again
// keeps its finished parts and ends with the same content.
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Files to items: every file becomes an item, a counted duplicate, or a row in quarantine.</summary>
public static class IngestRun
{
    /// <summary>Ingests what is new in the sources and publishes it.</summary>
    /// <exception cref="BadRequestException">The spec is wrong; nothing was started.</exception>
    /// <exception cref="InvalidDataException">More is quarantined than the spec allows; nothing was published.</exception>
    public static async Task<IngestResult> ExecuteAsync(IngestSpec spec, RunContext context, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        if (spec.Shard is not null) return await DecodeShardAsync(spec, context, stop);
        var known = await KnownCorpus.LoadAsync(context.Store, spec.Corpus, spec.Retry, stop);
        var parts = StagedPart.Load(context);
        // Killed after the manifest was written: what is staged is published already.
        var isPublished = known.Manifest?.RunId == context.RunId;
        if (isPublished && parts.Count > 0) return Finish(known.Manifest, parts);

        if (StagedPart.Overlap(context, parts, known))
        {
            context.Warning("Another run has brought items of the finished parts into the corpus meanwhile; starting over.");
            Directory.Delete(context.StagingFolder, recursive: true);
            parts.Clear();
        }
        if (parts.Count > 0) context.Information($"Resuming after {parts.Count} finished parts with {parts.Sum(part => part.ItemCount)} items.");
        var preparations = new PreparationChoice(known.Manifest, parts);
        var before = known.Manifest;
        var decoded = spec.Shards is null ? null : DecodedItems.Open(context.Store.FetchFolder(SharedFolder(spec, context, before)), Path.Combine(context.StagingFolder, "scratch"));
        await ReadAllAsync(spec, context, known, preparations, parts, decoded, stop);
        ThrowIfTooMuchIsBad(spec, parts);
        var publication = new CorpusPublication(context, spec, known, preparations, parts);
        var manifest = await publication.PublishAsync(stop);
        return Finish(manifest, parts) with { Retried = known.Retried?.Count ?? 0, LeftQuarantine = publication.LeftQuarantine };

        IngestResult Finish(CorpusManifest? manifest, IReadOnlyList<StagedPart> done)
        {
            if (manifest != null) context.Store.RemoveUnlisted(context.Store.CorpusFolder(manifest.Name), "quarantine", manifest.QuarantineParts);
            new Publication(context).Finish();
            if (spec.Shards is not null) RemoveShared(spec, context);
            var result = ResultOf(spec, manifest, done);
            context.Information($"Corpus {spec.Corpus}, version {result.CorpusVersion}: {result.Added} items added, of them {result.NearDuplicates} near duplicates, {result.Duplicates} duplicates, {result.AlreadyThere} already there, {result.Quarantined} quarantined.");
            return result;
        }
    }

    // What the shards of one request about one state of the corpus have in common with the run that publishes.
    private static string SharedFolder(IngestSpec spec, RunContext context, CorpusManifest? corpus) => context.Store.StagingFolder(SharedName(spec) + ContentId.Of($"{corpus?.RunId} {corpus?.Version}")[..8]);

    private static string SharedName(IngestSpec spec) =>
        "ingest-" + ContentId.Of(JsonSerializer.Serialize(spec with { Shard = null, MemoryBytes = WorkerMemory.DefaultBytes }, SpecJson.Line))[..16] + "-";

    // Killed after publishing, the run no longer knows the state before: whatever this request's shards have left is done with.
    private static void RemoveShared(IngestSpec spec, RunContext context)
    {
        foreach (var folder in context.Store.FoldersIn(context.Store.PathOf(".staging")).Where(folder => Path.GetFileName(folder).StartsWith(SharedName(spec), StringComparison.Ordinal))) context.Store.Remove(folder);
    }

    // A shard decodes what falls to it and leaves it where the run that publishes looks. Which that is says the name of each finding, not its place among others.
    private static async Task<IngestResult> DecodeShardAsync(IngestSpec spec, RunContext context, CancellationToken stop)
    {
        var known = await KnownCorpus.LoadAsync(context.Store, spec.Corpus, null, stop);
        var forms = new PreparationChoice(known.Manifest, []).Forms;
        var folder = Path.Combine(SharedFolder(spec, context, known.Manifest), $"shard-{spec.Shard:D5}");
        using var writer = DecodedWriter.Open(context.Store, folder);
        if (writer.Done > 0) context.Information($"Resuming after {writer.Done} files.");
        var meter = new ProgressMeter(context, "decode", "files", total: 0, alreadyDone: writer.Done);
        await new DecodePump(spec, context, known, new(writer.Keys), () => forms, known.HasItem, share: new(spec)).RunAsync(outcome =>
        {
            writer.Add(outcome);
            outcome.Samples?.Dispose();
            meter.Add(1);
            return Task.CompletedTask;
        }, stop);
        writer.Complete();
        context.Store.LetGoOfStaged(writer.Files);
        new Publication(context).Finish();
        context.Information($"Shard {spec.Shard + 1} of {spec.Shards}: {writer.Done} files decoded.");
        return ResultOf(spec, known.Manifest, []);
    }

    private static async Task ReadAllAsync(IngestSpec spec, RunContext context, KnownCorpus known, PreparationChoice preparations, List<StagedPart> parts, DecodedItems? decoded, CancellationToken stop)
    {
        var accepted = new AcceptedItems(known, parts.SelectMany(part => part.ReadKeys(context, StagedPart.IdsFile)));
        var settled = new SettledKeys(parts.SelectMany(part => part.ReadKeys(context, StagedPart.DoneFile)));
        var duplicates = await NearDuplicates.LoadAsync(spec.NearDuplicates, context, spec.Corpus, known.Manifest, parts, stop);
        var meter = new ProgressMeter(context, "ingest", "items", total: 0, alreadyDone: parts.Sum(part => (long)part.DoneCount));
        Task<StagedPart>? writing = null;
        try
        {
            var builder = new PartBuilder(context, preparations, parts.Count);
            await new DecodePump(spec, context, known, settled, () => preparations.Forms, accepted.Has, decoded).RunAsync(async outcome =>
            {
                Settle(outcome, builder, accepted, duplicates, known.Retried, spec, context);
                meter.Add(1);
                if (builder.IsFull) builder = await HandOverAsync(builder);
                // A part that cannot be written ends the run at once, not when the next one is full.
                if (writing is { IsFaulted: true }) await writing;
            }, stop);
            if (!builder.IsEmpty) await HandOverAsync(builder);
            if (writing != null) parts.Add(await writing);
        }
        finally
        {
            // A part under way is finished even when the run stops: it need not be made again.
            if (writing != null) await writing.ContinueWith(_ => { }, TaskScheduler.Default);
        }

        // One part is written while the next is filled; parts get their final names in order.
        async Task<PartBuilder> HandOverAsync(PartBuilder full)
        {
            if (writing != null) parts.Add(await writing);
            full.Close();
            writing = Task.Run(() => full.WriteAsync(CancellationToken.None), CancellationToken.None);
            return new(context, preparations, full.Number + 1);
        }
    }

    private static void Settle(Outcome outcome, PartBuilder part, AcceptedItems accepted, NearDuplicates duplicates, RetriedRows? retried, IngestSpec spec, RunContext context)
    {
        switch (outcome.Kind)
        {
            case OutcomeKind.Rejected:
                part.AddRejection(outcome with { Rejection = retried?.Counted(outcome.Rejection!) ?? outcome.Rejection });
                break;
            case OutcomeKind.KnownRejection:
                part.AddAlreadyQuarantined(outcome);
                break;
            case var _ when accepted.WasThereBefore(outcome.ItemId!):
                part.AddAlreadyThere(outcome, accepted.WasRemoved(outcome.ItemId!));
                break;
            case OutcomeKind.Item when accepted.Has(outcome.ItemId!):
                part.AddDuplicate(outcome);
                break;
            case OutcomeKind.Item when duplicates.FindOrAdd(outcome.Row!) is { } first:
                if (spec.DropNearDuplicates)
                {
                    part.AddRejection(outcome with { Rejection = NearDuplicateRejection(outcome, first, context) });
                    break;
                }
                accepted.Add(outcome.ItemId!);
                part.AddItem(outcome with { Row = outcome.Row! with { NearDuplicateOf = first } });
                break;
            case OutcomeKind.Item:
                accepted.Add(outcome.ItemId!);
                part.AddItem(outcome);
                break;
            default:
                part.AddDuplicate(outcome);
                break;
        }
    }

    private static Rejection NearDuplicateRejection(Outcome outcome, string first, RunContext context) =>
        new(outcome.Row!.Path, outcome.Row.SourceUri, outcome.Row.ByteSize, outcome.Sha256, "quality", RejectionCode.NearDuplicate,
            $"It nearly equals item {first}, and near duplicates are to be dropped. Ingest it without dropping to keep it.", 1, context.Time.GetUtcNow());

    private static void ThrowIfTooMuchIsBad(IngestSpec spec, IReadOnlyList<StagedPart> parts)
    {
        var (bad, all) = (parts.Sum(part => part.Quarantined.Values.Sum()), parts.Sum(part => (long)part.DoneCount));
        if (all > 0 && (double)bad / all > spec.MaxQuarantine)
            throw new InvalidDataException($"{bad} of {all} files are bad ({(double)bad / all:P1}); the spec allows {spec.MaxQuarantine:P1}. Nothing was published. Most frequent: {string.Join(", ", ByCode(parts).OrderByDescending(entry => entry.Value).Take(3).Select(entry => $"{entry.Value} {QuarantineTable.CodeName(entry.Key)}"))}.");
    }

    private static Dictionary<RejectionCode, long> ByCode(IReadOnlyList<StagedPart> parts) =>
        parts.SelectMany(part => part.Quarantined).GroupBy(entry => entry.Key).OrderBy(group => group.Key).ToDictionary(group => group.Key, group => group.Sum(entry => entry.Value));

    private static IngestResult ResultOf(IngestSpec spec, CorpusManifest? manifest, IReadOnlyList<StagedPart> parts) => new()
    {
        Corpus = spec.Corpus,
        CorpusVersion = manifest?.Version ?? 0,
        Added = parts.Sum(part => (long)part.ItemCount),
        Duplicates = parts.Sum(part => part.Duplicates),
        AlreadyThere = parts.Sum(part => part.AlreadyThere),
        StayRemoved = parts.Sum(part => part.StayRemoved),
        Quarantined = parts.Sum(part => part.Quarantined.Values.Sum()),
        AlreadyQuarantined = parts.Sum(part => part.AlreadyQuarantined),
        QuarantinedByCode = ByCode(parts),
        NearDuplicates = parts.Sum(part => part.NearDuplicates),
        Items = manifest?.Items ?? new Dictionary<Modality, long>(),
    };
}
