// One block of a transformer: attention and two linear layers, each with a shortcut around it.
// Pre-norm (Xiong et al. 2020, arXiv 2002.04745): x + f(norm(x)). Post-norm (2017): norm(x + f(x)).
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Field names are parameter names in weight files: keep them.</summary>
internal sealed class TransformerBlock : nn.Module
{
    private readonly LayerNorm attention_norm;
    private readonly SelfAttention attention;
    private readonly LayerNorm mlp_norm;
    private readonly Linear rise;
    private readonly Linear fall;
    private readonly Parameter? attention_scale;
    private readonly Parameter? mlp_scale;
    private readonly TransformerSpec _spec;
    private readonly double _drop;

    /// <param name="drop">Chance that an item skips a branch in training.</param>
    public TransformerBlock(TransformerSpec spec, double drop) : base(nameof(TransformerBlock))
    {
        (_spec, _drop) = (spec, drop);
        attention_norm = nn.LayerNorm(spec.Width, spec.NormEpsilon);
        attention = new SelfAttention(spec);
        mlp_norm = nn.LayerNorm(spec.Width, spec.NormEpsilon);
        rise = TransformerStart.Linear(spec.Width, spec.HiddenWidth);
        fall = TransformerStart.Linear(spec.HiddenWidth, spec.Width);
        if (spec.LayerScale > 0)
        {
            attention_scale = new Parameter(full(spec.Width, spec.LayerScale));
            mlp_scale = new Parameter(full(spec.Width, spec.LayerScale));
        }
        RegisterComponents();
    }

    /// <summary>[N, T, D] to [N, T, D].</summary>
    /// <param name="visible">[N, 1, 1, T] bool: which tokens may be looked at; null = all.</param>
    public Tensor Forward(Tensor tokens, Tensor? visible, RotaryPositions? rotary)
    {
        if (!_spec.PreNorm)
        {
            var attended = attention_norm.forward(tokens + Branch(attention.Forward(tokens, visible, rotary), attention_scale));
            return mlp_norm.forward(attended + Branch(Linears(attended), mlp_scale));
        }
        tokens = tokens + Branch(attention.Forward(attention_norm.forward(tokens), visible, rotary), attention_scale);
        return tokens + Branch(Linears(mlp_norm.forward(tokens)), mlp_scale);
    }

    private Tensor Linears(Tensor tokens)
    {
        var risen = rise.forward(tokens);
        return fall.forward(_spec.Activation switch
        {
            Activation.Relu => nn.functional.relu(risen),
            Activation.Silu => nn.functional.silu(risen),
            _ => nn.functional.gelu(risen),
        });
    }

    private Tensor Branch(Tensor made, Tensor? scale)
    {
        if (scale is not null) made = made * scale;
        if (!training || _drop == 0) return made;
        // Kept branches weigh more, so that the sum is the same on average.
        var kept = rand(made.size(0), 1, 1, device: made.device) >= _drop;
        return made * kept.to(made.dtype) / (1 - _drop);
    }
}
