// A transformer over the patches of a grid: pictures, spectrograms. Class token and registers take part in attention and are
// left out of what comes back. A position table of another size is interpolated bicubically, as in DINOv2 (corners not aligned).
using FeatureForge.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Field names are parameter names in weight files: keep them.</summary>
internal sealed class TransformerNetwork : GridNetwork
{
    private readonly Conv2d patches;
    private readonly Parameter? positions;
    private readonly Parameter? class_token;
    private readonly Parameter? registers;
    private readonly Parameter mask_token;
    private readonly TransformerTrunk trunk;
    private readonly TransformerSpec _spec;

    /// <exception cref="FeatureForge.Data.BadRequestException">The shape cannot be built.</exception>
    public TransformerNetwork(int channels, TransformerSpec spec) : base(nameof(TransformerNetwork))
    {
        FeatureForge.Data.BadRequestException.ThrowIfAny([.. spec.Problems(ofGrids: true)]);
        _spec = spec;
        patches = nn.Conv2d(channels, spec.Width, kernel_size: (spec.PatchRows, spec.PatchColumns), stride: (spec.PatchRows, spec.PatchColumns));
        nn.init.normal_(patches.weight, 0, 1 / Math.Sqrt(channels * spec.PatchRows * spec.PatchColumns));
        nn.init.zeros_(patches.bias);
        if (spec.Positions == PositionKind.Learned) positions = TransformerStart.Vectors(spec.GridRows * spec.GridColumns, spec.Width);
        if (spec.ClassToken) class_token = TransformerStart.Vectors(spec.Width);
        if (spec.Registers > 0) registers = TransformerStart.Vectors(spec.Registers, spec.Width);
        mask_token = TransformerStart.Vectors(spec.Width);
        trunk = new TransformerTrunk(spec);
        Widths = [.. Enumerable.Repeat(spec.Width, spec.Depth)];
        RegisterComponents();
    }

    public override IReadOnlyList<int> Widths { get; }

    public override (int Rows, int Columns) CellSize => (_spec.PatchRows, _spec.PatchColumns);

    /// <summary>[N, C, H, W] to the patches' vectors after every block, each [N, D, H', W'].</summary>
    public override Tensor[] forward(Tensor input) => Run(input, null);

    /// <summary>The same with the hidden patches replaced by one learned vector before anything looks at them; positions stay.</summary>
    /// <param name="hidden">[N, H', W'] bool.</param>
    public override Tensor[] ForwardHidden(Tensor input, Tensor hidden) => Run(input, hidden);

    private Tensor[] Run(Tensor input, Tensor? hidden)
    {
        var (tokens, rows, columns) = Tokens(input, hidden);
        return [.. trunk.Forward(WithExtra(tokens), null, Rotary(rows, columns, input.device))
            .Select(output => output.narrow(1, _spec.ExtraTokens, rows * columns).transpose(1, 2).reshape(input.size(0), _spec.Width, rows, columns))];
    }

    /// <summary>The visible patches alone, as masked autoencoders encode them (He et al. 2022, arXiv 2111.06377): a fraction of the work.</summary>
    /// <param name="visible">[N, K] int64: the numbers of the patches to keep, row by row of the grid.</param>
    /// <returns>Vectors of those patches after the last block, [N, K, D].</returns>
    public Tensor ForwardVisible(Tensor input, Tensor visible)
    {
        if (_spec.Positions == PositionKind.Rotary) throw new NotSupportedException("Dropping patches needs learned positions: rotary angles are one table for all items.");
        Require.Shape(visible, input.size(0), Require.Any);
        var (tokens, _, _) = Tokens(input, null);
        var kept = tokens.gather(1, visible.unsqueeze(2).expand(-1, -1, _spec.Width));
        return trunk.Forward(WithExtra(kept))[^1].narrow(1, _spec.ExtraTokens, visible.size(1));
    }

    // Patches with their positions, [N, rows * columns, D].
    private (Tensor Tokens, int Rows, int Columns) Tokens(Tensor input, Tensor? hidden)
    {
        Require.Shape(input, Require.Any, patches.weight.size(1), Require.Any, Require.Any);
        var (down, across) = (Excess(input.size(2), _spec.PatchRows), Excess(input.size(3), _spec.PatchColumns));
        // What sticks out over the last patches is filled with zeros: the mean of normalised input.
        var grid = Convolutions.Forward(patches, down == 0 && across == 0 ? input : nn.functional.pad(input, [0, across, 0, down]));
        var (rows, columns) = ((int)grid.size(2), (int)grid.size(3));
        var tokens = grid.flatten(2).transpose(1, 2);
        if (hidden is not null)
        {
            Require.Shape(hidden, input.size(0), rows, columns);
            tokens = where(hidden.flatten(1).unsqueeze(2), mask_token.to(tokens.dtype), tokens);
        }
        return (positions is null ? tokens : tokens + PositionsOf(rows, columns), rows, columns);
    }

    private static long Excess(long size, int patch) => (patch - size % patch) % patch;

    /// <summary>The position table for a grid of any size, [rows * columns, D].</summary>
    internal Tensor PositionsOf(int rows, int columns)
    {
        if (rows == _spec.GridRows && columns == _spec.GridColumns) return positions!;
        var table = positions!.view(1, _spec.GridRows, _spec.GridColumns, _spec.Width).permute(0, 3, 1, 2);
        return nn.functional.interpolate(table, [rows, columns], mode: InterpolationMode.Bicubic, align_corners: false).flatten(2).transpose(1, 2).squeeze(0);
    }

    private Tensor WithExtra(Tensor tokens)
    {
        if (_spec.ExtraTokens == 0) return tokens;
        Tensor Repeated(Tensor vectors) => vectors.view(1, -1, _spec.Width).expand(tokens.size(0), -1, -1).to(tokens.dtype);
        var all = new List<Tensor>();
        if (class_token is not null) all.Add(Repeated(class_token));
        if (registers is not null) all.Add(Repeated(registers));
        return cat([.. all, tokens], 1);
    }

    private RotaryPositions? Rotary(int rows, int columns, torch.Device device) =>
        _spec.Positions == PositionKind.Rotary ? RotaryPositions.OfGrid(_spec.ExtraTokens, rows, columns, _spec.HeadWidth, device) : null;
}
