// EMP-SSL: many crops of an item agree with their mean, while each crop's vectors fill the space. Meant for 8 views and more.
// Tong, Chen, Ma, LeCun 2023, "EMP-SSL: towards self-supervised learning in one training epoch" (arXiv 2304.03977):
//   maximise mean over views of R(Z_v) + lambda * cos(z_v, mean of the item's views), unit vectors, e^2 = 0.2 in the coding rate R.
// All views count alike, global or local. Deviation: the rate is divided by the width P, so that lambda does not depend on it
// (the paper's lambda of 200 at a width of 1,024 is 0.2 here).
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed record TotalCodingRateSpec : ObjectiveSpec
{
    /// <summary>Weight of the agreement of views.</summary>
    public double Lambda { get; init; } = 0.2;
    /// <summary>e^2 of the coding rate.</summary>
    public double SquaredPrecision { get; init; } = 0.2;
    public ProjectorSpec Projector { get; init; } = new();

    public override IEnumerable<string> Problems()
    {
        foreach (var problem in base.Problems()) yield return problem;
        if (!(Lambda > 0)) yield return $"lambda is {Lambda}; expected more than 0.";
        if (!(SquaredPrecision > 0)) yield return $"squared_precision is {SquaredPrecision}; expected more than 0.";
        foreach (var problem in Projector.Problems()) yield return problem;
    }

    public override Objective Build(EncoderShape shape) => new TotalCodingRate(this, shape);
}

internal sealed class TotalCodingRate : Objective
{
    private readonly Projector projector;
    private readonly TotalCodingRateSpec _spec;
    private readonly long _width;

    public TotalCodingRate(TotalCodingRateSpec spec, EncoderShape shape) : base("total coding rate")
    {
        (_spec, _width) = (spec, shape.Width);
        projector = new Projector(shape.Width, spec.Projector);
        RegisterComponents();
    }

    public override Tensor Loss(ObjectiveInput input) => Combine(projector.OfViews(input.Views(_width)), _spec);

    /// <summary>The loss of projected views [V, B, P].</summary>
    public static Tensor Combine(Tensor projected, TotalCodingRateSpec spec)
    {
        var unit = nn.functional.normalize(projected, p: 2, dim: -1);
        var mean = nn.functional.normalize(unit.mean([0], keepdim: true), p: 2, dim: -1);
        var agreement = (unit * mean).sum(-1L).mean();
        var rates = Enumerable.Range(0, (int)projected.size(0)).Select(view => CodingRate.Of(unit[view], spec.SquaredPrecision));
        return -stack(rates.ToList()).mean() / projected.size(2) - agreement * spec.Lambda;
    }
}
