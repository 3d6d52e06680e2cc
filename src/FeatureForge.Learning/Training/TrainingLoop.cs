// The loop: batches -> views -> encoder -> objectives -> AdamW, with checkpoints, probes and guards.
// Runs on one thread; reads the loss to the host only when logging. Killed anywhere, it continues at the last checkpoint
// and ends with the same bits on the CPU, because every draw depends on (seed, step) alone.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed class TrainingLoop : IDisposable
{
    private const int LogEvery = 10;
    private const int ProbesDuring = 4;
    private static readonly TimeSpan _checkpointEvery = TimeSpan.FromSeconds(25);

    // Unit vectors are spread about 1 apart; a tenth of that, or one hundredth of the dimensions in use, is an alarm.
    private const double CollapsedSpread = 0.1;
    private const double CollapsedRank = 0.01;

    private readonly RunContext _context;
    private readonly PreparedCorpus _corpus;
    private readonly Encoder _encoder;
    private readonly Recipe _recipe;
    private readonly int _seed;
    private readonly int _batchSize;
    private readonly string _checkpointPath;
    private readonly IReadOnlyList<Objective> _objectives;
    private readonly FlatParameters _parameters;
    private readonly AdamW _optimiser;
    private readonly Tensor _lossSum; // [2]: sum of losses and their number since the last log line
    private readonly QualityProbe _probe;

    public TrainingLoop(RunContext context, PreparedCorpus corpus, Encoder encoder, int seed)
    {
        (_context, _corpus, _encoder, _recipe, _seed) = (context, corpus, encoder, encoder.Recipe, seed);
        _batchSize = Math.Min(_recipe.BatchSize, corpus.Count);
        _checkpointPath = Path.Combine(context.StagingFolder, "checkpoint.safetensors");
        _objectives = [.. _recipe.Objectives.Select(spec => spec.Build(new(encoder.Width, encoder.Width, 1, 0)))];
        foreach (var objective in _objectives) objective.to(encoder.Device);
        _parameters = new FlatParameters(encoder.parameters().Concat(_objectives.SelectMany(objective => objective.parameters())));
        _optimiser = new AdamW(_parameters, _recipe.WeightDecay);
        _lossSum = zeros(2, device: encoder.Device).DetachFromDisposeScope();
        _probe = new QualityProbe(corpus, encoder, seed);
        Metrics = new MetricLog(context.Reporter);
    }

    public MetricLog Metrics { get; }

    public double LastLoss { get; private set; } = double.NaN;

    /// <summary>Label-free scores after the last probe.</summary>
    public IReadOnlyDictionary<string, double> Scores { get; private set; } = new Dictionary<string, double>();

    /// <summary>Seconds per step: the median of some throw-away steps; the state is the same afterwards.</summary>
    public double SecondsPerStep(CancellationToken stop)
    {
        // The first steps touch memory and files for the first time.
        const int Unmeasured = 4, Measured = 11;
        using var scope = NewDisposeScope();
        var before = State().ToDictionary(pair => pair.Key, pair => pair.Value.clone());
        using var reader = new BatchReader(_corpus, _encoder, _batchSize, _seed, 0, Unmeasured + Measured);
        _encoder.train();
        var seconds = new List<double>();
        for (var step = 0; step < Unmeasured + Measured; step++)
        {
            var start = _context.Time.GetTimestamp();
            Step(step, reader.Next(stop), learningRate: 0);
            _ = _lossSum[0].item<float>(); // waits for the device
            if (step >= Unmeasured) seconds.Add(_context.Time.GetElapsedTime(start).TotalSeconds);
        }
        using var noGradient = no_grad();
        foreach (var (name, tensor) in State()) tensor.copy_(before[name]);
        return seconds.Order().ElementAt(Measured / 2);
    }

    /// <summary>Trains up to <paramref name="steps"/> updates, from the checkpoint when there is one.</summary>
    public void Run(long steps, CancellationToken stop)
    {
        var done = Checkpoint.Load(_checkpointPath, State(), Metrics);
        if (done > 0) _context.Information($"Resumed at step {done} of {steps}.");
        else Probe(0, stop);
        LastLoss = Metrics.Rows.LastOrDefault(row => row.Name == "loss")?.Value ?? double.NaN;

        using var reader = new BatchReader(_corpus, _encoder, _batchSize, _seed, done, steps - 1);
        var meter = new ProgressMeter(_context, "train", "items", steps * _batchSize, done * _batchSize);
        var (saved, checkpointStep, waited, logged) = (_context.Time.GetTimestamp(), done, TimeSpan.Zero, _context.Time.GetTimestamp());
        while (done < steps)
        {
            if (stop.IsCancellationRequested)
            {
                Checkpoint.Save(_checkpointPath, done, State(), Metrics);
                stop.ThrowIfCancellationRequested();
            }
            var asked = _context.Time.GetTimestamp();
            var batch = reader.Next(stop);
            waited += _context.Time.GetElapsedTime(asked);
            Step(done, batch, LearningRate.At(done + 1, steps, _recipe.LearningRate, _recipe.Warmup));
            done++;
            meter.Add(_batchSize);

            var atEnd = done == steps;
            if (done % LogEvery == 0 || atEnd)
            {
                Log(done, steps, checkpointStep);
                Metrics.ShowOnly(done, "data_wait", waited / Max(_context.Time.GetElapsedTime(logged)));
                (waited, logged) = (TimeSpan.Zero, _context.Time.GetTimestamp());
            }
            if (IsProbeStep(done, steps)) Probe(done, stop);
            if (!atEnd && _context.Time.GetElapsedTime(saved) < _checkpointEvery) continue;
            Guard(done, checkpointStep, HostCopies.ToArray<float>(_lossSum)[0]);
            Checkpoint.Save(_checkpointPath, done, State(), Metrics);
            (saved, checkpointStep) = (_context.Time.GetTimestamp(), done);
        }
        Scores = Metrics.Rows.Where(row => row.Step == steps && row.Name.Contains('.')).ToDictionary(row => row.Name, row => row.Value);
    }

    private static TimeSpan Max(TimeSpan elapsed) => elapsed > TimeSpan.FromTicks(1) ? elapsed : TimeSpan.FromTicks(1);

    private static bool IsProbeStep(long done, long steps) =>
        Enumerable.Range(1, ProbesDuring).Any(number => done == steps * number / ProbesDuring) && done > 0;

    private void Step(long step, HostBatch batch, double learningRate)
    {
        using var scope = NewDisposeScope();
        Tensor views;
        using (no_grad()) views = _encoder.Views(batch, new StepRandom(_seed, step, DrawPurpose.Views)); // [2B, ...]
        _encoder.train();
        _parameters.Gradients.zero_();
        var features = _encoder.Trained(views);
        var input = new ObjectiveInput { Features = features.view(2, -1, features.size(1)), GlobalViews = 2, Random = new StepRandom(_seed, step, DrawPurpose.Objective) };
        var loss = zeros(1, device: _encoder.Device).sum();
        for (var i = 0; i < _objectives.Count; i++)
        {
            _objectives[i].train();
            loss = loss + _objectives[i].Loss(input) * _recipe.Objectives[i].Weight;
        }
        loss.backward();
        _optimiser.Step(step + 1, learningRate);
        using (no_grad()) _lossSum.add_(stack([loss.detach(), ones_like(loss)]));
    }

    private void Log(long done, long steps, long checkpointStep)
    {
        using var scope = NewDisposeScope();
        var sums = HostCopies.ToArray<float>(_lossSum);
        using (no_grad()) _lossSum.zero_();
        Guard(done, checkpointStep, sums[0]);
        LastLoss = sums[0] / sums[1];
        Metrics.Add(done, "loss", LastLoss);
        Metrics.Add(done, "learning_rate", LearningRate.At(done, steps, _recipe.LearningRate, _recipe.Warmup));
    }

    private void Guard(long done, long checkpointStep, float lossSum)
    {
        if (float.IsFinite(lossSum)) return;
        throw new InvalidOperationException($"{string.Join(" + ", _objectives.Select(objective => objective.GetName()))} became {lossSum} between steps {Math.Max(checkpointStep, done - LogEvery) + 1} and {done}. "
            + $"The last good checkpoint is of step {checkpointStep}{(checkpointStep > 0 ? $" in {_checkpointPath}" : "")}. Lower the recipe's learning rate (now {_recipe.LearningRate}) or check the items for broken values.");
    }

    private void Probe(long done, CancellationToken stop)
    {
        _encoder.eval();
        var scores = _probe.Measure(stop);
        foreach (var (name, value) in scores.Where(pair => pair.Key != "spread.high")) Metrics.Add(done, name, value);
        if (done == 0 || (scores["spread.high"] >= CollapsedSpread && scores["rankme_ratio.high"] >= CollapsedRank)) return;
        throw new InvalidOperationException($"The encoder has collapsed at step {done}: vectors of different items are nearly the same (spread {scores["spread.high"]:0.###}, expected at least {CollapsedSpread}; "
            + $"effective rank {scores["rankme_ratio.high"]:0.####} of the width, expected at least {CollapsedRank}). Are the items nearly identical? Otherwise lower the learning rate (now {_recipe.LearningRate}) or change the objective in a recipe file.");
    }

    private Dictionary<string, Tensor> State()
    {
        var state = _encoder.State().ToDictionary(pair => "encoder." + pair.Key, pair => pair.Value);
        for (var i = 0; i < _objectives.Count; i++)
            foreach (var (name, tensor) in _objectives[i].state_dict()) state[$"objectives.{i}.{name}"] = tensor;
        state["optimiser.first"] = _optimiser.First;
        state["optimiser.second"] = _optimiser.Second;
        state["loss_sum"] = _lossSum;
        return state;
    }

    public void Dispose()
    {
        _optimiser.Dispose();
        _parameters.Dispose();
        _lossSum.Dispose();
        foreach (var objective in _objectives) objective.Dispose();
    }
}
