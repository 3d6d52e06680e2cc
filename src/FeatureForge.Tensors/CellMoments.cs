// Means and mean squares of the cells of a map in one pass over them: tensor operations take three, one of which writes the squares.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Tensors;

/// <summary>Pooling of maps on the host.</summary>
public static unsafe class CellMoments
{
    /// <summary>Whether <see cref="Of"/> can pool the map: float32 on the host, without gradients, and cut evenly.</summary>
    public static bool Fits(Tensor map, long rows, long columns) =>
        map.device_type == DeviceType.CPU && map.dtype == ScalarType.Float32 && !map.requires_grad && map.size(2) % rows == 0 && map.size(3) % columns == 0;

    /// <summary>A map [N, C, H, W] cut into rows x columns spans to the mean and the mean square of each, [N, rows * columns, C], row by row.</summary>
    public static (Tensor Mean, Tensor Square) Of(Tensor map, int rows, int columns)
    {
        if (!Fits(map, rows, columns)) throw new ArgumentException($"A map [{string.Join(", ", map.shape)}] of {map.dtype} on {map.device} cannot be cut into {rows} x {columns} on the host.", nameof(map));
        var (count, channels, height, width) = (map.size(0), (int)map.size(1), (int)map.size(2), (int)map.size(3));
        var (mean, square) = (empty(count, rows * columns, channels), empty(count, rows * columns, channels));
        using var scope = NewDisposeScope();
        var cells = map.permute(0, 2, 3, 1).contiguous(); // no copy where channels are last
        fixed (byte* from = cells.bytes, means = mean.bytes, squares = square.bytes)
        {
            var toMean = (float*)means;
            var toSquare = (float*)squares;
            for (var n = 0L; n < count; n++)
                for (var row = 0; row < rows; row++)
                    for (var column = 0; column < columns; column++, toMean += channels, toSquare += channels)
                    {
                        var first = (float*)from + ((n * height + row * (height / rows)) * width + column * (width / columns)) * channels;
                        Pool(first, height / rows, width / columns, (long)width * channels, channels, toMean, toSquare);
                    }
        }
        return (mean, square);
    }

    // Sums of a row of cells are added up apart: fewer roundings.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Pool(float* first, int height, int width, long toNextRow, int channels, float* mean, float* square)
    {
        var (share, c) = (1f / (height * width), 0);
        for (; c + Vector512<float>.Count <= channels; c += Vector512<float>.Count)
        {
            Vector512<float> sum = default, squares = default;
            for (var y = 0; y < height; y++)
            {
                var at = first + y * toNextRow + c;
                Vector512<float> rowSum = default, rowSquares = default;
                for (var x = 0; x < width; x++, at += channels)
                {
                    var value = Vector512.Load(at);
                    rowSum += value;
                    rowSquares += value * value;
                }
                sum += rowSum;
                squares += rowSquares;
            }
            (sum * share).Store(mean + c);
            (squares * share).Store(square + c);
        }
        for (; c < channels; c++)
        {
            var (sum, squares) = (0.0, 0.0);
            for (var y = 0; y < height; y++)
                for (var x = 0; x < width; x++)
                {
                    var value = first[y * toNextRow + (long)x * channels + c];
                    sum += value;
                    squares += (double)value * value;
                }
            (mean[c], square[c]) = ((float)(sum * share), (float)(squares * share));
        }
    }
}
