// Random directions: a distribution in many dimensions is normal when all its projections on a line are (Cramer and Wold),
// so SIGReg and VISReg test a few hundred lines, drawn afresh at every step.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal static class Slices
{
    /// <summary>Unit vectors spread evenly over the sphere, [S, P]. Drawn on the host: the same on every device.</summary>
    public static Tensor Draw(int count, long width, StepRandom random, torch.Device device)
    {
        using var generator = new Generator(random.Seed());
        return nn.functional.normalize(randn(count, width, generator: generator), p: 2, dim: 1).to(device);
    }
}
