// The convolutional network of the CPU tier: a chain of blocks whose outputs are all kept, because levels are read at
// declared depths. A block is conv-BatchNorm-ReLU, or a residual pair of them (He et al. 2016, arXiv 1512.03385).
// Few channels at full resolution cost more time than they look: CPU kernels run at a tenth of their speed there (measured).
using FeatureForge.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Field names are parameter names in weight files: keep them.</summary>
internal sealed class ConvNetwork : GridNetwork
{
    private readonly ModuleList<ConvBlock> blocks = [];
    private readonly ModuleList<HeadBlock> head = [];

    public ConvNetwork(int channels, EncoderSpec spec) : base(nameof(ConvNetwork))
    {
        for (var i = 0; i < spec.Widths.Count; i++)
            blocks.Add(new ConvBlock(i == 0 ? channels : spec.Widths[i - 1], spec.Widths[i], spec.Kernel(i), spec.Strides[i], spec.ColumnStrides[i], spec.IsResidual(i)));
        for (var i = 0; i < spec.Head.Count; i++) head.Add(new HeadBlock(i == 0 ? 2 * spec.Widths[^1] : spec.Head[i - 1], spec.Head[i]));
        HeadWidths = spec.Head;
        (Widths, CellSize) = (spec.Widths, (spec.Strides.Aggregate(1, (a, b) => a * b), spec.ColumnStrides.Aggregate(1, (a, b) => a * b)));
        RegisterComponents();
    }

    public override IReadOnlyList<int> Widths { get; }
    public override IReadOnlyList<int> HeadWidths { get; }
    public override (int Rows, int Columns) CellSize { get; }

    public override Tensor[] forward(Tensor input)
    {
        var stages = new Tensor[blocks.Count];
        for (var i = 0; i < stages.Length; i++) stages[i] = blocks[i].forward(i == 0 ? input : stages[i - 1]);
        return stages;
    }

    public override Tensor[] Head(Tensor pooled)
    {
        var outputs = new Tensor[head.Count];
        for (var i = 0; i < outputs.Length; i++) outputs[i] = head[i].forward(i == 0 ? pooled : outputs[i - 1]);
        return outputs;
    }

    // The input is normalised: zero is its mean.
    public override Tensor[] ForwardHidden(Tensor input, Tensor hidden) => forward(input.masked_fill(OverInput(hidden, input, CellSize), 0));
}

internal sealed class ConvBlock : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d convolution;
    private readonly BatchNorm2d norm;
    private readonly Conv2d? second;
    private readonly BatchNorm2d? secondNorm;
    private readonly Conv2d? shortcut;
    private readonly (int Rows, int Columns) _stride;

    public ConvBlock(int from, int to, int kernel, int rowStride, int columnStride, bool residual) : base(nameof(ConvBlock))
    {
        _stride = (rowStride, columnStride);
        convolution = Convolution(from, to, kernel, (rowStride, columnStride));
        norm = nn.BatchNorm2d(to);
        if (residual)
        {
            second = Convolution(to, to, kernel, (1, 1));
            secondNorm = nn.BatchNorm2d(to);
            // The pair starts as nothing but its shortcut (Goyal et al. 2017, arXiv 1706.02677).
            nn.init.zeros_(secondNorm.weight);
            if (from != to) shortcut = Convolution(from, to, 1, (1, 1));
        }
        RegisterComponents();
    }

    private static Conv2d Convolution(int from, int to, int kernel, (long, long) stride)
    {
        var made = nn.Conv2d(from, to, kernel_size: (kernel, kernel), stride: stride, padding: (kernel / 2, kernel / 2), bias: false);
        nn.init.kaiming_normal_(made.weight, mode: nn.init.FanInOut.FanOut, nonlinearity: nn.init.NonlinearityType.ReLU);
        return made;
    }

    public override Tensor forward(Tensor input)
    {
        var output = Convolutions.Forward(convolution, norm, input).relu_();
        if (second is null) return output;
        output = Convolutions.Forward(second, secondNorm!, output);
        var direct = _stride == (1, 1) ? input : nn.functional.avg_pool2d(input, [_stride.Rows, _stride.Columns], ceil_mode: true, count_include_pad: false);
        return (output + (shortcut is null ? direct : Convolutions.Forward(shortcut, direct))).relu_();
    }
}
