// LARS on flat buffers: momentum with one trust ratio per layer, for large batches. You, Gitman, Ginsburg 2017, "Large batch
// training of convolutional networks" (arXiv 1708.03888). Vectors (scales, shifts) take the plain rate, as is usual.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed class Lars : Optimiser
{
    private const double Momentum = 0.9;
    private const double Trust = 1e-3;
    private const double Epsilon = 1e-9;

    private readonly FlatParameters _parameters;
    private readonly double _weightDecay;
    private readonly Tensor _velocity;

    public Lars(FlatParameters parameters, double weightDecay)
    {
        (_parameters, _weightDecay) = (parameters, weightDecay);
        _velocity = zeros_like(parameters.Values).DetachFromDisposeScope();
    }

    public override IReadOnlyDictionary<string, Tensor> State => new Dictionary<string, Tensor> { ["velocity"] = _velocity };

    public override void Step(long step, double learningRate)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var update = _parameters.Gradients.addcmul(_parameters.Values, _parameters.Decayed, _weightDecay);
        foreach (var (offset, size) in _parameters.Layers)
        {
            using var inner = NewDisposeScope();
            var part = update.narrow(0, offset, size);
            var (values, change) = (_parameters.Values.narrow(0, offset, size).norm(), part.norm());
            // A layer that is all zero, or has no gradient, takes the plain rate.
            part.mul_(where((values > 0).logical_and(change > 0), Trust * values / (change + Epsilon), ones_like(values)));
        }
        _velocity.mul_(Momentum).add_(update);
        _parameters.Values.add_(_velocity, alpha: -learningRate);
    }
}
