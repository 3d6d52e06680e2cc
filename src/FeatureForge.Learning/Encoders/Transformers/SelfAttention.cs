// Multi-head self-attention (Vaswani et al. 2017, arXiv 1706.03762): softmax(Q K' / sqrt(head width)) V per head, then a linear layer.
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Field names are parameter names in weight files: keep them.</summary>
internal sealed class SelfAttention : nn.Module
{
    private readonly Linear qkv;
    private readonly Linear output;
    private readonly LayerNorm? query_norm;
    private readonly LayerNorm? key_norm;
    private readonly int _heads;

    public SelfAttention(TransformerSpec spec) : base(nameof(SelfAttention))
    {
        _heads = spec.Heads;
        qkv = TransformerStart.Linear(spec.Width, 3 * spec.Width, spec.QkvBias);
        output = TransformerStart.Linear(spec.Width, spec.Width);
        if (spec.QueryKeyNorm)
        {
            query_norm = nn.LayerNorm(spec.HeadWidth, spec.NormEpsilon);
            key_norm = nn.LayerNorm(spec.HeadWidth, spec.NormEpsilon);
        }
        RegisterComponents();
    }

    /// <summary>[N, T, D] to [N, T, D].</summary>
    /// <param name="visible">[N, 1, 1, T] bool: which tokens may be looked at; null = all.</param>
    public Tensor Forward(Tensor tokens, Tensor? visible, RotaryPositions? rotary)
    {
        var (count, length, width) = (tokens.size(0), tokens.size(1), tokens.size(2));
        var parts = qkv.forward(tokens).view(count, length, 3, _heads, width / _heads).permute(2, 0, 3, 1, 4); // [3, N, heads, T, head width]
        var (query, key, value) = (parts[0], parts[1], parts[2]);
        if (query_norm is not null) (query, key) = (query_norm.forward(query), key_norm!.forward(key));
        if (rotary is { } turning) (query, key) = (turning.Turn(query), turning.Turn(key));
        var mixed = nn.functional.scaled_dot_product_attention(query, key, value, visible); // [N, heads, T, head width]
        return output.forward(mixed.transpose(1, 2).reshape(count, length, width));
    }
}

/// <summary>Starting values: normal with deviation 0.02, biases 0 (BERT's and ViT's).</summary>
internal static class TransformerStart
{
    private const double Deviation = 0.02;

    public static Linear Linear(long from, long to, bool hasBias = true)
    {
        var made = nn.Linear(from, to, hasBias);
        nn.init.normal_(made.weight, 0, Deviation);
        if (hasBias) nn.init.zeros_(made.bias);
        return made;
    }

    public static Parameter Vectors(params long[] shape) => new(randn(shape) * Deviation);
}
