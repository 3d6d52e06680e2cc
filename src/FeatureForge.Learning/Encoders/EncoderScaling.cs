// Fits the centre and scale of every level after training, from item vectors of the training corpus.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal static class EncoderScaling
{
    private const int MostItems = 20_000;
    private const int Stretches = 20;

    /// <summary>Statistics over at most 20,000 items, in stretches spread evenly over the corpus.</summary>
    public static void Fit(Encoder encoder, PreparedCorpus corpus, CancellationToken stop)
    {
        encoder.eval();
        using var scope = NewDisposeScope();
        foreach (var level in encoder.Levels) encoder.Scale.Reset(level.Name);
        var stretches = corpus.Count <= MostItems ? [(First: 0, corpus.Count)]
            : Enumerable.Range(0, Stretches).Select(i => (First: (int)((long)i * corpus.Count / Stretches), Count: MostItems / Stretches)).ToList();
        var vectors = encoder.Levels.ToDictionary(level => level.Name, _ => new List<Tensor>());
        foreach (var (first, count) in stretches)
            foreach (var rows in SliceExtraction.Run(encoder, corpus, first, count, [.. vectors.Keys], [Grain.Item], stop))
                vectors[rows.Level].Add(HostCopies.ToTensor(rows.Block.Vectors, [rows.Block.Rows, rows.Block.Dimension], encoder.Device));
        foreach (var level in encoder.Levels) encoder.Scale.Fit(level.Name, cat(vectors[level.Name], 0), encoder.Scaling(level.Name), encoder.Parts(level.Name));
    }
}
