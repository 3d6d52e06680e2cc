// MAE: from an input with most cells hidden, the values under the hidden cells are predicted.
// He, Chen, Xie, Li, Dollar, Girshick 2022, "Masked autoencoders are scalable vision learners" (arXiv 2111.06377): mean squared error
// on hidden patches alone, each patch standardised by its own mean and deviation.
// Deviations: hidden cells stay in the input as blanks (so that convolutions serve as well as transformers), and the decoder is a
// head per cell; an encoder needs to look around a cell for it. For text the values are the words' vectors, held fixed.
// Good for dense features, poor for neighbours and clusters on its own: give it a small weight beside a view objective.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed record MaskedAutoencoderSpec : ObjectiveSpec
{
    /// <summary>Share of the cells that are hidden.</summary>
    public double Share { get; init; } = 0.75;
    /// <summary>Side of the hidden blocks, in cells.</summary>
    public int Block { get; init; } = 1;
    /// <summary>Width of the head's hidden layer.</summary>
    public int Hidden { get; init; } = 256;

    public override IEnumerable<string> Problems() => [.. base.Problems(), .. HiddenCells.Problems(Share, Block, Hidden)];

    public override Objective Build(EncoderShape shape) => new MaskedAutoencoder(this, shape);
}

internal sealed class MaskedAutoencoder : Objective
{
    private readonly CellHead head;
    private readonly MaskedAutoencoderSpec _spec;
    private readonly EncoderShape _shape;

    public MaskedAutoencoder(MaskedAutoencoderSpec spec, EncoderShape shape) : base("masked autoencoder")
    {
        (_spec, _shape) = (spec, shape);
        head = new CellHead(shape.CellWidth, spec.Hidden, shape.PatchWidth);
        RegisterComponents();
    }

    public override MaskSpec? Mask => new(_spec.Share, _spec.Block);

    public override Tensor Loss(ObjectiveInput input)
    {
        var masked = HiddenCells.Of(input, _shape.CellWidth);
        Require.Shape(masked.Patches, masked.Cells.size(0), masked.Cells.size(1), _shape.PatchWidth);
        return Error(head.forward(masked.Cells.to(ScalarType.Float32)), masked.Patches, masked.Hidden);
    }

    /// <summary>Mean squared error of predictions [N, T, P] where <paramref name="hidden"/> [N, T], against standardised patches [N, T, P].</summary>
    public static Tensor Error(Tensor predicted, Tensor patches, Tensor hidden)
    {
        var values = patches.detach().to(ScalarType.Float32);
        var centred = values - values.mean([-1], keepdim: true);
        var standard = centred / (centred.square().mean([-1], keepdim: true) + 1e-6).sqrt();
        return HiddenCells.Mean((predicted - standard).square().mean([-1]), hidden);
    }
}
