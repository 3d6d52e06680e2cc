// An encoder that stays loaded and embeds items as they come. For one thread.
using FeatureForge.Data;
using FeatureForge.Tensors;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Vectors of whole items at one level.</summary>
/// <param name="Values">[items, dimension], row after row.</param>
public sealed record LevelVectors(string Level, int Dimension, float[] Values);

/// <summary>A published encoder in memory.</summary>
public sealed class LoadedEncoder : IDisposable
{
    private readonly Encoder _encoder;

    private LoadedEncoder(Encoder encoder, EncoderManifest manifest) => (_encoder, Manifest) = (encoder, manifest);

    public EncoderManifest Manifest { get; }

    /// <summary>Loads the weights; the calling thread is the one that embeds.</summary>
    public static LoadedEncoder Load(Store store, EncoderManifest manifest, string device)
    {
        // Outside every scope: what the encoder keeps besides its state lives as long as it does.
        var encoder = EncoderFile.Load(store, manifest, DeviceChoice.Select(device));
        encoder.eval();
        return new(encoder, manifest);
    }

    /// <summary>The items' vectors at each of the levels, in the same way as extraction makes them.</summary>
    public IReadOnlyList<LevelVectors> Embed(PreparedCorpus items, IReadOnlyList<string> levels, CancellationToken stop) => FreedScalar.Repeat(() => EmbedOnce(items, levels, stop), _ => { });

    private IReadOnlyList<LevelVectors> EmbedOnce(PreparedCorpus items, IReadOnlyList<string> levels, CancellationToken stop)
    {
        using var scope = NewDisposeScope();
        var found = levels.ToDictionary(level => level, level => new float[items.Count * (long)DimensionOf(level)]);
        var at = levels.ToDictionary(level => level, _ => 0);
        foreach (var block in _encoder.Extract(items, 0, items.Count, levels, [Grain.Item], stop))
        {
            block.Block.Vectors.CopyTo(found[block.Level], at[block.Level]);
            at[block.Level] += block.Block.Vectors.Length;
        }
        return [.. levels.Select(level => new LevelVectors(level, DimensionOf(level), found[level]))];
    }

    private int DimensionOf(string level) => Manifest.Levels.First(one => one.Name == level).Dimension;

    public void Dispose() => _encoder.Dispose();
}
