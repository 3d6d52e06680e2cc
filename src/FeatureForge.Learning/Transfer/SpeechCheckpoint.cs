// wav2vec 2.0 and HuBERT of Hugging Face by their tensor names. The positional convolution's weight is kept as the product of
// its norm and direction, under both names that PyTorch has given them.
using FeatureForge.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal static class SpeechCheckpoint
{
    private const string Mark = "feature_extractor.conv_layers.0.conv.weight";

    private static readonly string[] _unneeded = ["quantizer.", "project_hid.", "project_q.", "lm_head.", "classifier.", "projector.", "layer_weights", "label_embs_concat", "final_proj."];

    public static bool Fits(TensorTaker taker) => taker.PrefixOf(Mark) is not null;

    /// <exception cref="BadRequestException">Something is missing, unexpected, or of a kind that cannot be built.</exception>
    public static ImportedNetwork Read(TensorTaker taker, CheckpointConfig config)
    {
        var prefix = taker.PrefixOf(Mark)!;
        if (taker.PrefixOf("gru_rel_pos_linear.weight") is not null) throw new BadRequestException("The checkpoint has gated relative positions (WavLM); this program reads wav2vec 2.0 and HuBERT.");
        if (config.Flag("conv_pos_batch_norm") == true) throw new BadRequestException("The checkpoint normalises its positional convolution over the batch (conv_pos_batch_norm); this program knows weight norm only.");
        var layers = taker.Count(prefix + "feature_extractor.conv_layers.{0}.conv.weight");
        var depth = taker.Count(prefix + "encoder.layers.{0}.attention.q_proj.weight");
        var shapes = Enumerable.Range(0, layers).Select(i => taker.ShapeOf($"{prefix}feature_extractor.conv_layers.{i}.conv.weight")!).ToList();
        if (taker.ShapeOf(prefix + "feature_projection.projection.weight") is not [var width, _] || shapes.Any(shape => shape.Count != 3) || depth == 0)
            throw new BadRequestException($"The checkpoint lacks {prefix}feature_projection.projection.weight, {prefix}encoder.layers or convolutions of three dimensions.");
        var strides = config.Wholes("conv_stride") ?? [5, 2, 2, 2, 2, 2, 2];
        if (strides.Length != layers) throw new BadRequestException($"The checkpoint has {layers} convolutions, its conv_stride {strides.Length} values; give the model's own config.json.");
        var isStable = config.Flag("do_stable_layer_norm") ?? false;
        var spec = new TransformerSpec
        {
            Width = (int)width,
            Depth = depth,
            Heads = config.Whole("num_attention_heads") ?? (int)(width / 64),
            Hidden = (int)(taker.ShapeOf(prefix + "encoder.layers.0.feed_forward.intermediate_dense.weight")?[0] ?? 4 * width),
            Positions = PositionKind.None,
            PreNorm = isStable,
            NormEpsilon = config.Number("layer_norm_eps") ?? 1e-5,
            Activation = config.ActivationOf("hidden_act"),
        };
        var position = PositionShape(taker, prefix);
        var speech = new SpeechSpec
        {
            Widths = [.. shapes.Select(shape => (int)shape[0])],
            Kernels = [.. shapes.Select(shape => (int)shape[2])],
            Strides = strides,
            Bias = taker.Has(prefix + "feature_extractor.conv_layers.0.conv.bias"),
            NormEveryLayer = config.Word("feat_extract_norm") is { } kind ? kind == "layer" : taker.Has(prefix + "feature_extractor.conv_layers.1.layer_norm.weight"),
            ProjectionNorm = config.Flag("feat_proj_layer_norm") ?? true,
            PositionKernel = (int)position[2],
            PositionGroups = (int)(width / position[1]),
            Normalise = config.PreparedFlag("do_normalize") ?? true,
        };
        BadRequestException.ThrowIfAny([.. spec.Problems(ofGrids: false)]);

        var tensors = Front(taker, prefix, spec, speech);
        for (var i = 0; i < depth; i++) Block(taker, prefix, spec, i, tensors);
        taker.Both(tensors, isStable ? "trunk.norm" : "norm", prefix + "encoder.layer_norm", width);
        var leftOut = taker.Finish([.. _unneeded]);
        var encoder = ImportedNetwork.WithLevels(new() { Transformer = spec, Speech = speech }, depth);
        return new(config.Word("model_type") ?? (prefix.StartsWith("hubert", StringComparison.Ordinal) ? "hubert" : "wav2vec2"), Modality.Audio, encoder, tensors, leftOut);
    }

    private static Dictionary<string, Tensor> Front(TensorTaker taker, string prefix, TransformerSpec spec, SpeechSpec speech)
    {
        var tensors = new Dictionary<string, Tensor>();
        for (var i = 0; i < speech.Widths.Count; i++)
        {
            var (from, to) = ($"{prefix}feature_extractor.conv_layers.{i}.", $"convolutions.{i}.");
            tensors[to + "convolution.weight"] = taker.Take(from + "conv.weight", speech.Widths[i], i == 0 ? 1 : speech.Widths[i - 1], speech.Kernels[i]);
            if (speech.Bias) tensors[to + "convolution.bias"] = taker.Take(from + "conv.bias", speech.Widths[i]);
            if (speech.NormEveryLayer) taker.Both(tensors, to + "layer_norm", from + "layer_norm", speech.Widths[i]);
            else if (i == 0) taker.Both(tensors, to + "channel_norm", from + "layer_norm", speech.Widths[i]);
        }
        if (speech.ProjectionNorm) taker.Both(tensors, "projection_norm", prefix + "feature_projection.layer_norm", speech.Widths[^1]);
        taker.Both(tensors, "projection", prefix + "feature_projection.projection", spec.Width, speech.Widths[^1]);
        tensors["positions.weight"] = PositionWeight(taker, prefix, spec, speech);
        tensors["positions.bias"] = taker.Take(prefix + "encoder.pos_conv_embed.conv.bias", spec.Width);
        tensors["mask_token"] = taker.Has(prefix + "masked_spec_embed") ? taker.Take(prefix + "masked_spec_embed", spec.Width) : zeros(spec.Width);
        return tensors;
    }

    private static string Direction(TensorTaker taker, string prefix) =>
        prefix + "encoder.pos_conv_embed.conv." + (taker.Has(prefix + "encoder.pos_conv_embed.conv.weight_v") ? "weight_v" : "parametrizations.weight.original1");

    private static IReadOnlyList<long> PositionShape(TensorTaker taker, string prefix) => taker.ShapeOf(Direction(taker, prefix)) is { Count: 3 } shape ? shape
        : throw new BadRequestException($"The checkpoint has no {prefix}encoder.pos_conv_embed.conv.weight_v, nor parametrizations.weight.original1, of three dimensions.");

    // Weight norm over the first two dimensions (Salimans, Kingma 2016): one norm per place of the kernel.
    private static Tensor PositionWeight(TensorTaker taker, string prefix, TransformerSpec spec, SpeechSpec speech)
    {
        var name = Direction(taker, prefix);
        var norms = taker.Take(name.EndsWith("weight_v", StringComparison.Ordinal) ? name[..^1] + "g" : name[..^1] + "0", 1, 1, speech.PositionKernel);
        var directions = taker.Take(name, spec.Width, spec.Width / speech.PositionGroups, speech.PositionKernel);
        return norms * directions / directions.pow(2).sum([0L, 1], keepdim: true).sqrt();
    }

    private static void Block(TensorTaker taker, string prefix, TransformerSpec spec, int number, Dictionary<string, Tensor> tensors)
    {
        var (from, to, width) = ($"{prefix}encoder.layers.{number}.", $"trunk.blocks.{number}.", (long)spec.Width);
        AttentionParts.Join(taker, tensors, to + "attention.qkv", [.. new[] { "q", "k", "v" }.Select(part => $"{from}attention.{part}_proj")], width, hasBias: true);
        taker.Both(tensors, to + "attention.output", from + "attention.out_proj", width, width);
        taker.Both(tensors, to + "attention_norm", from + "layer_norm", width);
        taker.Both(tensors, to + "rise", from + "feed_forward.intermediate_dense", spec.HiddenWidth, width);
        taker.Both(tensors, to + "fall", from + "feed_forward.output_dense", width, spec.HiddenWidth);
        taker.Both(tensors, to + "mlp_norm", from + "final_layer_norm", width);
    }
}
