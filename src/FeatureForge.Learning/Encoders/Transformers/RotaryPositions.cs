// Rotary positions (Su et al. 2021, arXiv 2104.09864): pairs of values of queries and keys are turned by place * 10000^(-2i/d),
// so that their product depends on the distance alone. On grids the first half of a head turns with the row, the other with the column.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Cosine and sine per token and pair, each [T, head width / 2]; tokens without a place are not turned.</summary>
internal readonly record struct RotaryPositions(Tensor Cosine, Tensor Sine)
{
    private const double Slowest = 10_000;

    /// <summary>Places 0 … length-1 of a sequence.</summary>
    public static RotaryPositions OfSequence(int length, int headWidth, torch.Device device) =>
        Of(Angles(arange(length, dtype: ScalarType.Float32, device: device), headWidth / 2, device));

    /// <summary>Places of a grid, row by row, after so many tokens that have none.</summary>
    public static RotaryPositions OfGrid(int extra, int rows, int columns, int headWidth, torch.Device device)
    {
        var down = arange(rows, dtype: ScalarType.Float32, device: device).repeat_interleave(columns);
        var across = arange(columns, dtype: ScalarType.Float32, device: device).repeat(rows);
        var angles = cat([Angles(down, headWidth / 4, device), Angles(across, headWidth / 4, device)], 1); // [rows * columns, head / 2]
        return Of(extra == 0 ? angles : cat([zeros(extra, headWidth / 2, device: device), angles], 0));
    }

    // [T] places to [T, pairs] angles.
    private static Tensor Angles(Tensor places, int pairs, torch.Device device)
    {
        var speeds = (arange(pairs, dtype: ScalarType.Float32, device: device) * (-Math.Log(Slowest) / pairs)).exp();
        return places.unsqueeze(1) * speeds.unsqueeze(0);
    }

    private static RotaryPositions Of(Tensor angles) => new(angles.cos(), angles.sin());

    /// <summary>[N, heads, T, head width] turned; pair i is values i and i + head width / 2.</summary>
    public Tensor Turn(Tensor values)
    {
        var half = values.size(3) / 2;
        var (first, second) = (values.narrow(3, 0, half), values.narrow(3, half, half));
        var (cosine, sine) = (Cosine.to(values.dtype), Sine.to(values.dtype));
        return cat([first * cosine - second * sine, second * cosine + first * sine], 3);
    }
}
