// The convolutional network of the CPU tier: a chain of conv-BatchNorm-ReLU blocks whose outputs are all kept,
// because levels are read at declared depths. Serves pictures and log-mel spectrograms alike.
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Field names are parameter names in weight files: keep them.</summary>
internal sealed class ConvNetwork : nn.Module<Tensor, Tensor[]>
{
    private readonly ModuleList<ConvBlock> blocks = [];

    public ConvNetwork(int channels, EncoderSpec spec) : base(nameof(ConvNetwork))
    {
        for (var i = 0; i < spec.Widths.Count; i++)
            blocks.Add(new ConvBlock(i == 0 ? channels : spec.Widths[i - 1], spec.Widths[i], spec.Strides[i], spec.ColumnStrides[i]));
        RegisterComponents();
    }

    /// <summary>[B, C, H, W] to the output of every block, shallow to deep.</summary>
    public override Tensor[] forward(Tensor input)
    {
        var stages = new Tensor[blocks.Count];
        for (var i = 0; i < stages.Length; i++) stages[i] = blocks[i].forward(i == 0 ? input : stages[i - 1]);
        return stages;
    }
}

internal sealed class ConvBlock : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d convolution;
    private readonly BatchNorm2d norm;

    public ConvBlock(int from, int to, int rowStride, int columnStride) : base(nameof(ConvBlock))
    {
        convolution = nn.Conv2d(from, to, kernel_size: (3, 3), stride: (rowStride, columnStride), padding: (1, 1), bias: false);
        norm = nn.BatchNorm2d(to);
        nn.init.kaiming_normal_(convolution.weight, mode: nn.init.FanInOut.FanOut, nonlinearity: nn.init.NonlinearityType.ReLU);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => nn.functional.relu(norm.forward(convolution.forward(input)));
}
