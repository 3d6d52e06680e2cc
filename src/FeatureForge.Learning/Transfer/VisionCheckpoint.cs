// Vision transformers of other programs by their tensor names: timm and original DINOv2 (blocks.N.attn.qkv), Hugging Face ViT
// (layernorm_before) and DINOv2 (layer_scale1.lambda1). The class token's place is added to the class token: one vector, not two.
using FeatureForge.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal static class VisionCheckpoint
{
    private const string TimmMark = "blocks.0.attn.qkv.weight";
    private const string HuggingFaceMark = "encoder.layer.0.attention.attention.query.weight";

    private static readonly float[] _imageNetMean = [0.485f, 0.456f, 0.406f];
    private static readonly float[] _imageNetDeviation = [0.229f, 0.224f, 0.225f];

    // Heads, poolers, decoders of pretraining.
    private static readonly string[] _unneeded = ["head.", "head_dist.", "classifier.", "pooler.", "pre_logits.", "decoder.", "fc_norm.", "dino_head", "ibot_head"];

    public static bool Fits(TensorTaker taker) => taker.PrefixOf(TimmMark) is not null || taker.PrefixOf(HuggingFaceMark) is not null;

    /// <summary>The names of one family's parts, relative to its prefix.</summary>
    private sealed record Names(string Layer, string Class, string Positions, string Registers, string Mask, string Patches, string Norm1, string Norm2, string Up, string Down,
        string Output, string Scale1, string Scale2, string FinalNorm, bool Fused);

    /// <exception cref="BadRequestException">Something is missing, unexpected, or of a kind that cannot be built.</exception>
    public static ImportedNetwork Read(TensorTaker taker, CheckpointConfig config)
    {
        var isTimm = taker.PrefixOf(TimmMark) is not null;
        var prefix = taker.PrefixOf(isTimm ? TimmMark : HuggingFaceMark)!;
        var names = isTimm ? Timm(taker, prefix) : HuggingFace(taker, prefix);
        var depth = taker.Count(names.Layer + names.Norm1 + ".weight");
        Refuse(taker, string.Format(System.Globalization.CultureInfo.InvariantCulture, names.Layer, 0));
        if (taker.ShapeOf(names.Patches + ".weight") is not [var width, 3, var rows, var columns])
            throw new BadRequestException($"The checkpoint has no patch kernel {names.Patches}.weight of shape [D, 3, rows, columns].");
        if (taker.ShapeOf(names.Positions) is not { Count: 2 or 3 } table)
            throw new BadRequestException($"The checkpoint has no position table {names.Positions}; other kinds of positions are not known for this family.");
        var hasScale = taker.Has(string.Format(System.Globalization.CultureInfo.InvariantCulture, names.Layer, 0) + names.Scale1);
        var (classRows, side) = Grid(table[^2], taker.Has(names.Class));
        var spec = new TransformerSpec
        {
            Width = (int)width,
            Depth = depth,
            Heads = config.Whole("num_attention_heads") ?? config.Whole("num_heads") ?? config.Whole("model_args", "num_heads") ?? (int)(width / 64),
            Hidden = (int)(taker.ShapeOf(string.Format(System.Globalization.CultureInfo.InvariantCulture, names.Layer, 0) + names.Up + ".weight")?[0] ?? 4 * width),
            PatchRows = (int)rows,
            PatchColumns = (int)columns,
            GridRows = side,
            GridColumns = side,
            ClassToken = taker.Has(names.Class),
            Registers = (int)(taker.ShapeOf(names.Registers)?[^2] ?? 0),
            NormEpsilon = config.Number("layer_norm_eps") ?? 1e-6,
            LayerScale = hasScale ? 1 : 0,
            QkvBias = taker.Has(string.Format(System.Globalization.CultureInfo.InvariantCulture, names.Layer, 0) + (names.Fused ? "attn.qkv.bias" : "attention.attention.query.bias")),
            QueryKeyNorm = isTimm && taker.Has(prefix + "blocks.0.attn.q_norm.weight"),
            Activation = config.ActivationOf("hidden_act"),
        };
        BadRequestException.ThrowIfAny([.. spec.Problems(ofGrids: true)]);

        var tensors = Front(taker, names, spec, classRows);
        for (var i = 0; i < depth; i++) Block(taker, names, spec, i, tensors);
        taker.Both(tensors, "trunk.norm", names.FinalNorm, spec.Width);
        var leftOut = taker.Finish([.. _unneeded]);
        var family = hasScale && (!isTimm || taker.Has(names.Mask)) ? "dinov2" : "vit";
        var imageNet = family == "dinov2";
        var encoder = ImportedNetwork.WithLevels(new() { Transformer = spec, ImageSize = SizeOf(config) ?? side * spec.PatchRows }, depth);
        return new(family, Modality.Image, encoder, tensors, leftOut)
        {
            Mean = config.Prepared("image_mean") ?? config.Values("pretrained_cfg", "mean") ?? (imageNet ? _imageNetMean : [0.5f, 0.5f, 0.5f]),
            Deviation = config.Prepared("image_std") ?? config.Values("pretrained_cfg", "std") ?? (imageNet ? _imageNetDeviation : [0.5f, 0.5f, 0.5f]),
        };
    }

    private static Names Timm(TensorTaker taker, string prefix) => new(prefix + "blocks.{0}.", prefix + "cls_token", prefix + "pos_embed",
        prefix + (taker.Has(prefix + "register_tokens") ? "register_tokens" : "reg_token"), prefix + "mask_token", prefix + "patch_embed.proj", "norm1", "norm2", "mlp.fc1", "mlp.fc2",
        "attn.proj", "ls1.gamma", "ls2.gamma", prefix + "norm", Fused: true);

    private static Names HuggingFace(TensorTaker taker, string prefix)
    {
        var isDino = taker.Has(prefix + "encoder.layer.0.norm1.weight");
        return new(prefix + "encoder.layer.{0}.", prefix + "embeddings.cls_token", prefix + "embeddings.position_embeddings", prefix + "embeddings.register_tokens", prefix + "embeddings.mask_token",
            prefix + "embeddings.patch_embeddings.projection", isDino ? "norm1" : "layernorm_before", isDino ? "norm2" : "layernorm_after",
            isDino ? "mlp.fc1" : "intermediate.dense", isDino ? "mlp.fc2" : "output.dense", "attention.output.dense", "layer_scale1.lambda1", "layer_scale2.lambda1", prefix + "layernorm", Fused: false);
    }

    private static void Refuse(TensorTaker taker, string layer)
    {
        if (taker.Has(layer + "mlp.w12.weight") || taker.Has(layer + "mlp.weights_in.weight"))
            throw new BadRequestException("The checkpoint's blocks use SwiGLU (mlp.w12 or mlp.weights_in), as DINOv2 giant does; this program builds blocks of two linear layers with GELU. Take the small, base or large model.");
    }

    // Rows of the position table that belong to the class token, and the side of the square of the others.
    private static (int ClassRows, int Side) Grid(long rows, bool hasClass)
    {
        foreach (var classRows in hasClass ? [1, 0] : new[] { 0 })
        {
            var side = (int)Math.Round(Math.Sqrt(rows - classRows));
            if ((long)side * side == rows - classRows) return (classRows, side);
        }
        throw new BadRequestException($"The position table has {rows} rows, which is no square of patches with or without a class token; only square tables can be read.");
    }

    private static int? SizeOf(CheckpointConfig config) => config.PreparedWhole("crop_size", "height") ?? config.PreparedWhole("crop_size") ?? config.PreparedWhole("size", "height")
        ?? config.PreparedWhole("size", "shortest_edge") ?? config.PreparedWhole("size") ?? config.Whole("image_size") ?? config.Wholes("image_size")?[0] ?? config.Wholes("pretrained_cfg", "input_size")?[^1];

    private static Dictionary<string, Tensor> Front(TensorTaker taker, Names names, TransformerSpec spec, int classRows)
    {
        var tensors = new Dictionary<string, Tensor>();
        taker.Both(tensors, "patches", names.Patches, spec.Width, 3, spec.PatchRows, spec.PatchColumns);
        var places = spec.GridRows * spec.GridColumns;
        var table = taker.TakeFlat(names.Positions, places + classRows, spec.Width);
        tensors["positions"] = table.narrow(0, classRows, places);
        if (spec.ClassToken)
        {
            var vector = taker.TakeFlat(names.Class, spec.Width);
            tensors["class_token"] = classRows == 0 ? vector : vector + table[0];
        }
        if (spec.Registers > 0) tensors["registers"] = taker.TakeFlat(names.Registers, spec.Registers, spec.Width);
        tensors["mask_token"] = taker.Has(names.Mask) ? taker.TakeFlat(names.Mask, spec.Width) : zeros(spec.Width);
        return tensors;
    }

    private static void Block(TensorTaker taker, Names names, TransformerSpec spec, int number, Dictionary<string, Tensor> tensors)
    {
        var (from, to, width) = (string.Format(System.Globalization.CultureInfo.InvariantCulture, names.Layer, number), $"trunk.blocks.{number}.", (long)spec.Width);
        taker.Both(tensors, to + "attention_norm", from + names.Norm1, width);
        if (names.Fused)
        {
            tensors[to + "attention.qkv.weight"] = taker.Take(from + "attn.qkv.weight", 3 * width, width);
            if (spec.QkvBias) tensors[to + "attention.qkv.bias"] = taker.Take(from + "attn.qkv.bias", 3 * width);
        }
        else AttentionParts.Join(taker, tensors, to + "attention.qkv", [.. new[] { "query", "key", "value" }.Select(part => from + "attention.attention." + part)], width, spec.QkvBias);
        if (spec.QueryKeyNorm)
        {
            taker.Both(tensors, to + "attention.query_norm", from + "attn.q_norm", spec.HeadWidth);
            taker.Both(tensors, to + "attention.key_norm", from + "attn.k_norm", spec.HeadWidth);
        }
        taker.Both(tensors, to + "attention.output", from + names.Output, width, width);
        taker.Both(tensors, to + "mlp_norm", from + names.Norm2, width);
        taker.Both(tensors, to + "rise", from + names.Up, spec.HiddenWidth, width);
        taker.Both(tensors, to + "fall", from + names.Down, width, spec.HiddenWidth);
        if (spec.LayerScale == 0) return;
        tensors[to + "attention_scale"] = taker.Take(from + names.Scale1, width);
        tensors[to + "mlp_scale"] = taker.Take(from + names.Scale2, width);
    }
}

/// <summary>Query, key and value of other programs are three layers; ours are one.</summary>
internal static class AttentionParts
{
    public static void Join(TensorTaker taker, Dictionary<string, Tensor> tensors, string name, IReadOnlyList<string> parts, long width, bool hasBias)
    {
        tensors[name + ".weight"] = cat([.. parts.Select(part => taker.Take(part + ".weight", width, width))], 0);
        if (hasBias) tensors[name + ".bias"] = cat([.. parts.Select(part => taker.Take(part + ".bias", width))], 0);
    }
}
