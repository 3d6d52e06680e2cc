// The shape of a transformer, for every front end: grids of patches, spectrograms, words, sound.
// Vaswani et al. 2017 (arXiv 1706.03762), Dosovitskiy et al. 2021 (2010.11929); registers: Darcet et al. 2024 (2309.16588);
// LayerScale: Touvron et al. 2021 (2103.17239); stochastic depth: Huang et al. 2016 (1603.09382); rotary: Su et al. 2021 (2104.09864).
namespace FeatureForge.Learning;

/// <summary>How tokens know where they are.</summary>
internal enum PositionKind
{
    /// <summary>A learned vector per place, added to the token; other grid sizes by bicubic interpolation.</summary>
    Learned,
    /// <summary>Queries and keys are turned by angles that grow with the place: rows and columns for grids, one axis for sequences.</summary>
    Rotary,
    /// <summary>Not at all, or by something before the blocks.</summary>
    None,
}

/// <summary>Which activation stands between the two linear layers of a block.</summary>
internal enum Activation
{
    Gelu,
    Relu,
    Silu,
}

/// <summary>Enough to build the modules that a weight file fills.</summary>
internal sealed record TransformerSpec
{
    /// <summary>D, values per token; a multiple of <see cref="Heads"/>.</summary>
    public int Width { get; init; }
    /// <summary>Blocks.</summary>
    public int Depth { get; init; }
    /// <summary>Attention heads.</summary>
    public int Heads { get; init; }
    /// <summary>Values between the two linear layers of a block; 0 = four times the width.</summary>
    public int Hidden { get; init; }

    /// <summary>Grids: rows of input values per patch.</summary>
    public int PatchRows { get; init; }
    /// <summary>Grids: columns of input values per patch.</summary>
    public int PatchColumns { get; init; }
    /// <summary>Grids with learned positions: patches per column of the table.</summary>
    public int GridRows { get; init; }
    /// <summary>Grids with learned positions: patches per row of the table.</summary>
    public int GridColumns { get; init; }

    /// <summary>How tokens know where they are: learned (a vector per place), rotary (queries and keys turned by angles) or none.</summary>
    public PositionKind Positions { get; init; } = PositionKind.Learned;
    /// <summary>One more token whose vector is nobody's place.</summary>
    public bool ClassToken { get; init; }
    /// <summary>Further such tokens: places for what the blocks want to note down.</summary>
    public int Registers { get; init; }

    /// <summary>True: normalise before attention and before the linear layers, and once at the end. False: after each sum (the 2017 form).</summary>
    public bool PreNorm { get; init; } = true;
    /// <summary>Added to the variance when tokens are normalised.</summary>
    public double NormEpsilon { get; init; } = 1e-6;
    /// <summary>Starting value of the learned factor on each branch; 0 = no factor.</summary>
    public double LayerScale { get; init; }
    /// <summary>Whether queries, keys and values have a bias.</summary>
    public bool QkvBias { get; init; } = true;
    /// <summary>Normalise queries and keys per head: keeps logits bounded in long low-precision training.</summary>
    public bool QueryKeyNorm { get; init; }
    /// <summary>Chance that an item skips a branch of the last block in training; it rises linearly from 0 at the first.</summary>
    public double DropPath { get; init; }
    /// <summary>Between the two linear layers of a block.</summary>
    public Activation Activation { get; init; } = Activation.Gelu;

    internal int HeadWidth => Width / Heads;

    internal int HiddenWidth => Hidden > 0 ? Hidden : 4 * Width;

    /// <summary>Tokens before the first one that has a place.</summary>
    internal int ExtraTokens => (ClassToken ? 1 : 0) + Registers;

    /// <summary>Every problem of the shape, each a sentence; <paramref name="ofGrids"/> when patches are wanted.</summary>
    public IEnumerable<string> Problems(bool ofGrids)
    {
        if (Width < 1 || Heads < 1 || Width % Heads != 0) yield return $"transformer width {Width} and heads {Heads}: expected the width to be a positive multiple of the heads.";
        else if (Positions == PositionKind.Rotary && HeadWidth % (ofGrids ? 4 : 2) != 0) yield return $"transformer head width {HeadWidth}: rotary positions need a multiple of {(ofGrids ? 4 : 2)}.";
        if (Depth < 1) yield return $"transformer depth is {Depth}; expected 1 or more.";
        if (Hidden < 0 || Registers < 0 || LayerScale < 0) yield return "transformer hidden width, registers and layer scale may not be negative.";
        if (DropPath is < 0 or >= 1) yield return $"transformer drop path is {DropPath}; expected at least 0 and less than 1.";
        if (!ofGrids) yield break;
        if (PatchRows < 1 || PatchColumns < 1) yield return $"transformer patches of {PatchRows} x {PatchColumns} values; expected at least 1 x 1.";
        if (Positions == PositionKind.Learned && (GridRows < 1 || GridColumns < 1)) yield return $"transformer position table of {GridRows} x {GridColumns} places; expected at least 1 x 1.";
    }
}
