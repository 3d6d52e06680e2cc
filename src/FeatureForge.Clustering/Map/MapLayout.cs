// The 2-D layout: UMAP's edge sampling with negative samples (McInnes et al. 2018) and the Student kernel 1/(1 + d^2) of
// t-UMAP and t-SNE, which needs no power function. Sequential, so that the same seed gives the same map bit for bit.
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

internal static class MapLayout
{
    internal const int NeighbourCount = 15;

    private const int Epochs = 200;
    private const int NegativeSamples = 5;
    private const float StepLimit = 4;
    private const float StartRadius = 10;

    /// <summary>Coordinates [rows, 2] in [-1, 1], row-major: centred, both axes on one scale.</summary>
    internal static float[] Of(SetVectors vectors, FitSample landmarks, int seed, string device, Action<string, int, int> progress, CancellationToken stop)
    {
        if (vectors.Rows < 4) return Circle(vectors.Rows);
        var random = new CounterRandom(seed);
        var neighbours = Neighbours.Among(landmarks.Values, landmarks.Count, vectors.Dimension, Math.Min(NeighbourCount, landmarks.Count - 1), vectors.Metric, device,
            (done, total) => progress("neighbours", done, total), stop);
        var points = Start(PrincipalPlane.Of(landmarks.Values, landmarks.Count, vectors.Dimension, seed, device), random.Stream(1));
        Descend(points, NeighbourWeights.Of(neighbours), random.Stream(2), (done, total) => progress("layout", done, total), stop);
        return Scaled(landmarks.Count == vectors.Rows ? points : Place(vectors, landmarks, points, device, progress, stop));
    }

    private static float[] Circle(int rows) =>
        [.. Enumerable.Range(0, rows).SelectMany(row => new[] { rows == 1 ? 0f : (float)Math.Cos(2 * Math.PI * row / rows), rows == 1 ? 0f : (float)Math.Sin(2 * Math.PI * row / rows) })];

    // A little noise sets rows apart that coincide.
    private static float[] Start(float[] plane, CounterRandom random)
    {
        var largest = Math.Max(plane.Max(Math.Abs), 1e-12f);
        for (var i = 0; i < plane.Length; i++) plane[i] = plane[i] / largest * StartRadius + 1e-2f * (float)random.Normal(i);
        return plane;
    }

    // An edge of weight w is drawn in the share w / largest of all epochs; each draw pulls its ends together and pushes the
    // first one from a few random points.
    private static void Descend(float[] points, NeighbourWeights edges, CounterRandom random, Action<int, int> progress, CancellationToken stop)
    {
        var count = points.Length / 2;
        var largest = edges.Weight.Max();
        var due = new float[edges.From.Length];
        for (var epoch = 0; epoch < Epochs; epoch++)
        {
            stop.ThrowIfCancellationRequested();
            var rate = 1 - epoch / (float)Epochs;
            var draws = new CounterRandom((long)random.Bits(epoch));
            long draw = 0;
            for (var e = 0; e < due.Length; e++)
            {
                due[e] += edges.Weight[e] / largest;
                if (due[e] < 1) continue;
                due[e]--;
                var (from, to) = (2 * edges.From[e], 2 * edges.To[e]);
                var (x, y) = (points[from] - points[to], points[from + 1] - points[to + 1]);
                var pull = -2 / (1 + x * x + y * y);
                var (moveX, moveY) = (Limited(pull * x) * rate, Limited(pull * y) * rate);
                (points[from], points[from + 1]) = (points[from] + moveX, points[from + 1] + moveY);
                (points[to], points[to + 1]) = (points[to] - moveX, points[to + 1] - moveY);
                for (var s = 0; s < NegativeSamples; s++)
                {
                    var other = 2 * draws.Below(draw++, count);
                    if (other == from) continue;
                    (x, y) = (points[from] - points[other], points[from + 1] - points[other + 1]);
                    var squared = x * x + y * y;
                    var push = 2 / ((0.001f + squared) * (1 + squared));
                    points[from] += Limited(push * x) * rate;
                    points[from + 1] += Limited(push * y) * rate;
                }
            }
            progress(epoch + 1, Epochs);
        }
    }

    private static float Limited(float step) => Math.Clamp(step, -StepLimit, StepLimit);

    // Rows that are no landmarks lie between their nearest landmarks, nearer ones weighing more.
    private static float[] Place(SetVectors vectors, FitSample landmarks, float[] points, string device, Action<string, int, int> progress, CancellationToken stop)
    {
        var all = new float[vectors.Rows * 2];
        for (var i = 0; i < landmarks.Count; i++) points.AsSpan(2 * i, 2).CopyTo(all.AsSpan(2 * landmarks.Rows[i]));
        landmarks.ForRest(vectors, device, 5, (done, total) => progress("assignment", done, total), stop, (row, nearest, distances) =>
        {
            double x = 0, y = 0, sum = 0;
            for (var i = 0; i < nearest.Length; i++)
            {
                var weight = 1 / (1e-6 + distances[i]);
                (x, y, sum) = (x + weight * points[2 * nearest[i]], y + weight * points[2 * nearest[i] + 1], sum + weight);
            }
            (all[2 * row], all[2 * row + 1]) = ((float)(x / sum), (float)(y / sum));
        });
        return all;
    }

    private static float[] Scaled(float[] points)
    {
        double x = 0, y = 0;
        for (var i = 0; i < points.Length; i += 2) (x, y) = (x + points[i], y + points[i + 1]);
        var (centreX, centreY) = ((float)(x / (points.Length / 2)), (float)(y / (points.Length / 2)));
        for (var i = 0; i < points.Length; i += 2) (points[i], points[i + 1]) = (points[i] - centreX, points[i + 1] - centreY);
        var largest = Math.Max(points.Max(Math.Abs), 1e-12f);
        return Array.ConvertAll(points, value => value / largest);
    }
}
