// Between encoder and objective during training; thrown away afterwards, because its output over-fits the pretext task.
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Widths of a projector's hidden layers and of its output.</summary>
internal sealed record ProjectorSpec
{
    /// <summary>Width of the hidden layers.</summary>
    public int Hidden { get; init; } = 512;
    /// <summary>Hidden layers, each Linear, BatchNorm, ReLU; 0 = one linear map.</summary>
    public int HiddenLayers { get; init; } = 1;
    /// <summary>Width of the output, which the loss sees.</summary>
    public int Width { get; init; } = 64;

    public IEnumerable<string> Problems()
    {
        if (Hidden < 1 || Width < 1 || HiddenLayers < 0) yield return $"projector has {HiddenLayers} hidden layers of {Hidden} and width {Width}; expected widths of at least 1 and no fewer than 0 layers.";
    }
}

/// <summary>[N, D] to [N, P]: Linear, BatchNorm, ReLU (as often as there are hidden layers), Linear.</summary>
internal sealed class Projector : nn.Module<Tensor, Tensor>
{
    private readonly ModuleList<Linear> hidden = [];
    private readonly ModuleList<BatchNorm1d> norm = [];
    private readonly Linear output;

    public Projector(long width, ProjectorSpec spec) : base(nameof(Projector))
    {
        for (var i = 0; i < spec.HiddenLayers; i++)
        {
            hidden.Add(nn.Linear(i == 0 ? width : spec.Hidden, spec.Hidden, hasBias: false));
            norm.Add(nn.BatchNorm1d(spec.Hidden));
        }
        output = nn.Linear(spec.HiddenLayers == 0 ? width : spec.Hidden, spec.Width, hasBias: false);
        RegisterComponents();
    }

    /// <summary>[V, B, D] to [V, B, P]; the BatchNorm sees all views as one batch.</summary>
    public Tensor OfViews(Tensor views) => forward(views.flatten(0, 1)).view(views.size(0), views.size(1), -1);

    public override Tensor forward(Tensor input)
    {
        for (var i = 0; i < hidden.Count; i++) input = nn.functional.relu(norm[i].forward(hidden[i].forward(input)));
        return output.forward(input);
    }
}
