// BERT of other programs by its tensor names (Hugging Face; also the older gamma and beta). The vector of the first segment kind
// is added to every position, the second kind is left out: documents here are one segment.
using FeatureForge.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal static class TextCheckpoint
{
    private const string Mark = "encoder.layer.0.attention.self.query.weight";

    private static readonly string[] _unneeded = ["pooler.", "cls.", "classifier.", "qa_outputs.", "position_ids", "token_type_ids", "lm_head."];

    public static bool Fits(TensorTaker taker) => taker.PrefixOf(Mark) is not null;

    /// <param name="words">Lines of the vocabulary; their count must be the table's.</param>
    /// <exception cref="BadRequestException">Something is missing, unexpected, or of a kind that cannot be built.</exception>
    public static ImportedNetwork Read(TensorTaker taker, CheckpointConfig config, WordPieceSpec pieces, int words)
    {
        var prefix = taker.PrefixOf(Mark)!;
        var depth = taker.Count(prefix + "encoder.layer.{0}.attention.self.query.weight");
        if (taker.ShapeOf(prefix + "embeddings.word_embeddings.weight") is not [var vocabulary, var width]) throw new BadRequestException($"The checkpoint has no {prefix}embeddings.word_embeddings.weight of two dimensions.");
        if (taker.ShapeOf(prefix + "embeddings.position_embeddings.weight") is not [var longest, _]) throw new BadRequestException($"The checkpoint has no {prefix}embeddings.position_embeddings.weight of two dimensions.");
        if (config.Word("position_embedding_type") is { } kind and not "absolute") throw new BadRequestException($"The checkpoint's positions are '{kind}'; this program knows absolute ones.");
        if (config.Word("model_type") is { } model and not "bert") throw new BadRequestException($"The checkpoint is of model type '{model}', whose tokens are made otherwise than BERT's; only bert can be imported.");
        if (words > vocabulary) throw new BadRequestException($"The vocabulary has {words} lines, the checkpoint vectors for {vocabulary}: they do not belong together.");
        var spec = new TransformerSpec
        {
            Width = (int)width,
            Depth = depth,
            Heads = config.Whole("num_attention_heads") ?? (int)(width / 64),
            Hidden = (int)(taker.ShapeOf(prefix + "encoder.layer.0.intermediate.dense.weight")?[0] ?? 4 * width),
            PreNorm = false,
            NormEpsilon = config.Number("layer_norm_eps") ?? 1e-12,
            Activation = config.ActivationOf("hidden_act"),
        };
        BadRequestException.ThrowIfAny([.. spec.Problems(ofGrids: false)]);

        var tensors = new Dictionary<string, Tensor>
        {
            ["tokens.weight"] = taker.Take(prefix + "embeddings.word_embeddings.weight", vocabulary, width),
            ["positions"] = taker.Take(prefix + "embeddings.position_embeddings.weight", longest, width),
        };
        if (taker.ShapeOf(prefix + "embeddings.token_type_embeddings.weight") is [var kinds, _])
            tensors["positions"] = tensors["positions"] + taker.Take(prefix + "embeddings.token_type_embeddings.weight", kinds, width)[0];
        tensors["mask_token"] = tensors["tokens.weight"][Math.Clamp(pieces.MaskNumber, 0, vocabulary - 1)].clone();
        Norm(taker, tensors, "norm", prefix + "embeddings.LayerNorm", width);
        for (var i = 0; i < depth; i++)
        {
            var (from, to) = ($"{prefix}encoder.layer.{i}.", $"trunk.blocks.{i}.");
            AttentionParts.Join(taker, tensors, to + "attention.qkv", [.. new[] { "query", "key", "value" }.Select(part => from + "attention.self." + part)], width, hasBias: true);
            taker.Both(tensors, to + "attention.output", from + "attention.output.dense", width, width);
            Norm(taker, tensors, to + "attention_norm", from + "attention.output.LayerNorm", width);
            taker.Both(tensors, to + "rise", from + "intermediate.dense", spec.HiddenWidth, width);
            taker.Both(tensors, to + "fall", from + "output.dense", width, spec.HiddenWidth);
            Norm(taker, tensors, to + "mlp_norm", from + "output.LayerNorm", width);
        }
        var leftOut = taker.Finish([.. _unneeded]);
        var encoder = ImportedNetwork.WithLevels(new() { Transformer = spec, WordPieces = pieces, Words = (int)vocabulary, Longest = (int)longest, RawWidth = 256 }, depth);
        return new("bert", Modality.Text, encoder, tensors, leftOut);
    }

    private static void Norm(TensorTaker taker, Dictionary<string, Tensor> tensors, string to, string from, long width)
    {
        var isOld = taker.Has(from + ".gamma");
        tensors[to + ".weight"] = taker.Take(from + (isOld ? ".gamma" : ".weight"), width);
        tensors[to + ".bias"] = taker.Take(from + (isOld ? ".beta" : ".bias"), width);
    }
}
