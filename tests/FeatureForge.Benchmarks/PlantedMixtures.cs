// The four mixtures of the clustering benchmarks: 128 dimensions, 256 components, drawn by CounterRandom, so that any program can
// rebuild the same rows. gm_*: isotropic Gaussians around centres of a given spread; emb_like: unit vectors of low intrinsic
// dimension with long-tailed class sizes, as encoders give them.
using FeatureForge.Tensors;

namespace FeatureForge.Benchmarks;

/// <summary>Rows with planted classes.</summary>
internal sealed record PlantedMixture(string Name, float[] Values, int[] Classes)
{
    internal const int Dimension = 128;
    internal const int Components = 256;
    private const int HiddenDimension = 16;
    private const int Units = 64;

    internal static IReadOnlyList<string> Names { get; } = ["gm_easy", "gm_hard", "gm_zipf", "emb_like"];

    internal int Rows => Classes.Length;

    internal static PlantedMixture Of(string name, int rows) => name switch
    {
        "gm_easy" => Gaussian(name, rows, 1.0, 0),
        "gm_hard" => Gaussian(name, rows, 0.35, 0),
        "gm_zipf" => Gaussian(name, rows, 0.5, 1),
        "emb_like" => EmbeddingLike(name, rows),
        _ => throw new ArgumentException($"Mixture '{name}' is unknown; expected {string.Join(", ", Names)}."),
    };

    private static PlantedMixture Gaussian(string name, int rows, double spread, double zipf)
    {
        var classes = Draw(rows, zipf);
        var values = new float[(long)rows * Dimension];
        var (centres, noise) = (new CounterRandom(1), new CounterRandom(3));
        Parallel.For(0, rows, row =>
        {
            for (var d = 0; d < Dimension; d++)
                values[row * Dimension + d] = (float)(spread * centres.Normal(classes[row] * Dimension + d) + noise.Normal((long)row * Dimension + d));
        });
        return new(name, values, classes);
    }

    private static PlantedMixture EmbeddingLike(string name, int rows)
    {
        var classes = Draw(rows, 0.7);
        var values = new float[(long)rows * Dimension];
        var (centres, spread, noise) = (new CounterRandom(11), new CounterRandom(13), new CounterRandom(16));
        var (into, outOf) = (Normals(14, HiddenDimension * Units, 0.25), Normals(15, Units * Dimension, 0.125));
        Parallel.For(0, rows, row =>
        {
            var hidden = new double[Units];
            for (var h = 0; h < HiddenDimension; h++)
            {
                var z = 1.2 * centres.Normal(classes[row] * HiddenDimension + h) + 0.45 * spread.Normal((long)row * HiddenDimension + h);
                for (var u = 0; u < Units; u++) hidden[u] += z * into[h * Units + u];
            }
            var vector = new double[Dimension];
            for (var d = 0; d < Dimension; d++) vector[d] = 0.02 * noise.Normal((long)row * Dimension + d);
            for (var u = 0; u < Units; u++)
            {
                var active = Math.Tanh(hidden[u]);
                for (var d = 0; d < Dimension; d++) vector[d] += active * outOf[u * Dimension + d];
            }
            var length = Math.Sqrt(vector.Sum(value => value * value));
            for (var d = 0; d < Dimension; d++) values[row * Dimension + d] = (float)(vector[d] / length);
        });
        return new(name, values, classes);
    }

    private static int[] Draw(int rows, double zipf)
    {
        var cumulative = new double[Components];
        for (var c = 0; c < Components; c++) cumulative[c] = (c == 0 ? 0 : cumulative[c - 1]) + Math.Pow(c + 1, -zipf);
        var random = new CounterRandom(2);
        return [.. Enumerable.Range(0, rows).Select(row => Math.Min(Components - 1, Array.FindIndex(cumulative, upTo => upTo > random.Unit(row) * cumulative[^1])))];
    }

    private static double[] Normals(long seed, int count, double scale)
    {
        var random = new CounterRandom(seed);
        return [.. Enumerable.Range(0, count).Select(i => scale * random.Normal(i))];
    }
}
