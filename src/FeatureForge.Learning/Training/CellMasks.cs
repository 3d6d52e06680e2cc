// Which cells of a view are hidden: square blocks at random places until the share is reached (He et al. 2022 hide single cells,
// data2vec 2.0, arXiv 2212.07525, blocks). Every row hides the same number of cells, so that nothing is ragged.
using FeatureForge.Tensors;
using TorchSharp;

namespace FeatureForge.Learning;

internal static class CellMasks
{
    /// <summary>True where hidden, [count, rows * columns]; at least one cell hidden and one visible in every row.</summary>
    public static torch.Tensor Draw(int count, int rows, int columns, MaskSpec spec, StepRandom random, torch.Device device)
    {
        var cells = rows * columns;
        var wanted = Math.Clamp((int)Math.Round(spec.Share * cells), 1, Math.Max(1, cells - 1));
        var hidden = new byte[count * cells];
        for (var i = 0; i < count; i++) Fill(hidden.AsSpan(i * cells, cells), rows, columns, wanted, spec.Block, random);
        return HostCopies.ToTensor(hidden, [count, cells], device) > 0;
    }

    private static void Fill(Span<byte> row, int rows, int columns, int wanted, int block, StepRandom random)
    {
        var (height, width) = (Math.Min(block, rows), Math.Min(block, columns));
        for (var done = 0; done < wanted;)
        {
            var (top, left) = (random.Below(rows - height + 1), random.Below(columns - width + 1));
            for (var y = top; y < top + height; y++)
            {
                for (var x = left; x < left + width && done < wanted; x++)
                {
                    if (row[y * columns + x] == 1) continue;
                    row[y * columns + x] = 1;
                    done++;
                }
            }
        }
    }
}
