// Barlow Twins: the correlation of each dimension between two views is to be 1, and 0 with all other dimensions.
// Zbontar, Jing, Misra, LeCun, Deny 2021, "Barlow Twins: self-supervised learning via redundancy reduction" (arXiv 2103.03230):
//   sum_i (1 - C_ii)^2 + lambda * sum_{i != j} C_ij^2, C = correlation of z with z' over the batch.
// With more than two views, the mean over all pairs of views with a global one.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed record BarlowTwinsSpec : ObjectiveSpec
{
    /// <summary>Weight of the terms beside the diagonal.</summary>
    public double Lambda { get; init; } = 5e-3;
    /// <summary>Wide outputs help this objective: the paper has 8,192.</summary>
    public ProjectorSpec Projector { get; init; } = new() { Width = 256 };

    public override IEnumerable<string> Problems()
    {
        foreach (var problem in base.Problems()) yield return problem;
        if (!(Lambda > 0)) yield return $"lambda is {Lambda}; expected more than 0.";
        foreach (var problem in Projector.Problems()) yield return problem;
    }

    public override Objective Build(EncoderShape shape) => new BarlowTwins(this, shape);
}

internal sealed class BarlowTwins : Objective
{
    private readonly Projector projector;
    private readonly long _width;
    private readonly double _lambda;

    public BarlowTwins(BarlowTwinsSpec spec, EncoderShape shape) : base("Barlow Twins")
    {
        (_width, _lambda) = (shape.Width, spec.Lambda);
        projector = new Projector(shape.Width, spec.Projector);
        RegisterComponents();
    }

    public override Tensor Loss(ObjectiveInput input)
    {
        var losses = ViewPairs.Of(projector.OfViews(input.Views(_width)), input.GlobalViews).Select(pair => Pair(pair.First, pair.Second, _lambda));
        return stack(losses.ToList()).mean();
    }

    /// <summary>The loss of two views [B, P] of the same items in the same order.</summary>
    public static Tensor Pair(Tensor first, Tensor second, double lambda)
    {
        var correlation = mm(Standard(first).t(), Standard(second)) / first.size(0); // [P, P]
        return (1 - correlation.diagonal()).square().sum() + Covariance.OffDiagonal(correlation) * lambda;
    }

    private static Tensor Standard(Tensor rows)
    {
        var centred = rows - rows.mean([0], keepdim: true);
        return centred / (centred.square().mean([0], keepdim: true) + 1e-6).sqrt();
    }
}
