// Between a cell of the encoder and what a masked objective predicts there; thrown away after training, as projectors are.
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>[..., D] to [..., K]: Linear, GELU, LayerNorm, Linear.</summary>
internal sealed class CellHead : nn.Module<Tensor, Tensor>
{
    private readonly Linear inner;
    private readonly LayerNorm norm;
    private readonly Linear output;

    public CellHead(long width, long hidden, long outputs) : base(nameof(CellHead))
    {
        inner = nn.Linear(width, hidden);
        norm = nn.LayerNorm(hidden);
        output = nn.Linear(hidden, outputs);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => output.forward(norm.forward(nn.functional.gelu(inner.forward(input))));
}
