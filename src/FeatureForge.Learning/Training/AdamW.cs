// AdamW on flat buffers. Loshchilov and Hutter 2019, "Decoupled weight decay regularization" (arXiv 1711.05101), with
// the usual moments 0.9 and 0.999.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed class AdamW : Optimiser
{
    private const double FirstDecay = 0.9;
    private const double SecondDecay = 0.999;
    private const double Epsilon = 1e-8;

    private readonly FlatParameters _parameters;
    private readonly double _weightDecay;

    public AdamW(FlatParameters parameters, double weightDecay)
    {
        (_parameters, _weightDecay) = (parameters, weightDecay);
        First = zeros_like(parameters.Values).DetachFromDisposeScope();
        Second = zeros_like(parameters.Values).DetachFromDisposeScope();
    }

    /// <summary>Running means of the gradient and of its square.</summary>
    public Tensor First { get; }
    public Tensor Second { get; }

    public override IReadOnlyDictionary<string, Tensor> State => new Dictionary<string, Tensor> { ["first"] = First, ["second"] = Second };

    public override void Step(long step, double learningRate)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var gradients = _parameters.Gradients;
        First.lerp_(gradients, 1 - FirstDecay);
        Second.mul_(SecondDecay).addcmul_(gradients, gradients, 1 - SecondDecay);
        _parameters.Values.addcmul_(_parameters.Values, _parameters.Decayed, -learningRate * _weightDecay);
        var scale = Math.Sqrt(1 - Math.Pow(SecondDecay, step));
        var divisor = Second.sqrt().div_(scale).add_(Epsilon);
        _parameters.Values.addcdiv_(First, divisor, -learningRate / (1 - Math.Pow(FirstDecay, step)));
    }
}

/// <summary>Linear warm-up, then a half cosine down to a thousandth.</summary>
internal static class LearningRate
{
    private const double FinalShare = 1e-3;

    /// <summary>The rate of update number <paramref name="step"/> of <paramref name="steps"/>, counted from 1.</summary>
    public static double At(long step, long steps, double peak, double warmup)
    {
        var rising = Math.Max(1, (long)(steps * warmup));
        if (step <= rising) return peak * step / rising;
        var done = (double)(step - rising) / Math.Max(1, steps - rising);
        return peak * (FinalShare + (1 - FinalShare) * 0.5 * (1 + Math.Cos(Math.PI * done)));
    }
}
