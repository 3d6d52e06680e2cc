// The teacher: a running mean of encoder and heads that looks at the same views without gradients, or just waits to be published.
// Tarvainen and Valpola 2017 (arXiv 1703.01780); the share that stays rises to 1 by a half cosine as in BYOL (arXiv 2006.07733).
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed class Teacher : IDisposable
{
    private const double DefaultDecay = 0.99;

    private readonly Encoder _student;
    private readonly FlatParameters _from;
    private readonly FlatParameters _to;
    private readonly double _decay;

    /// <summary>Starts as the student is.</summary>
    public Teacher(Encoder student, IReadOnlyList<Objective> objectives, FlatParameters parameters, PreparationSpec preparation)
    {
        (_student, _from) = (student, parameters);
        _decay = student.Recipe.TeacherDecay > 0 ? student.Recipe.TeacherDecay : DefaultDecay;
        Encoder = EncoderFile.Twin(student, preparation);
        Objectives = [.. student.Recipe.Objectives.Select(spec => spec.Build(student.Shape))];
        foreach (var objective in Objectives) objective.to(student.Device);
        _to = new FlatParameters(Encoder.parameters().Concat(Objectives.SelectMany(objective => objective.parameters())));
        using var noGradient = no_grad();
        _to.Values.copy_(_from.Values);
        foreach (var (own, other) in Objectives.Zip(objectives))
            foreach (var (buffer, source) in own.named_buffers().Zip(other.named_buffers())) buffer.buffer.copy_(source.buffer);
        Encoder.train();
    }

    public Encoder Encoder { get; }

    public IReadOnlyList<Objective> Objectives { get; }

    /// <summary>Everything by name, for checkpoints.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> State()
    {
        foreach (var (name, tensor) in Encoder.State()) yield return new("encoder." + name, tensor);
        for (var i = 0; i < Objectives.Count; i++)
            foreach (var (name, tensor) in Objectives[i].state_dict()) yield return new($"objectives.{i}.{name}", tensor);
    }

    /// <summary>The share that stays after update <paramref name="step"/> of <paramref name="steps"/>.</summary>
    public static double DecayAt(double start, long step, long steps) => 1 - (1 - start) * (Math.Cos(Math.PI * step / steps) + 1) / 2;

    /// <summary>Moves towards the student, after its update.</summary>
    public void Follow(long step, long steps)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var share = 1 - DecayAt(_decay, step, steps);
        _to.Values.lerp_(_from.Values, share);
        foreach (var ((_, own), (_, other)) in Encoder.named_buffers().Zip(_student.named_buffers()))
        {
            if (own.is_floating_point()) own.lerp_(other, share);
            else own.copy_(other);
        }
    }

    public void Dispose()
    {
        _to.Dispose();
        Encoder.Dispose();
        foreach (var objective in Objectives) objective.Dispose();
    }
}
