// The ingest stage: one reader walks the sources, several threads decode, and outcomes are taken in source order into parts
// of bounded size, which are staged one by one while the next is filled and published together at the end. A run killed anywhere and started again
// keeps its finished parts and ends with the same content.
using System.Threading.Channels;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Files to items: every file becomes an item, a counted duplicate, or a row in quarantine.</summary>
public static class IngestRun
{
    private const long WaitingBytes = 128 << 20;

    /// <summary>Ingests what is new in the sources and publishes it.</summary>
    /// <exception cref="BadRequestException">The spec is wrong; nothing was started.</exception>
    /// <exception cref="InvalidDataException">More is quarantined than the spec allows; nothing was published.</exception>
    public static async Task<IngestResult> ExecuteAsync(IngestSpec spec, RunContext context, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
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
        await ReadAllAsync(spec, context, known, preparations, parts, stop);
        ThrowIfTooMuchIsBad(spec, parts);
        var publication = new CorpusPublication(context, spec, known, preparations, parts);
        var manifest = await publication.PublishAsync(stop);
        return Finish(manifest, parts) with { Retried = known.Retried?.Count ?? 0, LeftQuarantine = publication.LeftQuarantine };

        IngestResult Finish(CorpusManifest? manifest, IReadOnlyList<StagedPart> done)
        {
            if (manifest != null) context.Store.RemoveUnlisted(context.Store.CorpusFolder(manifest.Name), "quarantine", manifest.QuarantineParts);
            new Publication(context).Finish();
            var result = ResultOf(spec, manifest, done);
            context.Information($"Corpus {spec.Corpus}, version {result.CorpusVersion}: {result.Added} items added, of them {result.NearDuplicates} near duplicates, {result.Duplicates} duplicates, {result.AlreadyThere} already there, {result.Quarantined} quarantined.");
            return result;
        }
    }

