// The blocks of a transformer, whatever their tokens stand for; all outputs are kept, because levels are read at declared depths.
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Field names are parameter names in weight files: keep them.</summary>
internal sealed class TransformerTrunk : nn.Module
{
    private readonly ModuleList<TransformerBlock> blocks = [];
    private readonly LayerNorm? norm;

    public TransformerTrunk(TransformerSpec spec) : base(nameof(TransformerTrunk))
    {
        for (var i = 0; i < spec.Depth; i++) blocks.Add(new TransformerBlock(spec, spec.Depth == 1 ? spec.DropPath : spec.DropPath * i / (spec.Depth - 1)));
        // Pre-norm sums grow from block to block: what leaves is normalised once more. Post-norm blocks have done it.
        if (spec.PreNorm) norm = nn.LayerNorm(spec.Width, spec.NormEpsilon);
        RegisterComponents();
    }

    /// <summary>[N, T, D] to the tokens after every block, each [N, T, D]; the last of a pre-norm trunk is normalised.</summary>
    /// <param name="visible">[N, T] bool: which tokens may be looked at (false: padding); null = all.</param>
    public Tensor[] Forward(Tensor tokens, Tensor? visible = null, RotaryPositions? rotary = null)
    {
        var mask = visible?.unsqueeze(1).unsqueeze(1); // [N, 1, 1, T]
        var outputs = new Tensor[blocks.Count];
        for (var i = 0; i < outputs.Length; i++) outputs[i] = tokens = blocks[i].Forward(tokens, mask, rotary);
        if (norm is not null) outputs[^1] = norm.forward(outputs[^1]);
        return outputs;
    }
}
