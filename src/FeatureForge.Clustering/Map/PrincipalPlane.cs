// The two directions of greatest variance, by subspace iteration (Halko, Martinsson, Tropp 2011): where the map starts, so
// that its large-scale arrangement means something and does not depend on a draw.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Clustering;

internal static class PrincipalPlane
{
    private const int Extra = 8;
    private const int Iterations = 12;

    /// <summary>Coordinates [N, 2] of the rows on their principal plane, row-major; the sign makes each axis' largest coordinate positive.</summary>
    internal static float[] Of(float[] values, int rows, int dimension, int seed, string device)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        var vectors = HostCopies.ToTensor(values, [rows, dimension], DeviceChoice.Select(device)); // [N, D]
        vectors = vectors - vectors.mean([0L], type: ScalarType.Float64).to(ScalarType.Float32);
        var width = Math.Min(2 + Extra, dimension);
        var random = new CounterRandom(seed);
        var start = new float[dimension * width];
        for (var i = 0; i < start.Length; i++) start[i] = (float)random.Normal(i);
        var basis = HostCopies.ToTensor(start, [dimension, width], vectors.device); // [D, W]
        for (var i = 0; i < Iterations; i++)
        {
            using var step = NewDisposeScope();
            basis = linalg.qr(mm(vectors.t(), mm(vectors, basis))).Q.MoveToOuterDisposeScope();
        }
        var projected = mm(vectors, basis); // [N, W]
        var (_, directions) = linalg.eigh(mm(projected.t(), projected)); // ascending
        var coordinates = HostCopies.ToArray<float>(mm(projected, directions)); // [N, W]
        var plane = new float[rows * 2];
        for (var axis = 0; axis < Math.Min(2, width); axis++)
        {
            var largest = 0f;
            for (var row = 0; row < rows; row++)
            {
                var value = coordinates[row * width + width - 1 - axis];
                plane[2 * row + axis] = value;
                if (Math.Abs(value) > Math.Abs(largest)) largest = value;
            }
            if (largest >= 0) continue;
            for (var row = 0; row < rows; row++) plane[2 * row + axis] *= -1;
        }
        return plane;
    }
}
