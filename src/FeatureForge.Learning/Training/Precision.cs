// In which type a run multiplies, and the loss scale that float16 needs. Micikevicius et al. 2018, "Mixed precision training"
// (arXiv 1710.03740): the loss is scaled up before the backward pass, an update with overflowed gradients is left out and the
// scale halved, and after 2,000 good updates it doubles.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed class Precision : IDisposable
{
    private const int GoodStepsToGrow = 2_000;

    private readonly torch.Device _device;
    private readonly Tensor _scale; // [2]: scale, good updates since it last changed

    public static IReadOnlyList<string> Words { get; } = ["auto", "float32", "bfloat16", "float16"];

    public Precision(string word, torch.Device device)
    {
        _device = device;
        Type = word switch
        {
            "auto" => Autocast.IsFastInBFloat16(device) && Autocast.Works(device, ScalarType.BFloat16) ? ScalarType.BFloat16 : ScalarType.Float32,
            "float32" => ScalarType.Float32,
            "bfloat16" => ScalarType.BFloat16,
            "float16" => ScalarType.Float16,
            _ => throw new ArgumentException($"Precision '{word}' is not one of {string.Join(", ", Words)}."),
        };
        if (Type != ScalarType.Float32 && !Autocast.Works(device, Type))
            throw new BadRequestException($"Precision {word} was asked for, but this LibTorch cannot compute with it on {device.type}. Use auto or float32 in the recipe.");
        _scale = tensor(new[] { Type == ScalarType.Float16 ? 65_536.0 : 1.0, 0.0 }).DetachFromDisposeScope();
    }

    public ScalarType Type { get; }

    public Tensor State => _scale;

    /// <summary>Autocast while in use; null when everything is float32.</summary>
    public IDisposable? Begin() => Type == ScalarType.Float32 ? null : new Autocast(_device, Type);

    /// <summary>The loss as the backward pass wants it.</summary>
    public Tensor Scaled(Tensor loss) => Type == ScalarType.Float16 ? loss * _scale[0].item<double>() : loss;

    /// <summary>Takes the scale out of the gradients.</summary>
    /// <returns>False when they overflowed and the update is to be left out.</returns>
    public bool Unscale(Tensor gradients)
    {
        if (Type != ScalarType.Float16) return true;
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var (factor, good) = (_scale[0].item<double>(), _scale[1].item<double>());
        var finite = gradients.isfinite().all().item<bool>();
        if (finite) gradients.div_(factor);
        _scale.copy_(tensor(!finite ? [Math.Max(1, factor / 2), 0] : good + 1 >= GoodStepsToGrow ? [factor * 2, 0] : new[] { factor, good + 1 }));
        return finite;
    }

    public void Dispose() => _scale.Dispose();
}
