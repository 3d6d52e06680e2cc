// What the networks of pictures and spectrograms have in common: a grid of values in, a grid of cells out of every block.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>[N, C, H, W] to the output of every block, shallow to deep, each a grid [N, D, H', W'].</summary>
internal abstract class GridNetwork(string name) : nn.Module<Tensor, Tensor[]>(name)
{
    /// <summary>Channels of every block's output.</summary>
    public abstract IReadOnlyList<int> Widths { get; }

    /// <summary>Widths of the blocks that follow pooling; they are numbered on after those of the grid.</summary>
    public virtual IReadOnlyList<int> HeadWidths => [];

    /// <summary>The outputs of those blocks, shallow to deep, for means and deviations of the last grid block [N, 2D].</summary>
    public virtual Tensor[] Head(Tensor pooled) => [];

    /// <summary>How many input rows and columns one cell of the last block stands for.</summary>
    public abstract (int Rows, int Columns) CellSize { get; }

    /// <summary>The blocks' outputs where part of the input is hidden; <paramref name="hidden"/> is [N, H', W'] bool over the last block's cells.</summary>
    public abstract Tensor[] ForwardHidden(Tensor input, Tensor hidden);

    public static GridNetwork Of(int channels, EncoderSpec spec) => spec switch
    {
        { Speech: { } speech, Transformer: { } transformer } => new SpeechNetwork(speech, transformer),
        { Transformer: { } transformer } => new TransformerNetwork(channels, transformer),
        _ => new ConvNetwork(channels, spec),
    };

    /// <summary>A mask over cells to one over input values, [N, 1, H, W].</summary>
    public static Tensor OverInput(Tensor hidden, Tensor input, (int Rows, int Columns) cell)
    {
        Require.Shape(hidden, input.size(0), Require.Any, Require.Any);
        var wide = hidden.unsqueeze(1).repeat_interleave(cell.Rows, 2).repeat_interleave(cell.Columns, 3);
        return wide[.., .., ..(int)input.size(2), ..(int)input.size(3)];
    }
}
