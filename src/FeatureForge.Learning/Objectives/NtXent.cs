// NT-Xent: two views of an item attract, all other views in the batch repel.
// Chen, Kornblith, Norouzi, Hinton 2020, "A simple framework for contrastive learning of visual representations"
// (arXiv 2002.05709), equation 1. Deviation: with more than two views, the mean over all pairs of views with a global one.
// Needs large batches: every other view is a negative.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed record NtXentSpec : ObjectiveSpec
{
    /// <summary>Divides the cosines; lower separates neighbours more sharply.</summary>
    public double Temperature { get; init; } = 0.2;
    public ProjectorSpec Projector { get; init; } = new();

    public override IEnumerable<string> Problems()
    {
        foreach (var problem in base.Problems()) yield return problem;
        if (!(Temperature > 0)) yield return $"temperature is {Temperature}; expected more than 0.";
        foreach (var problem in Projector.Problems()) yield return problem;
    }

    public override Objective Build(EncoderShape shape) => new NtXent(this, shape);
}

internal sealed class NtXent : Objective
{
    private readonly Projector projector;
    private readonly long _width;
    private readonly double _temperature;

    public NtXent(NtXentSpec spec, EncoderShape shape) : base("NT-Xent")
    {
        (_width, _temperature) = (shape.Width, spec.Temperature);
        projector = new Projector(shape.Width, spec.Projector);
        RegisterComponents();
    }

    public override Tensor Loss(ObjectiveInput input)
    {
        var projected = projector.OfViews(input.Views(_width)); // [V, B, P]
        var losses = ViewPairs.Of(projected, input.GlobalViews).Select(pair => Pair(pair.First, pair.Second, _temperature));
        return stack(losses.ToList()).mean();
    }

    /// <summary>The mean loss over two views [B, P] of the same items in the same order.</summary>
    /// <returns>A scalar; ln(2B - 1) when nothing is learned.</returns>
    public static Tensor Pair(Tensor first, Tensor second, double temperature)
    {
        Require.Shape(first, Require.Any, Require.Any);
        Require.Shape(second, first.size(0), first.size(1));
        if (first.size(0) < 2) throw new ArgumentException($"Expected two views of at least two items, found {first.size(0)}.");
        var unit = nn.functional.normalize(cat([first, second], 0), p: 2, dim: 1); // [2B, P]
        var count = unit.size(0);
        var similarity = mm(unit, unit.t()) / temperature; // [2B, 2B]
        var itself = eye(count, dtype: ScalarType.Bool, device: unit.device);
        var partner = arange(count, dtype: ScalarType.Int64, device: unit.device).roll(count / 2);
        return nn.functional.cross_entropy(similarity.masked_fill(itself, float.NegativeInfinity), partner);
    }
}
