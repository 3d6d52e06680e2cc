// One update: views -> encoder -> objectives -> gradients -> optimiser -> teacher. Everything it draws depends on (seed, step).
// With several GPUs the flat gradient buffer is what would be averaged, between Backward and the optimiser's step.
using System.Runtime.InteropServices;
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed class TrainingStep : IDisposable
{
    private readonly Encoder _encoder;
    private readonly Recipe _recipe;
    private readonly int _seed;
    private readonly IReadOnlyList<Objective> _objectives;
    private readonly FlatParameters _parameters;
    private readonly Optimiser _optimiser;
    private readonly Precision _precision;
    private readonly Teacher? _teacher;
    private readonly Tensor _lossSum; // [2]: sum of losses and their number since it was last taken
    private readonly Action<string> _warn;
    private int _parts;

    public TrainingStep(Encoder encoder, PreparationSpec preparation, int seed, Action<string> warn)
    {
        (_encoder, _recipe, _seed, _parts, _warn) = (encoder, encoder.Recipe, seed, encoder.Recipe.Accumulate, warn);
        _objectives = [.. _recipe.Objectives.Select(spec => spec.Build(encoder.Shape))];
        foreach (var objective in _objectives) objective.to(encoder.Device);
        _parameters = new FlatParameters(encoder.parameters().Concat(_objectives.SelectMany(objective => objective.parameters())));
        _optimiser = Optimiser.Of(_recipe.Optimiser, _parameters, _recipe.WeightDecay);
        _precision = new Precision(_recipe.Precision, encoder.Device);
        _lossSum = zeros(2, device: encoder.Device).DetachFromDisposeScope();
        if (_recipe.TeacherDecay > 0 || _objectives.Any(objective => objective.NeedsTeacher))
            _teacher = new Teacher(encoder, _objectives, _parameters, preparation);
    }

    /// <summary>Names of the objectives, for messages.</summary>
    public string Names => string.Join(" + ", _objectives.Select(objective => objective.GetName()));

    public ScalarType PrecisionType => _precision.Type;

    /// <summary>The encoder that is to be published and probed: the student, or the teacher where the recipe says so.</summary>
    public Encoder Published => _recipe.PublishTeacher && _teacher is not null ? _teacher.Encoder : _encoder;

    /// <summary>Update number <paramref name="step"/> (from 0) of <paramref name="steps"/>.</summary>
    public void Run(long step, long steps, HostBatch batch, double learningRate)
    {
        using var scope = NewDisposeScope();
        while (true)
        {
            try
            {
                Backward(step, batch);
                break;
            }
            catch (Exception error) when (IsOutOfMemory(error) && batch.Items >= 4 * _parts)
            {
                _parts *= 2;
                _warn($"Step {step + 1} does not fit into the memory of {_encoder.Device.type.ToString().ToLowerInvariant()}: the batch of {batch.Items} items now goes through in {_parts} parts, with the same effective batch.");
            }
        }
        if (_precision.Unscale(_parameters.Gradients))
        {
            if (_recipe.ClipNorm > 0) _parameters.ClipGradients(_recipe.ClipNorm);
            _optimiser.Step(step + 1, learningRate);
        }
        _teacher?.Follow(step + 1, steps);
    }

    /// <summary>Mean loss since this was last asked; waits for the device.</summary>
    public float TakeLoss()
    {
        using var scope = NewDisposeScope();
        var sums = HostCopies.ToArray<float>(_lossSum);
        using (no_grad()) _lossSum.zero_();
        return sums[0] / sums[1];
    }

    /// <summary>Sum of the losses so far; waits for the device.</summary>
    public float PeekLoss() => HostCopies.ToArray<float>(_lossSum)[0];

    // What a batch's views look like; for the message about a step that failed.
    public IReadOnlyList<Tensor> ViewsOf(long step, HostBatch batch)
    {
        using var noGradient = no_grad();
        return _encoder.Views(batch, new StepRandom(_seed, step, DrawPurpose.Views));
    }

    private void Backward(long step, HostBatch batch)
    {
        using var scope = NewDisposeScope();
        var groups = ViewsOf(step, batch);
        _encoder.train();
        foreach (var objective in _objectives) objective.train();
        _parameters.Gradients.zero_();
        // Dropped paths and the like draw from torch's own generator.
        using var generator = manual_seed(new StepRandom(_seed, step, DrawPurpose.Torch).Below(int.MaxValue));
        var size = (batch.Items + _parts - 1) / _parts;
        for (var from = 0; from < batch.Items; from += size)
        {
            using var inner = NewDisposeScope();
            var count = Math.Min(size, batch.Items - from);
            // Parts of one item cannot be compared with others.
            if (count < 2 && from > 0) break;
            var part = _parts == 1 ? groups : [.. groups.Select(group => group.view([-1, batch.Items, .. group.shape[1..]]).narrow(1, from, count).flatten(0, 1))];
            var loss = Loss(step, part, count) * ((double)count / batch.Items);
            _precision.Scaled(loss).backward();
            using (no_grad()) _lossSum.add_(stack([loss.detach(), full_like(loss, (double)count / batch.Items)]));
        }
    }

    // Encoders compute in the recipe's precision, objectives in float32: their sums over a batch would be rounded away.
    private Tensor Loss(long step, IReadOnlyList<Tensor> groups, int items)
    {
        Tensor features;
        Tensor? looked;
        using (_precision.Begin())
        {
            features = cat([.. groups.Select(group => _encoder.Encode(group).Pooled.to(ScalarType.Float32))], 0).view(_recipe.ViewCount, items, -1); // [V, B, D]
            looked = _teacher is not null && _objectives.Any(objective => objective.NeedsTeacher && objective.Mask is null) ? Look(groups[0], items) : null;
        }
        Tensor? total = null;
        for (var i = 0; i < _objectives.Count; i++)
        {
            var objective = _objectives[i];
            Tensor? target = null;
            if (looked is not null && objective.NeedsTeacher)
                using (no_grad()) target = _teacher!.Objectives[i].Target(looked);
            var random = new StepRandom(_seed, step * 16 + i, DrawPurpose.Objective);
            var input = new ObjectiveInput
            {
                Features = features,
                GlobalViews = _recipe.GlobalViews,
                Target = target,
                Masked = objective.Mask is { } mask ? Hide(groups[0].narrow(0, 0, items), mask, objective.NeedsTeacher, new StepRandom(_seed, step * 16 + i, DrawPurpose.Mask)) : null,
                Random = random,
            };
            var loss = objective.Loss(input) * _recipe.Objectives[i].Weight;
            total = total is null ? loss : total + loss;
        }
        return total!;
    }

    /// <summary>The teacher's vectors of the global views, [G, B, D].</summary>
    private Tensor Look(Tensor views, int items)
    {
        using var noGradient = no_grad();
        return _teacher!.Encoder.Encode(views).Pooled.to(ScalarType.Float32).view(_recipe.GlobalViews, items, -1);
    }

    private MaskedCells Hide(Tensor views, MaskSpec mask, bool needsTeacher, StepRandom random)
    {
        using var precision = _precision.Begin();
        var (rows, columns) = _encoder.CellGrid(views);
        var hidden = CellMasks.Draw((int)views.size(0), rows, columns, mask, random, views.device);
        var tokens = _encoder.Tokens(views);
        if (tokens is not null) hidden = hidden.logical_and(tokens != 0);
        IReadOnlyList<Tensor> layers = [];
        if (needsTeacher)
            using (no_grad()) layers = [.. _teacher!.Encoder.Encode(views).Cells.Select(cells => cells.to(ScalarType.Float32))];
        return new()
        {
            Cells = _encoder.EncodeHidden(views, hidden).Cells[^1].to(ScalarType.Float32),
            Hidden = hidden,
            Patches = _encoder.Patches(views),
            TeacherLayers = layers,
            Tokens = tokens,
        };
    }

    // LibTorch says so in words only.
    private static bool IsOutOfMemory(Exception error) => error is OutOfMemoryException
        || (error is ExternalException && (error.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase) || error.Message.Contains("can't allocate memory", StringComparison.Ordinal)));

    /// <summary>Everything that a resumed run needs, by name.</summary>
    public Dictionary<string, Tensor> State()
    {
        var state = _encoder.State().ToDictionary(pair => "encoder." + pair.Key, pair => pair.Value);
        for (var i = 0; i < _objectives.Count; i++)
            foreach (var (name, tensor) in _objectives[i].state_dict()) state[$"objectives.{i}.{name}"] = tensor;
        foreach (var (name, tensor) in _optimiser.State) state["optimiser." + name] = tensor;
        if (_teacher is not null)
            foreach (var (name, tensor) in _teacher.State()) state["teacher." + name] = tensor;
        state["loss_sum"] = _lossSum;
        state["loss_scale"] = _precision.State;
        return state;
    }

    public void Dispose()
    {
        _teacher?.Dispose();
        _precision.Dispose();
        _optimiser.Dispose();
        _parameters.Dispose();
        _lossSum.Dispose();
        foreach (var objective in _objectives) objective.Dispose();
    }
}
