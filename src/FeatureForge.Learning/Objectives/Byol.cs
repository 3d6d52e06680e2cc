// BYOL: from one view, a predictor guesses what a teacher makes of another view; the teacher is a running mean of the student.
// Grill et al. 2020, "Bootstrap your own latent" (arXiv 2006.07733): 2 - 2 cos(predictor(z), teacher's z').
// Mean over all pairs of a view with the teacher's other global views (the paper's two views both ways round).
// Nothing but the predictor and the slow teacher prevents collapse: it needs BatchNorm in the heads and small steps.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed record ByolSpec : ObjectiveSpec
{
    public ProjectorSpec Projector { get; init; } = new();
    /// <summary>Width of the predictor's hidden layer.</summary>
    public int PredictorHidden { get; init; } = 512;

    public override IEnumerable<string> Problems()
    {
        foreach (var problem in base.Problems()) yield return problem;
        if (PredictorHidden < 1) yield return $"predictor_hidden is {PredictorHidden}; expected at least 1.";
        foreach (var problem in Projector.Problems()) yield return problem;
    }

    public override Objective Build(EncoderShape shape) => new Byol(this, shape);
}

internal sealed class Byol : Objective
{
    private readonly Projector projector;
    private readonly Projector predictor;
    private readonly long _width;
    private readonly long _projected;

    public Byol(ByolSpec spec, EncoderShape shape) : base("BYOL")
    {
        (_width, _projected) = (shape.Width, spec.Projector.Width);
        projector = new Projector(shape.Width, spec.Projector);
        predictor = new Projector(_projected, new() { Hidden = spec.PredictorHidden, Width = spec.Projector.Width });
        RegisterComponents();
    }

    public override bool NeedsTeacher => true;

    public override Tensor? Target(Tensor features) => projector.OfViews(features.to(ScalarType.Float32)); // [G, B, P]

    public override Tensor Loss(ObjectiveInput input)
    {
        var predicted = predictor.OfViews(projector.OfViews(input.Views(_width))); // [V, B, P]
        var target = input.Target ?? throw new ArgumentException("BYOL needs a teacher: no target was given.");
        Require.Shape(target, input.GlobalViews, predicted.size(1), _projected);
        return Distance(predicted, target);
    }

    /// <summary>Mean of 2 - 2 cos over pairs of a predicted view [V, B, P] and another of the teacher's views [G, B, P].</summary>
    /// <returns>A scalar between 0 and 4; gradients flow to the predictions alone.</returns>
    public static Tensor Distance(Tensor predicted, Tensor target) =>
        2 - 2 * ViewPairs.MeanProduct(nn.functional.normalize(predicted, p: 2, dim: -1), nn.functional.normalize(target.detach().to(ScalarType.Float32), p: 2, dim: -1));
}
