// LeJEPA: every view predicts the mean of the item's global views, and each view's vectors are kept normally distributed.
// Balestriero, LeCun 2025, "LeJEPA: provable and scalable self-supervised learning without the heuristics" (arXiv 2511.08544):
//   (1 - lambda) * prediction + lambda * SIGReg, where SIGReg is the test of Epps and Pulley on random directions,
//   SIGReg = mean over directions a of N * integral over t in [-3, 3] of |mean_n exp(i t a.z_n) - exp(-t^2/2)|^2 exp(-t^2/2) dt.
// The statistic is taken per view and averaged, over global and local views alike; vectors are not normalised to unit length.
// Deviation: the factor N is a setting, not the batch size, so that another batch size does not change the balance of the terms.
// At full collapse its gradient vanishes (VisReg.cs is the remedy).
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed record SigRegSpec : ObjectiveSpec
{
    /// <summary>Share of the distribution term; the prediction term has the rest.</summary>
    public double Lambda { get; init; } = 0.05;
    /// <summary>Random directions per step.</summary>
    public int Slices { get; init; } = 256;
    /// <summary>What stands for N: the batch size at which lambda means what it means in the paper.</summary>
    public double ReferenceBatch { get; init; } = 256;
    public ProjectorSpec Projector { get; init; } = new();

    public override IEnumerable<string> Problems()
    {
        foreach (var problem in base.Problems()) yield return problem;
        if (!(Lambda is > 0 and < 1)) yield return $"lambda is {Lambda}; expected more than 0 and less than 1.";
        if (Slices < 1) yield return $"slices is {Slices}; expected at least 1.";
        if (!(ReferenceBatch > 0)) yield return $"reference_batch is {ReferenceBatch}; expected more than 0.";
        foreach (var problem in Projector.Problems()) yield return problem;
    }

    public override Objective Build(EncoderShape shape) => new SigReg(this, shape);
}

internal sealed class SigReg : Objective
{
    private const int Knots = 17;
    private const double LastKnot = 3;

    private readonly Projector projector;
    private readonly SigRegSpec _spec;
    private readonly long _width;

    public SigReg(SigRegSpec spec, EncoderShape shape) : base("SIGReg")
    {
        (_spec, _width) = (spec, shape.Width);
        projector = new Projector(shape.Width, spec.Projector);
        RegisterComponents();
    }

    public override Tensor Loss(ObjectiveInput input)
    {
        var projected = projector.OfViews(input.Views(_width)); // [V, B, P]
        var directions = Slices.Draw(_spec.Slices, projected.size(2), input.Random, projected.device); // [S, P]
        return Combine(projected, input.GlobalViews, directions, _spec.Lambda, _spec.ReferenceBatch);
    }

    /// <summary>The loss of projected views [V, B, P] on directions [S, P].</summary>
    public static Tensor Combine(Tensor projected, int globalViews, Tensor directions, double lambda, double referenceBatch) =>
        GlobalMean.Distance(projected, globalViews) * (1 - lambda) + Statistic(projected, directions) * (lambda * referenceBatch);

    /// <summary>The test's integral, without the factor N: mean over views and directions. 0 for a standard normal distribution.</summary>
    public static Tensor Statistic(Tensor projected, Tensor directions)
    {
        var along = mm(projected.flatten(0, 1), directions.t()).view(projected.size(0), projected.size(1), -1); // [V, B, S]
        var total = zeros(1, device: projected.device).sum();
        var distance = LastKnot / (Knots - 1);
        // At t = 0 both functions are 1; the integrand is even, hence twice the trapezoid rule over [0, 3].
        for (var knot = 1; knot < Knots; knot++)
        {
            var t = knot * distance;
            var normal = Math.Exp(-t * t / 2);
            var weight = 2 * distance * normal * (knot == Knots - 1 ? 0.5 : 1);
            var angle = along * t;
            var difference = (angle.cos().mean([1]) - normal).square() + angle.sin().mean([1]).square(); // [V, S]
            total = total + difference.mean() * weight;
        }
        return total;
    }
}
