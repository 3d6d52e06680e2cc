// Masked language modelling: hidden tokens of a text are guessed from their neighbours.
// Devlin, Chang, Lee, Toutanova 2019, "BERT" (arXiv 1810.04805): cross entropy over the vocabulary at the hidden tokens.
// Deviations: every hidden token is blank (the paper shows a tenth of them unchanged and a tenth as other words); the output's
// weights are not tied to the word vectors; at most so many hidden tokens of a batch, drawn at random, are scored, because
// the cost is tokens times vocabulary.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal sealed record MaskedTokensSpec : ObjectiveSpec
{
    /// <summary>Share of the tokens that are hidden.</summary>
    public double Share { get; init; } = 0.15;
    /// <summary>Hidden tokens that are scored per step, at most.</summary>
    public int MostTokens { get; init; } = 1024;
    /// <summary>Width of the head's hidden layer.</summary>
    public int Hidden { get; init; } = 256;

    public override IEnumerable<string> Problems()
    {
        foreach (var problem in base.Problems()) yield return problem;
        if (MostTokens < 1) yield return $"most_tokens is {MostTokens}; expected at least 1.";
        foreach (var problem in HiddenCells.Problems(Share, 1, Hidden)) yield return problem;
    }

    public override Objective Build(EncoderShape shape) => new MaskedTokens(this, shape);
}

internal sealed class MaskedTokens : Objective
{
    private readonly CellHead head;
    private readonly MaskedTokensSpec _spec;
    private readonly EncoderShape _shape;

    public MaskedTokens(MaskedTokensSpec spec, EncoderShape shape) : base("masked tokens")
    {
        if (shape.Vocabulary < 2) throw new ArgumentException($"Masked tokens need a text encoder: expected a vocabulary of at least 2 words, found {shape.Vocabulary}.");
        (_spec, _shape) = (spec, shape);
        head = new CellHead(shape.CellWidth, spec.Hidden, shape.Vocabulary);
        RegisterComponents();
    }

    public override MaskSpec? Mask => new(_spec.Share, 1);

    public override Tensor Loss(ObjectiveInput input)
    {
        var masked = HiddenCells.Of(input, _shape.CellWidth);
        var tokens = masked.Tokens ?? throw new ArgumentException("Masked tokens need token numbers: none were given.");
        Require.Shape(tokens, masked.Hidden.size(0), masked.Hidden.size(1));
        var (rows, counted) = Choose(masked.Hidden, _spec.MostTokens, input.Random);
        var cells = masked.Cells.flatten(0, 1).index_select(0, rows).to(ScalarType.Float32); // [M, D]
        return Guess(head.forward(cells), tokens.flatten().index_select(0, rows), counted);
    }

    /// <summary>Mean cross entropy of scores [M, words] for tokens [M] where <paramref name="counted"/> [M].</summary>
    public static Tensor Guess(Tensor scores, Tensor tokens, Tensor counted) =>
        HiddenCells.Mean(nn.functional.cross_entropy(scores, tokens, reduction: nn.Reduction.None), counted);

    /// <summary>The rows of at most <paramref name="most"/> hidden cells of [N, T], at random, and which of the rows are truly hidden. Their number depends on shapes alone, so the device is never waited for.</summary>
    public static (Tensor Rows, Tensor Counted) Choose(Tensor hidden, int most, StepRandom random)
    {
        var flat = hidden.flatten();
        using var generator = new Generator(random.Seed());
        var order = rand(flat.shape, generator: generator).to(flat.device) + flat.to(ScalarType.Float32);
        var rows = order.topk((int)Math.Min(most, flat.numel())).indexes;
        return (rows, flat.index_select(0, rows));
    }
}
