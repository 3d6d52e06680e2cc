// A transformer over tokens of a text: token and position vectors, normalised, then the blocks (BERT: Devlin et al. 2019, arXiv 1810.04805).
using FeatureForge.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Field names are parameter names in weight files: keep them.</summary>
internal sealed class TokenNetwork : nn.Module
{
    private readonly Embedding tokens;
    private readonly Parameter? positions;
    private readonly LayerNorm norm;
    private readonly Parameter mask_token;
    private readonly TransformerTrunk trunk;
    private readonly TransformerSpec _spec;

    /// <param name="vocabulary">Numbers that a token may have.</param>
    /// <param name="longest">Tokens per window at most.</param>
    public TokenNetwork(int vocabulary, int longest, TransformerSpec spec) : base(nameof(TokenNetwork))
    {
        FeatureForge.Data.BadRequestException.ThrowIfAny([.. spec.Problems(ofGrids: false)]);
        (_spec, Longest) = (spec, longest);
        tokens = nn.Embedding(vocabulary, spec.Width);
        nn.init.normal_(tokens.weight!, 0, 0.02);
        if (spec.Positions == PositionKind.Learned) positions = TransformerStart.Vectors(longest, spec.Width);
        norm = nn.LayerNorm(spec.Width, spec.NormEpsilon);
        mask_token = TransformerStart.Vectors(spec.Width);
        trunk = new TransformerTrunk(spec);
        RegisterComponents();
    }

    /// <summary>Tokens per window at most.</summary>
    public int Longest { get; }

    /// <summary>The tokens' vectors before anything is added, [N, L, D].</summary>
    public Tensor Vectors(Tensor numbers) => tokens.forward(numbers);

    /// <summary>Token numbers [N, L] int64 to the tokens' vectors after every block, each [N, L, D].</summary>
    /// <param name="visible">[N, L] bool, false = padding, which no token looks at; null = all are there.</param>
    /// <param name="hidden">[N, L] bool: tokens replaced by one learned vector; null = none.</param>
    /// <exception cref="ArgumentException">More tokens than <see cref="Longest"/>.</exception>
    public Tensor[] Forward(Tensor numbers, Tensor? visible = null, Tensor? hidden = null)
    {
        Require.Shape(numbers, Require.Any, Require.Any);
        var length = (int)numbers.size(1);
        if (length > Longest) throw new ArgumentException($"Expected at most {Longest} tokens per window, found {length}.");
        if (visible is not null) Require.Shape(visible, numbers.size(0), length);
        var sum = Vectors(numbers);
        if (hidden is not null) sum = where(hidden.unsqueeze(2), mask_token.to(sum.dtype), sum);
        if (positions is not null) sum = sum + positions.narrow(0, 0, length);
        var rotary = _spec.Positions == PositionKind.Rotary ? RotaryPositions.OfSequence(length, _spec.HeadWidth, numbers.device) : (RotaryPositions?)null;
        return trunk.Forward(norm.forward(sum), visible, rotary);
    }
}
