// VICReg: views attract; every dimension keeps a deviation of at least 1; dimensions are decorrelated.
// Bardes, Ponce, LeCun 2022, "VICReg: variance-invariance-covariance regularization" (arXiv 2105.04906):
//   invariance * mean |z - z'|^2 + variance * mean_j max(0, 1 - sqrt(var_j + 1e-4)) + covariance * sum_{i != j} C_ij^2 / P.
// Deviations: the squared distance is a mean over dimensions too, and variance and covariance are means over the views where the
// paper adds up its two, so that the weights mean the same for any width and number of views.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed record VicRegSpec : ObjectiveSpec
{
    public double Invariance { get; init; } = 25;
    public double Variance { get; init; } = 25;
    public double Covariance { get; init; } = 1;
    /// <summary>Wide outputs help this objective: the paper has 8,192.</summary>
    public ProjectorSpec Projector { get; init; } = new() { Width = 256 };

    public override IEnumerable<string> Problems()
    {
        foreach (var problem in base.Problems()) yield return problem;
        if (!(Invariance > 0 && Variance > 0 && Covariance >= 0)) yield return $"invariance, variance and covariance are {Invariance}, {Variance} and {Covariance}; expected the first two more than 0 (or everything collapses), the last at least 0.";
        foreach (var problem in Projector.Problems()) yield return problem;
    }

    public override Objective Build(EncoderShape shape) => new VicReg(this, shape);
}

internal sealed class VicReg : Objective
{
    // Keeps the root's gradient finite; the paper's value.
    private const double Epsilon = 1e-4;

    private readonly Projector projector;
    private readonly VicRegSpec _spec;
    private readonly long _width;

    public VicReg(VicRegSpec spec, EncoderShape shape) : base("VICReg")
    {
        (_spec, _width) = (spec, shape.Width);
        projector = new Projector(shape.Width, spec.Projector);
        RegisterComponents();
    }

    public override Tensor Loss(ObjectiveInput input) => Combine(projector.OfViews(input.Views(_width)), input.GlobalViews, _spec);

    /// <summary>The loss of projected views [V, B, P].</summary>
    public static Tensor Combine(Tensor projected, int globalViews, VicRegSpec spec)
    {
        var distances = ViewPairs.Of(projected, globalViews).Select(pair => (pair.First - pair.Second).square().mean());
        var deviation = (projected.var(1L, unbiased: true) + Epsilon).sqrt(); // [V, P]
        var shortfall = nn.functional.relu(1 - deviation).mean();
        var views = Enumerable.Range(0, (int)projected.size(0)).Select(view => Covariance.OffDiagonal(Covariance.Of(projected[view])));
        var correlation = stack(views.ToList()).mean() / projected.size(2);
        return stack(distances.ToList()).mean() * spec.Invariance + shortfall * spec.Variance + correlation * spec.Covariance;
    }
}
