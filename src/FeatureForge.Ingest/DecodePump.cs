// What every ingest does before it sorts out what came of it: one reader walks the sources, several threads decode, and outcomes are handed on in
// source order. What the reader holds and nobody has taken is bounded.
using System.Threading.Channels;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <param name="forms">Which prepared forms are wanted now.</param>
/// <param name="isKnown">Whether an item needs no decoding: the corpus or the run so far has it.</param>
/// <param name="decoded">What shards have decoded already; null: nothing.</param>
/// <param name="share">Which findings this run is to decode; others are passed over. Null: all.</param>
internal sealed class DecodePump(IngestSpec spec, RunContext context, KnownCorpus known, SettledKeys settled, Func<PreparedForms> forms, Func<string, bool> isKnown, DecodedItems? decoded = null, ShardShare? share = null)
{
    private const long WaitingBytes = 128 << 20;

    private readonly ItemDecoder _decoder = new(spec, Path.Combine(context.StagingFolder, "scratch"), context.Time);
    private readonly MemoryGate _gate = new(WaitingBytes);

    /// <summary>Calls <paramref name="take"/> with every outcome, one at a time.</summary>
    public async Task RunAsync(Func<Outcome, Task> take, CancellationToken stop)
    {
        using var flights = DecodeFlights.Open(context.StagingFolder, Environment.ProcessorCount + 1, context.Time, () => System.Diagnostics.Process.GetCurrentProcess().Kill());
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var threads = new SemaphoreSlim(Environment.ProcessorCount);
        var queue = Channel.CreateBounded<Task<Outcome>>(2 * Environment.ProcessorCount);
        var reading = Task.Run(() => FeedAsync(queue.Writer, finding => DecodeAsync(finding, ended.Token), ended.Token), ended.Token);
        try
        {
            DiskFullException.ThrowIfLess(context.StagingFolder, 0);
            await foreach (var decoding in queue.Reader.ReadAllAsync(stop))
            {
                var outcome = await decoding;
                // Every earlier file is settled; later ones in flight are small.
                if (outcome.Kind == OutcomeKind.TooBigForNow) outcome = await DecodeAloneAsync(outcome.Finding);
                await take(outcome);
                _gate.Leave(outcome.GateBytes);
            }
            await reading;
        }
        finally
        {
            // No decoder may outlive the run: its scratch files and child processes go with it.
            await ended.CancelAsync();
            while (queue.Reader.TryRead(out var decoding)) await decoding.ContinueWith(_ => { }, TaskScheduler.Default);
            await reading.ContinueWith(_ => { }, TaskScheduler.Default);
            while (queue.Reader.TryRead(out var decoding)) await decoding.ContinueWith(_ => { }, TaskScheduler.Default);
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
            if (finding.Candidate is null) return _decoder.Decode(finding, forms(), isKnown, known.HasRejection, decoded, alone, FlightVerdict.Clear, ended.Token);
            var key = StagedPart.ShortKey(StagedPart.KeyOf(finding));
            var verdict = flights.VerdictOf(key);
            using var flight = verdict == FlightVerdict.Clear || (verdict == FlightVerdict.Suspect && alone) ? flights.Begin(key, _decoder.LimitOf(finding)) : null;
            return _decoder.Decode(finding, forms(), isKnown, known.HasRejection, decoded, alone, verdict, ended.Token);
        }
    }

    private async Task FeedAsync(ChannelWriter<Task<Outcome>> queue, Func<Finding, Task<Outcome>> decode, CancellationToken stop)
    {
        Exception? failure = null;
        try
        {
            var setting = new SourceSetting
            {
                StoreFolder = context.Store.Root,
                ScratchFolder = Path.Combine(context.StagingFolder, "sources"),
                Gate = _gate,
                Time = context.Time,
                IsSettled = key => settled.Has(key) || share?.Downloads(key) == false,
                // What a shard has done it need not read; elsewhere each occurrence of a key counts, and is looked at.
                IsMine = key => share is null || (share.Decodes(key) && !settled.Has(key)),
                IsWanted = uri => known.Retried?.WantsFile(uri) ?? true,
                IsKnownItem = id => known.HasItem(id),
                IsKnownBad = known.HasRejection,
                // What a shard downloads is no item yet.
                MemoryOfServers = share is not null ? null : Path.Combine(context.Store.Root, ".servers", spec.Corpus + ".db"),
            };
            foreach (var finding in new SourceReader(spec, setting, stop).Findings())
            {
                stop.ThrowIfCancellationRequested();
                var key = StagedPart.KeyOf(finding);
                if (finding.Candidate is not PassedOverCandidate && IsMine(key) && !settled.Take(key) && known.Retried?.Wants(finding) != false)
                {
                    await queue.WriteAsync(Task.Run(() => decode(finding), stop), stop);
                    continue;
                }
                _gate.Leave(finding.Candidate is FileCandidate { Bytes: { } bytes } ? bytes.Length : 0);
            }
        }
        catch (Exception error)
        {
            failure = error;
        }
        queue.Complete(failure);
    }

    private bool IsMine(string key) => share?.Decodes(key) != false;
}
