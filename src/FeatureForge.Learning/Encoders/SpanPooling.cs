// Vectors of spans from grids of cells: mean and standard deviation over the cells that a span covers.
// Both together beat the mean alone (measured on spoken digits: ridge probe 97.7 against 96.0).
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Mean [N, S, C] and mean square [N, S, C'] of spans: the first C' channels have a deviation, the others stand for themselves; null = none has.</summary>
internal readonly record struct SpanMoments(Tensor Mean, Tensor? Square)
{
    /// <summary>[N, S, C + C']: means, then deviations.</summary>
    public Tensor Combined => Square is null ? Mean : cat([Mean, SpanPooling.Deviation(Mean.narrow(2, 0, Square.size(2)), Square)], 2);

    /// <summary>The moments of several looks at the same spans together.</summary>
    public static SpanMoments Average(IReadOnlyList<SpanMoments> looks)
    {
        if (looks.Count == 1) return looks[0];
        var mean = stack([.. looks.Select(look => look.Mean)]).mean([0]);
        return new(mean, looks[0].Square is null ? null : stack([.. looks.Select(look => look.Square!)]).mean([0]));
    }
}

internal static class SpanPooling
{
    // Keeps the square root differentiable where a channel is constant over the span.
    private const double VarianceFloor = 1e-5;

    /// <summary>[B, C, H, W] to [B, rows * columns, 2C]: the grid cut into rows x columns equal spans, row by row.</summary>
    public static Tensor MeanAndDeviation(Tensor grid, long rows = 1, long columns = 1)
    {
        var (mean, square) = Moments(grid, rows, columns);
        return Combine(mean, square);
    }

    /// <summary>Mean and mean square of every span, each [B, rows * columns, C]; they add up over the windows of an item.</summary>
    public static (Tensor Mean, Tensor Square) Moments(Tensor grid, long rows, long columns)
    {
        if (CellMoments.Fits(grid, rows, columns)) return CellMoments.Of(grid, (int)rows, (int)columns);
        if (rows == 1 && columns == 1)
            return (grid.mean([2, 3]).unsqueeze(1), (grid * grid).mean([2, 3]).unsqueeze(1));
        var mean = nn.functional.adaptive_avg_pool2d(grid, [rows, columns]);
        var square = nn.functional.adaptive_avg_pool2d(grid * grid, [rows, columns]);
        return (mean.flatten(2).transpose(1, 2), square.flatten(2).transpose(1, 2));
    }

    public static double Deviation(double variance) => Math.Sqrt(Math.Max(0, variance) + VarianceFloor);

    /// <summary>[..., C] and [..., C] to [..., 2C].</summary>
    public static Tensor Combine(Tensor mean, Tensor square) =>
        cat([mean, Deviation(mean, square)], -1);

    /// <summary>Deviation from mean and mean square, each of one shape.</summary>
    public static Tensor Deviation(Tensor mean, Tensor square) => (square - mean * mean).clamp_min(0).add(VarianceFloor).sqrt();
}
