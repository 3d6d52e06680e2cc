// The loop around the step: schedule, progress, metrics, probes, guards and checkpoints. Runs on one thread and reads the loss to
// the host only when logging. Killed anywhere, it continues at the last checkpoint and ends with the same bits on the CPU.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed class TrainingLoop : IDisposable
{
    private const int LogEvery = 10;
    private static readonly TimeSpan _checkpointEvery = TimeSpan.FromSeconds(25);
    // A copy for other machines, of stores on S3.
    private static readonly TimeSpan _keepEvery = TimeSpan.FromMinutes(5);

    // Unit vectors are spread about 1 apart; a tenth of that, or one hundredth of the dimensions in use, is an alarm.
    private const double CollapsedSpread = 0.1;
    private const double CollapsedRank = 0.01;

    // Waiting for data for more of the time than this is worth a warning.
    private const double MuchWaiting = 0.05;

    private readonly RunContext _context;
    private readonly PreparedCorpus _corpus;
    private readonly Encoder _encoder;
    private readonly Recipe _recipe;
    private readonly int _seed;
    private readonly int _batchSize;
    private readonly string _checkpointPath;
    private readonly TrainingStep _step;
    private readonly QualityProbe _probe;
    private readonly BestWeights _best;

    public TrainingLoop(RunContext context, PreparedCorpus corpus, Encoder encoder, int seed)
    {
        (_context, _corpus, _encoder, _recipe, _seed) = (context, corpus, encoder, encoder.Recipe, seed);
        _batchSize = Math.Min(_recipe.BatchSize, corpus.Count);
        _checkpointPath = Path.Combine(context.StagingFolder, "checkpoint.safetensors");
        _step = new TrainingStep(encoder, corpus.Preparation, seed, context.Warning);
        _probe = new QualityProbe(corpus, encoder, seed);
        _best = new BestWeights(Path.Combine(context.StagingFolder, "best.safetensors"));
        Metrics = new MetricLog(context.Reporter);
        if (_step.PrecisionType != ScalarType.Float32) context.Information($"Products are computed in {_step.PrecisionType.ToString().ToLowerInvariant()}, sums in float32.");
    }

    public MetricLog Metrics { get; }

    public double LastLoss { get; private set; } = double.NaN;

    /// <summary>Share of the time that this attempt's training thread waited for batches.</summary>
    public double DataWait { get; private set; }

    /// <summary>Label-free scores of the weights that are published.</summary>
    public IReadOnlyDictionary<string, double> Scores { get; private set; } = new Dictionary<string, double>();

    // Another machine goes on from here when this one is gone. The best weights first: a checkpoint never speaks of some that are not there.
    private void KeepStaged()
    {
        if (File.Exists(_best.Path)) _context.Store.KeepStaged(_best.Path);
        _context.Store.KeepStaged(_checkpointPath);
    }

    /// <summary>Seconds per step: the median of some throw-away steps; the state is the same afterwards.</summary>
    /// <param name="atMost">Seconds after which fewer steps have to do.</param>
    public double SecondsPerStep(double atMost, CancellationToken stop)
    {
        // The first steps touch memory and files for the first time.
        const int Unmeasured = 4, Measured = 11, Fewest = 3;
        var begun = _context.Time.GetTimestamp();
        using var scope = NewDisposeScope();
        var before = _step.State().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        using var reader = new BatchReader(_corpus, _encoder, _batchSize, _seed, 0, Unmeasured + Measured);
        var seconds = new List<double>();
        for (var step = 0; step < Unmeasured + Measured; step++)
        {
            var start = _context.Time.GetTimestamp();
            _step.Run(step, Unmeasured + Measured, reader.Next(stop), learningRate: 0);
            _ = _step.PeekLoss(); // waits for the device
            if (step >= Unmeasured) seconds.Add(_context.Time.GetElapsedTime(start).TotalSeconds);
            if (seconds.Count >= Fewest && _context.Time.GetElapsedTime(begun).TotalSeconds > atMost) break;
        }
        using var noGradient = no_grad();
        foreach (var (name, tensor) in _step.State()) tensor.copy_(before[name]);
        return seconds.Order().ElementAt(seconds.Count / 2);
    }

    /// <summary>Trains up to <paramref name="steps"/> updates, from the checkpoint when there is one; afterwards the encoder holds the weights to publish.</summary>
    public void Run(long steps, CancellationToken stop)
    {
        var done = Checkpoint.Load(_checkpointPath, _step.State(), Metrics);
        if (done > 0) _context.Information($"Resumed at step {done} of {steps}.");
        else if (Metrics.Rows.Count == 0)
        {
            Probe(0, stop);
            Checkpoint.Save(_checkpointPath, 0, _step.State(), Metrics);
        }
        LastLoss = Metrics.Rows.LastOrDefault(row => row.Name == "loss")?.Value ?? double.NaN;

        using var reader = new BatchReader(_corpus, _encoder, _batchSize, _seed, done, steps - 1);
        var meter = new ProgressMeter(_context, "train", "items", steps * _batchSize, done * _batchSize);
        var (started, saved, checkpointStep) = (_context.Time.GetTimestamp(), _context.Time.GetTimestamp(), done);
        var kept = started;
        var (waited, waitedInAll, logged, ended) = (TimeSpan.Zero, TimeSpan.Zero, _context.Time.GetTimestamp(), _best.IsStale(Metrics, _recipe.Patience));
        while (done < steps && !ended)
        {
            if (stop.IsCancellationRequested)
            {
                Checkpoint.Save(_checkpointPath, done, _step.State(), Metrics);
                KeepStaged();
                stop.ThrowIfCancellationRequested();
            }
            var asked = _context.Time.GetTimestamp();
            var batch = reader.Next(stop);
            waited += _context.Time.GetElapsedTime(asked);
            _step.Run(done, steps, batch, LearningRate.At(done + 1, steps, _recipe.LearningRate, _recipe.Warmup));
            done++;
            meter.Add(_batchSize);

            var atEnd = done == steps;
            if (done % LogEvery == 0 || atEnd)
            {
                Log(done, steps, checkpointStep);
                Metrics.ShowOnly(done, "data_wait", waited / Max(_context.Time.GetElapsedTime(logged)));
                (waitedInAll, waited, logged) = (waitedInAll + waited, TimeSpan.Zero, _context.Time.GetTimestamp());
            }
            if (IsProbeStep(done, steps))
            {
                if (!float.IsFinite(_step.PeekLoss())) Fail(checkpointStep, done, steps);
                Probe(done, stop);
            }
            ended = _best.IsStale(Metrics, _recipe.Patience);
            if (ended) _context.Information($"Ended at step {done} of {steps}: the last {_recipe.Patience} probes brought nothing better.");
            if (!atEnd && !ended && _context.Time.GetElapsedTime(saved) < _checkpointEvery) continue;
            if (!float.IsFinite(_step.PeekLoss())) Fail(checkpointStep, done, steps);
            Checkpoint.Save(_checkpointPath, done, _step.State(), Metrics);
            (saved, checkpointStep) = (_context.Time.GetTimestamp(), done);
            if (_context.Time.GetElapsedTime(kept) < _keepEvery) continue;
            KeepStaged();
            kept = _context.Time.GetTimestamp();
        }
        DataWait = waitedInAll / Max(_context.Time.GetElapsedTime(started));
        if (DataWait > MuchWaiting) _context.Warning($"Training waited for data {DataWait:P0} of its time: reading is the bottleneck. A faster disk, or more cores, would help.");
        var bestStep = _best.Restore(_step.Published, Metrics);
        if (bestStep < done) _context.Information($"The weights of step {bestStep} score best without labels and are published.");
        if (!ReferenceEquals(_step.Published, _encoder)) _encoder.LoadState(_step.Published.State(), "the teacher");
        Scores = Metrics.Rows.Where(row => row.Step == bestStep && row.Name.Contains('.')).ToDictionary(row => row.Name, row => row.Value);
    }

    private static TimeSpan Max(TimeSpan elapsed) => elapsed > TimeSpan.FromTicks(1) ? elapsed : TimeSpan.FromTicks(1);

    private bool IsProbeStep(long done, long steps) =>
        done > 0 && Enumerable.Range(1, _recipe.Probes).Any(number => done == steps * number / _recipe.Probes);

    private void Log(long done, long steps, long checkpointStep)
    {
        var loss = _step.TakeLoss();
        if (!float.IsFinite(loss)) Fail(checkpointStep, done, steps);
        LastLoss = loss;
        Metrics.Add(done, "loss", LastLoss);
        Metrics.Add(done, "learning_rate", LearningRate.At(done, steps, _recipe.LearningRate, _recipe.Warmup));
    }

    /// <summary>Repeats the steps since the checkpoint one by one, keeps the batch that broke, and throws.</summary>
    private void Fail(long checkpointStep, long done, long steps)
    {
        var found = BrokenStep.Find(_step, _context, _corpus, _encoder, new(_checkpointPath, checkpointStep, done, steps, _batchSize, _seed));
        throw new InvalidOperationException($"{_step.Names} became non-finite between steps {checkpointStep + 1} and {done}. {found} "
            + $"The last good checkpoint is of step {checkpointStep}{(checkpointStep > 0 ? $" in {_checkpointPath}" : "")}. Lower the recipe's learning rate (now {_recipe.LearningRate}) or check the items for broken values.");
    }

    private void Probe(long done, CancellationToken stop)
    {
        var encoder = _step.Published;
        encoder.eval();
        var scores = _probe.Measure(encoder, stop);
        foreach (var (name, value) in scores) Metrics.Add(done, name, value);
        encoder.train();
        if (done == 0) return;
        _best.Offer(encoder, done, Metrics);
        if (Collapse(scores) is { } collapse)
            throw new InvalidOperationException($"The encoder has collapsed at step {done}: {collapse}. Are the items nearly identical? Otherwise lower the learning rate (now {_recipe.LearningRate}) or change the objective in a recipe file.");
    }

    /// <summary>Why these scores mean that all items have become the same, or null.</summary>
    internal static string? Collapse(IReadOnlyDictionary<string, double> scores)
    {
        // Comparisons that are false for NaN: scores that are no numbers are no good sign either.
        var (spread, rank) = (scores["spread.high"], scores["rankme_ratio.high"]);
        if (spread >= CollapsedSpread && rank >= CollapsedRank) return null;
        return $"vectors of different items are nearly the same (spread {spread:0.###}, expected at least {CollapsedSpread}; effective rank {rank:0.####} of the width, expected at least {CollapsedRank})";
    }

    public void Dispose() => _step.Dispose();
}
