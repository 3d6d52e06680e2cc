// VISReg: LeJEPA's prediction, with a regulariser that also helps out of collapse.
// Wu, Balestriero, Levine 2026, "VISReg: variance-invariance-sketching regularization for JEPA training" (arXiv 2606.02572):
//   (1 - lambda) * prediction + lambda * (scale + shape + centre), per view and averaged over views, where
//   scale  = mean_j (1 - sigma_j)^2, whose gradient tends to a constant as sigma goes to 0;
//   shape  = mean over directions a of mean_i (sorted_i of a.((z - mu) / stopgradient(sigma)) - normal quantile of i/(N+1))^2,
//            the squared Wasserstein distance on a line;
//   centre = mean_j mu_j^2.
// sigma has the divisor N - 1 and a floor of 1e-4, below which the vectors count as equal.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed record VisRegSpec : ObjectiveSpec
{
    /// <summary>Share of the distribution terms: about 0.3 for thousands of items, 0.6 below a million, 0.9 above.</summary>
    public double Lambda { get; init; } = 0.3;
    /// <summary>Random directions per step.</summary>
    public int Slices { get; init; } = 256;
    public double Scale { get; init; } = 1;
    /// <summary>More for long-tailed or low-rank data.</summary>
    public double Shape { get; init; } = 1;
    public double Centre { get; init; } = 1;
    public ProjectorSpec Projector { get; init; } = new();

    public override IEnumerable<string> Problems()
    {
        foreach (var problem in base.Problems()) yield return problem;
        if (!(Lambda is > 0 and < 1)) yield return $"lambda is {Lambda}; expected more than 0 and less than 1.";
        if (Slices < 1) yield return $"slices is {Slices}; expected at least 1.";
        if (!(Scale > 0 && Shape >= 0 && Centre >= 0)) yield return $"scale, shape and centre are {Scale}, {Shape} and {Centre}; expected scale more than 0 (or everything collapses), the others at least 0.";
        foreach (var problem in Projector.Problems()) yield return problem;
    }

    public override Objective Build(EncoderShape shape) => new VisReg(this, shape);
}

internal sealed class VisReg : Objective
{
    private const double Floor = 1e-4;

    private readonly Projector projector;
    private readonly VisRegSpec _spec;
    private readonly long _width;

    public VisReg(VisRegSpec spec, EncoderShape shape) : base("VISReg")
    {
        (_spec, _width) = (spec, shape.Width);
        projector = new Projector(shape.Width, spec.Projector);
        RegisterComponents();
    }

    public override Tensor Loss(ObjectiveInput input)
    {
        var projected = projector.OfViews(input.Views(_width)); // [V, B, P]
        var directions = Slices.Draw(_spec.Slices, projected.size(2), input.Random, projected.device); // [S, P]
        return GlobalMean.Distance(projected, input.GlobalViews) * (1 - _spec.Lambda) + Regularity(projected, directions, _spec) * _spec.Lambda;
    }

    /// <summary>The weighted sum of scale, shape and centre of views [V, B, P] on directions [S, P].</summary>
    public static Tensor Regularity(Tensor projected, Tensor directions, VisRegSpec spec)
    {
        var (views, items) = (projected.size(0), projected.size(1));
        var mean = projected.mean([1], keepdim: true); // [V, 1, P]
        var centred = projected - mean;
        var deviation = (centred.square().sum(1L, keepdim: true) / (items - 1) + Floor * Floor).sqrt(); // [V, 1, P]
        var scale = (1 - deviation).square().mean();
        var centre = mean.square().mean();

        var standard = centred / deviation.detach();
        var along = mm(directions, standard.flatten(0, 1).t()).view(-1, views, items); // [S, V, B]
        var shape = (along.sort(dim: -1).Values - NormalQuantiles(items, projected.device)).square().mean();
        return scale * spec.Scale + shape * spec.Shape + centre * spec.Centre;
    }

    /// <summary>The quantiles i / (N + 1) of the standard normal distribution, [N], ascending.</summary>
    public static Tensor NormalQuantiles(long count, torch.Device device) =>
        (arange(1, count + 1, dtype: ScalarType.Float32, device: device) * (2.0 / (count + 1)) - 1).erfinv() * Math.Sqrt(2);
}
