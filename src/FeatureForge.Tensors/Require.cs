// Guards at public entries: a wrong shape is named here, not three calls deeper inside LibTorch.
using TorchSharp;

namespace FeatureForge.Tensors;

/// <summary>Shape checks.</summary>
public static class Require
{
    /// <summary>Any size is fine in this place.</summary>
    public const long Any = -1;

    /// <summary>Throws unless the tensor has exactly these sizes; <see cref="Any"/> matches every size.</summary>
    /// <exception cref="ArgumentException">The shape differs; the message shows both.</exception>
    public static void Shape(torch.Tensor tensor, params ReadOnlySpan<long> expected)
    {
        var found = tensor.shape;
        var fits = found.Length == expected.Length;
        for (var i = 0; fits && i < found.Length; i++) fits = expected[i] == Any || expected[i] == found[i];
        if (fits) return;
        var sizes = expected.ToArray().Select(size => size == Any ? "any" : size.ToString(System.Globalization.CultureInfo.InvariantCulture));
        throw new ArgumentException($"Expected a tensor of shape [{string.Join(", ", sizes)}], found [{string.Join(", ", found)}].");
    }
}
