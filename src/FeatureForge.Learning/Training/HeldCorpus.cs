// Whether a corpus is held in the training device's memory: on a GPU, when it takes no more than a share of what is free there. The
// rest is the network's. Batches then cross as a few numbers; what a step sees is the same bit for bit.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal static class HeldCorpus
{
    /// <summary>Of the free memory, at most this share.</summary>
    public const double LargestShare = 0.4;

    private const int RowsPerCopy = 4096;

    /// <summary>True for a corpus of that many bytes; false where the front end cannot hold one or free memory is unknown.</summary>
    public static bool Fits(long? bytes, long? freeBytes) => bytes is { } needed && freeBytes is { } free && needed <= LargestShare * free;

    /// <summary>Holds the corpus when it fits, and says so.</summary>
    public static void HoldIfItFits(Encoder encoder, PreparedCorpus corpus, RunContext context, CancellationToken stop)
    {
        var (bytes, free) = (encoder.BytesToHold(corpus), DeviceMemory.FreeBytes(encoder.Device));
        if (!Fits(bytes, free)) return;
        encoder.Hold(corpus, stop);
        context.Information($"The corpus is held in device memory: {bytes / 1e6:0} MB of {free / 1e6:0} MB that were free.");
    }

    /// <summary>Rows [count, ...] on the device, copied in pieces; the caller owns them.</summary>
    /// <param name="read">Host values of rows [first, first + count) as a tensor.</param>
    public static Tensor Rows(int count, long[] shape, ScalarType type, torch.Device device, Func<int, int, Tensor> read, CancellationToken stop)
    {
        using var noGradient = no_grad();
        var rows = empty([count, .. shape], dtype: type, device: device).DetachFromDisposeScope();
        for (var first = 0; first < count; first += RowsPerCopy)
        {
            stop.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var length = Math.Min(RowsPerCopy, count - first);
            rows.narrow(0, first, length).copy_(read(first, length));
        }
        return rows;
    }
}