    private static async Task ReadAllAsync(IngestSpec spec, RunContext context, KnownCorpus known, PreparationChoice preparations, List<StagedPart> parts, CancellationToken stop)
    {
        var accepted = new AcceptedItems(known, parts.SelectMany(part => part.ReadKeys(context, StagedPart.IdsFile)));
        var settled = new SettledKeys(parts.SelectMany(part => part.ReadKeys(context, StagedPart.DoneFile)));
        var duplicates = await NearDuplicates.LoadAsync(spec.NearDuplicates, context, spec.Corpus, known.Manifest, parts, stop);
        var decoder = new ItemDecoder(spec, Path.Combine(context.StagingFolder, "scratch"), context.Time);
        using var flights = DecodeFlights.Open(context.StagingFolder, Environment.ProcessorCount + 1, context.Time, () => System.Diagnostics.Process.GetCurrentProcess().Kill());
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var gate = new MemoryGate(WaitingBytes);
        using var threads = new SemaphoreSlim(Environment.ProcessorCount);
        var queue = Channel.CreateBounded<Task<Outcome>>(2 * Environment.ProcessorCount);
        var reading = Task.Run(() => FeedAsync(spec, context, known, settled, queue.Writer, finding => DecodeAsync(finding, ended.Token), gate, ended.Token), ended.Token);
        var meter = new ProgressMeter(context, "ingest", "items", total: 0, alreadyDone: parts.Sum(part => (long)part.DoneCount));
        Task<StagedPart>? writing = null;
        try
        {
            DiskFullException.ThrowIfLess(context.StagingFolder, 0);
            var builder = new PartBuilder(context, preparations, parts.Count);
            await foreach (var decoding in queue.Reader.ReadAllAsync(stop))
            {
                var outcome = await decoding;
                // Every earlier file is settled; later ones in flight are small.
                if (outcome.Kind == OutcomeKind.TooBigForNow) outcome = await DecodeAloneAsync(outcome.Finding);
                Settle(outcome, builder, accepted, duplicates, known.Retried, spec, context);
                gate.Leave(outcome.GateBytes);
                meter.Add(1);
                if (builder.IsFull) builder = await HandOverAsync(builder);
                // A part that cannot be written ends the run at once, not when the next one is full.
                if (writing is { IsFaulted: true }) await writing;
            }
            await reading;
            if (!builder.IsEmpty) await HandOverAsync(builder);
            if (writing != null) parts.Add(await writing);
        }
        finally
        {
            // A part under way is finished even when the run stops: it need not be made again.
            if (writing != null) await writing.ContinueWith(_ => { }, TaskScheduler.Default);
            // No decoder may outlive the run: its scratch files and child processes go with it.
            await ended.CancelAsync();
            while (queue.Reader.TryRead(out var decoding)) await decoding.ContinueWith(_ => { }, TaskScheduler.Default);
            await reading.ContinueWith(_ => { }, TaskScheduler.Default);
            while (queue.Reader.TryRead(out var decoding)) await decoding.ContinueWith(_ => { }, TaskScheduler.Default);
        }

        // One part is written while the next is filled; parts get their final names in order.
        async Task<PartBuilder> HandOverAsync(PartBuilder full)
        {
            if (writing != null) parts.Add(await writing);
            full.Close();
            writing = Task.Run(() => full.WriteAsync(CancellationToken.None), CancellationToken.None);
            return new(context, preparations, full.Number + 1);
        }

        async Task<Outcome> DecodeAsync(Finding finding, CancellationToken token)
        {
            await threads.WaitAsync(token);
            try { return Decode(finding, alone: false); }
            finally { threads.Release(); }
        }

        // Suspects have the process to themselves: if it ends, it was they.
        async Task<Outcome> DecodeAloneAsync(Finding finding)
        {
            var wanted = flights.VerdictOf(StagedPart.ShortKey(StagedPart.KeyOf(finding))) == FlightVerdict.Suspect ? Environment.ProcessorCount : 0;
            var taken = 0;
            try
            {
                for (; taken < wanted; taken++) await threads.WaitAsync(stop);
                return Decode(finding, alone: true);
            }
            finally
            {
                if (taken > 0) threads.Release(taken);
            }
        }

        Outcome Decode(Finding finding, bool alone)
        {
            if (finding.Candidate is null) return decoder.Decode(finding, preparations.Forms, accepted.Has, known.HasRejection, alone, FlightVerdict.Clear, ended.Token);
            var key = StagedPart.ShortKey(StagedPart.KeyOf(finding));
            var verdict = flights.VerdictOf(key);
            using var flight = verdict == FlightVerdict.Clear || (verdict == FlightVerdict.Suspect && alone) ? flights.Begin(key, decoder.LimitOf(finding)) : null;
            return decoder.Decode(finding, preparations.Forms, accepted.Has, known.HasRejection, alone, verdict, ended.Token);
        }
    }

    private static async Task FeedAsync(IngestSpec spec, RunContext context, KnownCorpus known, SettledKeys settled, ChannelWriter<Task<Outcome>> queue, Func<Finding, Task<Outcome>> decode, MemoryGate gate, CancellationToken stop)
    {
        Exception? failure = null;
        try
        {
            var setting = new SourceSetting
            {
                StoreFolder = context.Store.Root,
                ScratchFolder = Path.Combine(context.StagingFolder, "sources"),
                Gate = gate,
                Time = context.Time,
                IsSettled = settled.Has,
                IsWanted = uri => known.Retried?.WantsFile(uri) ?? true,
                IsKnownItem = id => known.HasItem(id),
                IsKnownBad = known.HasRejection,
                MemoryOfServers = Path.Combine(context.Store.Root, ".servers", spec.Corpus + ".db"),
            };
            foreach (var finding in new SourceReader(spec, setting, stop).Findings())
            {
                stop.ThrowIfCancellationRequested();
                if (settled.Take(StagedPart.KeyOf(finding)) || known.Retried?.Wants(finding) == false)
                {
                    gate.Leave(finding.Candidate is FileCandidate { Bytes: { } bytes } ? bytes.Length : 0);
                    continue;
                }
                await queue.WriteAsync(Task.Run(() => decode(finding), stop), stop);
            }
        }
        catch (Exception error)
        {
            failure = error;
        }
        queue.Complete(failure);
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
