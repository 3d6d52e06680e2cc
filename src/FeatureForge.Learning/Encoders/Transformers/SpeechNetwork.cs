// A transformer over sound itself: strided convolutions make a vector every 20 ms, a wide grouped convolution tells it where it is,
// then the blocks. wav2vec 2.0 (Baevski et al. 2020, arXiv 2006.11477), HuBERT (Hsu et al. 2021, arXiv 2106.07447).
using FeatureForge.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>The part of the network before the blocks.</summary>
internal sealed record SpeechSpec
{
    /// <summary>Channels of every convolution.</summary>
    public required IReadOnlyList<int> Widths { get; init; }
    /// <summary>Samples or cells under the kernel of every convolution.</summary>
    public required IReadOnlyList<int> Kernels { get; init; }
    /// <summary>Stride of every convolution.</summary>
    public required IReadOnlyList<int> Strides { get; init; }
    /// <summary>Whether the convolutions have a bias.</summary>
    public bool Bias { get; init; }
    /// <summary>True: every convolution is normalised over its channels. False: the first one alone, each channel over time.</summary>
    public bool NormEveryLayer { get; init; }
    /// <summary>Whether the convolutions' output is normalised before its projection to the blocks' width.</summary>
    public bool ProjectionNorm { get; init; } = true;
    /// <summary>Cells under the kernel of the positional convolution.</summary>
    public required int PositionKernel { get; init; }
    /// <summary>Groups of channels of the positional convolution.</summary>
    public required int PositionGroups { get; init; }
    /// <summary>Whether the samples of a window are brought to mean 0 and deviation 1.</summary>
    public bool Normalise { get; init; }

    /// <summary>Samples per cell.</summary>
    internal int Stride => Strides.Aggregate(1, (a, b) => a * b);

    /// <summary>Cells of so many samples; 0 when they are too few for one.</summary>
    internal int Cells(long samples)
    {
        for (var i = 0; i < Kernels.Count; i++) samples = samples < Kernels[i] ? 0 : 1 + (samples - Kernels[i]) / Strides[i];
        return (int)samples;
    }
}

/// <summary>Field names are parameter names in weight files: keep them.</summary>
internal sealed class SpeechNetwork : GridNetwork
{
    private readonly ModuleList<SpeechConvolution> convolutions = [];
    private readonly LayerNorm? projection_norm;
    private readonly Linear projection;
    private readonly Conv1d positions;
    private readonly LayerNorm? norm;
    private readonly Parameter mask_token;
    private readonly TransformerTrunk trunk;
    private readonly SpeechSpec _speech;
    private readonly int _width;

    public SpeechNetwork(SpeechSpec speech, TransformerSpec spec) : base(nameof(SpeechNetwork))
    {
        (_speech, _width) = (speech, spec.Width);
        for (var i = 0; i < speech.Widths.Count; i++) convolutions.Add(new SpeechConvolution(speech, i));
        if (speech.ProjectionNorm) projection_norm = nn.LayerNorm(speech.Widths[^1], spec.NormEpsilon);
        projection = TransformerStart.Linear(speech.Widths[^1], spec.Width);
        positions = nn.Conv1d(spec.Width, spec.Width, speech.PositionKernel, padding: speech.PositionKernel / 2, groups: speech.PositionGroups);
        if (!spec.PreNorm) norm = nn.LayerNorm(spec.Width, spec.NormEpsilon);
        mask_token = TransformerStart.Vectors(spec.Width);
        trunk = new TransformerTrunk(spec);
        Widths = [.. Enumerable.Repeat(spec.Width, spec.Depth)];
        RegisterComponents();
    }

    public override IReadOnlyList<int> Widths { get; }

    public override (int Rows, int Columns) CellSize => (1, _speech.Stride);

    /// <summary>Samples [N, 1, 1, S] to the cells' vectors after every block, each [N, D, 1, T].</summary>
    public override Tensor[] forward(Tensor input) => Run(input, null);

    /// <summary>The same with hidden cells replaced by one learned vector after the convolutions.</summary>
    /// <param name="hidden">[N, 1, T] bool.</param>
    public override Tensor[] ForwardHidden(Tensor input, Tensor hidden) => Run(input, hidden);

    private Tensor[] Run(Tensor input, Tensor? hidden)
    {
        Require.Shape(input, Require.Any, 1, 1, Require.Any);
        var sound = input.squeeze(2); // [N, 1, S]
        for (var i = 0; i < convolutions.Count; i++) sound = convolutions[i].forward(sound);
        var cells = sound.transpose(1, 2); // [N, T, C]
        cells = projection.forward(projection_norm is null ? cells : projection_norm.forward(cells));
        if (hidden is not null)
        {
            Require.Shape(hidden, cells.size(0), 1, cells.size(1));
            cells = where(hidden.transpose(1, 2), mask_token.to(cells.dtype), cells);
        }
        // An even kernel gives one cell too many.
        var placed = Convolutions.Forward(positions, cells.transpose(1, 2)).narrow(2, 0, cells.size(1)).transpose(1, 2);
        cells = cells + nn.functional.gelu(placed);
        return [.. trunk.Forward(norm is null ? cells : norm.forward(cells)).Select(output => output.transpose(1, 2).unsqueeze(2))];
    }
}

/// <summary>One strided convolution. Field names are parameter names in weight files: keep them.</summary>
internal sealed class SpeechConvolution : nn.Module<Tensor, Tensor>
{
    private readonly Conv1d convolution;
    private readonly LayerNorm? layer_norm;
    private readonly GroupNorm? channel_norm;

    public SpeechConvolution(SpeechSpec speech, int number) : base(nameof(SpeechConvolution))
    {
        var width = speech.Widths[number];
        convolution = nn.Conv1d(number == 0 ? 1 : speech.Widths[number - 1], width, speech.Kernels[number], stride: speech.Strides[number], bias: speech.Bias);
        nn.init.kaiming_normal_(convolution.weight);
        if (speech.NormEveryLayer) layer_norm = nn.LayerNorm(width);
        else if (number == 0) channel_norm = nn.GroupNorm(width, width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        var made = Convolutions.Forward(convolution, input);
        if (layer_norm is not null) made = layer_norm.forward(made.transpose(1, 2)).transpose(1, 2);
        else if (channel_norm is not null) made = channel_norm.forward(made);
        return nn.functional.gelu(made);
    }
}
