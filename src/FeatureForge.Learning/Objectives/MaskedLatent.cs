// data2vec 2.0: from an input with hidden cells, what a slow teacher makes of the whole input is predicted at the hidden cells.
// Baevski, Babu, Hsu, Auli 2022, "Efficient self-supervised learning with contextualized target representations" (arXiv 2212.07525):
// mean squared error against the mean of the teacher's last layers, each normalised per item and channel over the cells.
// Deviations: hidden cells stay in the input as blanks and the decoder is a head per cell (see MaskedAutoencoder.cs); one mask per item
// instead of eight or more; layers of another width than the deepest (convolutions) are left out of the mean.
// Wants much data: below some 100,000 items use it as an addition to a view objective.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed record MaskedLatentSpec : ObjectiveSpec
{
    /// <summary>Share of the cells that are hidden.</summary>
    public double Share { get; init; } = 0.6;
    /// <summary>Side of the hidden blocks, in cells.</summary>
    public int Block { get; init; } = 2;
    /// <summary>How many of the teacher's last layers are averaged, at most.</summary>
    public int Layers { get; init; } = 6;
    /// <summary>Width of the head's hidden layer.</summary>
    public int Hidden { get; init; } = 256;

    public override IEnumerable<string> Problems()
    {
        foreach (var problem in base.Problems()) yield return problem;
        if (Layers < 1) yield return $"layers is {Layers}; expected at least 1.";
        foreach (var problem in HiddenCells.Problems(Share, Block, Hidden)) yield return problem;
    }

    public override Objective Build(EncoderShape shape) => new MaskedLatent(this, shape);
}

internal sealed class MaskedLatent : Objective
{
    // Cells of a constant input (silence, a blank page) have no spread.
    private const double Epsilon = 1e-5;

    private readonly CellHead head;
    private readonly MaskedLatentSpec _spec;
    private readonly long _width;

    public MaskedLatent(MaskedLatentSpec spec, EncoderShape shape) : base("masked latent prediction")
    {
        (_spec, _width) = (spec, shape.CellWidth);
        head = new CellHead(_width, spec.Hidden, _width);
        RegisterComponents();
    }

    public override bool NeedsTeacher => true;

    public override MaskSpec? Mask => new(_spec.Share, _spec.Block);

    public override Tensor Loss(ObjectiveInput input)
    {
        var masked = HiddenCells.Of(input, _width);
        if (masked.TeacherLayers.Count == 0) throw new ArgumentException("Masked latent prediction needs a teacher: no layers of it were given.");
        foreach (var layer in masked.TeacherLayers) Require.Shape(layer, masked.Cells.size(0), masked.Cells.size(1), Require.Any);
        Require.Shape(masked.TeacherLayers[^1], masked.Cells.size(0), masked.Cells.size(1), _width);
        var target = Target(masked.TeacherLayers, masked.Tokens, _spec.Layers);
        return HiddenCells.Mean((head.forward(masked.Cells.to(ScalarType.Float32)) - target).square().mean([-1]), masked.Hidden);
    }

    /// <summary>The mean of the last layers [N, T, D], each of mean 0 and deviation 1 over the cells that are not padding; no gradient flows.</summary>
    public static Tensor Target(IReadOnlyList<Tensor> layers, Tensor? tokens, int most)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var deepest = layers[^1];
        var alike = layers.Where(layer => layer.size(-1) == deepest.size(-1)).TakeLast(most).ToList();
        var present = tokens is null ? ones(deepest.size(0), deepest.size(1), 1, device: deepest.device) : (tokens != 0).unsqueeze(-1).to(ScalarType.Float32);
        return stack(alike.Select(layer => Normalised(layer.to(ScalarType.Float32), present)).ToList()).mean([0]).MoveToOuterDisposeScope();
    }

    private static Tensor Normalised(Tensor cells, Tensor present)
    {
        var count = present.sum(1L, keepdim: true).clamp_min(1); // [N, 1, 1]
        var centred = cells - (cells * present).sum(1L, keepdim: true) / count;
        return centred / ((centred.square() * present).sum(1L, keepdim: true) / count + Epsilon).sqrt();
    }
}
