// A fully connected block on pooled vectors that belongs to the encoder: levels may read it, and objectives put their projector on top.
// Chen et al. 2020 (SimCLR v2, arXiv 2006.10029) read a middle layer of a deep projection head; we declare that part of it as encoder.
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>[N, D] to [N, W]: Linear, BatchNorm, ReLU. Field names are parameter names in weight files.</summary>
internal sealed class HeadBlock : nn.Module<Tensor, Tensor>
{
    private readonly Linear linear;
    private readonly BatchNorm1d norm;

    public HeadBlock(long from, long to) : base(nameof(HeadBlock))
    {
        linear = nn.Linear(from, to, hasBias: false);
        norm = nn.BatchNorm1d(to);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => nn.functional.relu(norm.forward(linear.forward(input)));
}
