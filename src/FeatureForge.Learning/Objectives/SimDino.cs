// SimDINO: each view is near what a slow teacher makes of the others; a coding rate instead of centring and temperatures prevents collapse.
// Wu, Zhang, Pai, Wang, Singh, Yang, Gao, Ma 2025, "Simplifying DINO via coding rate regularization" (arXiv 2502.10385):
//   mean over pairs of 1/2 |z - z'|^2 - gamma * R(Z), unit vectors, z' the teacher's other global views, R the coding rate (e = 0.05)
//   of the student's global views, mean over views.
// gamma = coefficient * e * sqrt(B / (P min(P, B))): the gradient of R grows as the inverse of that, so the two terms stay in balance.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed record SimDinoSpec : ObjectiveSpec
{
    /// <summary>e of the coding rate.</summary>
    public double Precision { get; init; } = 0.05;
    /// <summary>Weight of the coding rate, relative to the balance above.</summary>
    public double Coefficient { get; init; } = 1;
    public ProjectorSpec Projector { get; init; } = new();

    public override IEnumerable<string> Problems()
    {
        foreach (var problem in base.Problems()) yield return problem;
        if (!(Precision > 0 && Coefficient > 0)) yield return $"precision and coefficient are {Precision} and {Coefficient}; expected more than 0.";
        foreach (var problem in Projector.Problems()) yield return problem;
    }

    public override Objective Build(EncoderShape shape) => new SimDino(this, shape);
}

internal sealed class SimDino : Objective
{
    private readonly Projector projector;
    private readonly SimDinoSpec _spec;
    private readonly long _width;

    public SimDino(SimDinoSpec spec, EncoderShape shape) : base("SimDINO")
    {
        (_spec, _width) = (spec, shape.Width);
        projector = new Projector(shape.Width, spec.Projector);
        RegisterComponents();
    }

    public override bool NeedsTeacher => true;

    public override Tensor? Target(Tensor features) => projector.OfViews(features.to(ScalarType.Float32)); // [G, B, P]

    public override Tensor Loss(ObjectiveInput input)
    {
        var projected = projector.OfViews(input.Views(_width)); // [V, B, P]
        var target = input.Target ?? throw new ArgumentException("SimDINO needs a teacher: no target was given.");
        Require.Shape(target, input.GlobalViews, projected.size(1), projected.size(2));
        return Combine(projected, target, _spec);
    }

    /// <summary>The loss of the student's views [V, B, P] and the teacher's [G, B, P]; gradients flow to the student alone.</summary>
    public static Tensor Combine(Tensor projected, Tensor target, SimDinoSpec spec)
    {
        var (student, teacher) = (nn.functional.normalize(projected, p: 2, dim: -1), nn.functional.normalize(target.detach().to(ScalarType.Float32), p: 2, dim: -1));
        var distance = 1 - ViewPairs.MeanProduct(student, teacher);
        var rates = Enumerable.Range(0, (int)target.size(0)).Select(view => CodingRate.Of(student[view], spec.Precision * spec.Precision));
        return distance - stack(rates.ToList()).mean() * Balance(projected.size(1), projected.size(2), spec);
    }

    /// <summary>gamma for a batch of <paramref name="items"/> vectors of a width.</summary>
    public static double Balance(long items, long width, SimDinoSpec spec) =>
        spec.Coefficient * spec.Precision * Math.Sqrt((double)items / ((double)width * Math.Min(items, width)));
}
