// Between encoder and objective during training; thrown away afterwards, because its output over-fits the pretext task.
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>[B, D] to [B, projected]: Linear, BatchNorm, ReLU, Linear.</summary>
internal sealed class Projector : nn.Module<Tensor, Tensor>
{
    private readonly Linear hidden;
    private readonly BatchNorm1d norm;
    private readonly Linear output;

    public Projector(int width, int hiddenWidth, int projectedWidth) : base(nameof(Projector))
    {
        hidden = nn.Linear(width, hiddenWidth, hasBias: false);
        norm = nn.BatchNorm1d(hiddenWidth);
        output = nn.Linear(hiddenWidth, projectedWidth, hasBias: false);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => output.forward(nn.functional.relu(norm.forward(hidden.forward(input))));
}
