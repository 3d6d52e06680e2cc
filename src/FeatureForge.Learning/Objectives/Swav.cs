// SwAV: the soft cluster of one view is predicted from another view; clusters have equal shares of the batch.
// Caron, Misra, Mairal, Goyal, Bojanowski, Joulin 2020, "Unsupervised learning of visual features by contrasting cluster assignments"
// (arXiv 2006.09882): - sum_k q_k log softmax(z'.c / temperature)_k, codes q by Sinkhorn from the global views, predicted from all others.
// Deviations: prototypes have unit length in the product instead of being renormalised after each step, and are never frozen;
// no queue, so keep prototypes fewer than the batch.
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed record SwavSpec : ObjectiveSpec
{
    public int Prototypes { get; init; } = 128;
    /// <summary>Divides the cosines of the prediction.</summary>
    public double Temperature { get; init; } = 0.1;
    /// <summary>Divides the cosines of the codes.</summary>
    public double Sharpness { get; init; } = 0.05;
    /// <summary>Rounds of Sinkhorn's algorithm.</summary>
    public int Iterations { get; init; } = 3;
    public ProjectorSpec Projector { get; init; } = new();

    public override IEnumerable<string> Problems()
    {
        foreach (var problem in base.Problems()) yield return problem;
        if (Prototypes < 2) yield return $"prototypes is {Prototypes}; expected at least 2.";
        if (!(Temperature > 0 && Sharpness > 0)) yield return $"temperature and sharpness are {Temperature} and {Sharpness}; expected more than 0.";
        if (Iterations < 1) yield return $"iterations is {Iterations}; expected at least 1.";
        foreach (var problem in Projector.Problems()) yield return problem;
    }

    public override Objective Build(EncoderShape shape) => new Swav(this, shape);
}

internal sealed class Swav : Objective
{
    private readonly Projector projector;
    private readonly Linear prototypes;
    private readonly SwavSpec _spec;
    private readonly long _width;

    public Swav(SwavSpec spec, EncoderShape shape) : base("SwAV")
    {
        (_spec, _width) = (spec, shape.Width);
        projector = new Projector(shape.Width, spec.Projector);
        prototypes = nn.Linear(spec.Projector.Width, spec.Prototypes, hasBias: false);
        RegisterComponents();
    }

    public override Tensor Loss(ObjectiveInput input)
    {
        var projected = nn.functional.normalize(projector.OfViews(input.Views(_width)), p: 2, dim: -1); // [V, B, P]
        var centres = nn.functional.normalize(prototypes.weight!, p: 2, dim: -1); // [K, P]
        var scores = mm(projected.flatten(0, 1), centres.t()).view(projected.size(0), projected.size(1), -1); // [V, B, K]
        return Swapped(scores, input.GlobalViews, _spec);
    }

    /// <summary>The loss of cosines with the prototypes, [V, B, K].</summary>
    public static Tensor Swapped(Tensor scores, int globalViews, SwavSpec spec)
    {
        var codes = Enumerable.Range(0, globalViews).Select(view => Sinkhorn.Codes(scores[view], spec.Sharpness, spec.Iterations));
        return -ViewPairs.MeanProduct(nn.functional.log_softmax(scores / spec.Temperature, -1), stack(codes.ToList()));
    }
}
