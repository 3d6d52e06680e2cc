// Data like embeddings, with known classes: unit vectors of low intrinsic dimension and long-tailed class sizes.
using TorchSharp;

namespace FeatureForge.Tensors.Tests;

/// <summary>A 16-d mixture through a tanh layer to 128-d unit vectors plus 2 % noise; class sizes by Zipf 0.7.</summary>
internal static class Mixtures
{
    internal const int Dimension = 128;

    internal static (float[] Vectors, int[] Classes) EmbeddingLike(int rows, int classes)
    {
        _ = TorchLibrary.Report;
        using var scope = torch.NewDisposeScope();
        var centres = Normals(11, classes, 16) * 1.2;
        var first = Normals(14, 16, 64) / 4;
        var second = Normals(15, 64, Dimension) / 8;
        var labels = Labels(rows, classes);
        var index = HostCopies.ToTensor(Array.ConvertAll(labels, label => (long)label), [rows], torch.CPU);
        var hidden = centres.index_select(0, index) + Normals(13, rows, 16) * 0.45;
        var vectors = torch.mm(torch.mm(hidden, first).tanh(), second) + Normals(16, rows, Dimension) * 0.02;
        return (HostCopies.ToArray<float>(torch.nn.functional.normalize(vectors, 2, 1, 1e-12)), labels);
    }

    private static int[] Labels(int rows, int classes)
    {
        var cumulative = new double[classes];
        for (var c = 0; c < classes; c++) cumulative[c] = (c == 0 ? 0 : cumulative[c - 1]) + Math.Pow(c + 1, -0.7);
        var random = new CounterRandom(2);
        return [.. Enumerable.Range(0, rows).Select(i => Array.FindIndex(cumulative, upTo => upTo > random.Unit(i) * cumulative[^1]))];
    }

    private static torch.Tensor Normals(long seed, int rows, int columns)
    {
        var random = new CounterRandom(seed);
        var values = new float[rows * columns];
        for (var i = 0; i < values.Length; i++) values[i] = (float)random.Normal(i);
        return HostCopies.ToTensor(values, [rows, columns], torch.CPU);
    }
}
