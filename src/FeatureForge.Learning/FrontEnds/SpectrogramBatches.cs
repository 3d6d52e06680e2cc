// Which frames the views of a training step see: of a long recording some stretch with sound in it, a short one anywhere in silence.
// Frames are read from the run's file, or, where the corpus is held on the device, only their numbers are handed out.
using FeatureForge.Tensors;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Takes over the file. Views are <paramref name="frames"/> long.</summary>
internal sealed class SpectrogramBatches(SpectrogramFile file, int bands, int frames) : IDisposable
{
    // Of a long recording, a stretch of which half is sound is looked for that often.
    private const int Draws = 8;

    private Tensor? _held; // [F + 1, bands] float16: all frames of all items, then one of silence
    private bool[] _sounding = []; // which of them hold sound; empty unless held

    /// <summary>Device memory that holding all frames takes; null when there are too many to number.</summary>
    public long? BytesToHold => file.AllFrames < int.MaxValue ? 2 * (file.AllFrames + 1) * bands : null;

    /// <summary>Copies all frames to the device.</summary>
    public void Hold(Device device, CancellationToken stop)
    {
        var all = (int)file.AllFrames;
        _sounding = new bool[all];
        _held = HeldCorpus.Rows(all + 1, [bands], ScalarType.Float16, device, (first, count) =>
        {
            var values = Silence(count);
            var found = Math.Min(count, all - first);
            file.ReadAcross(first, values.AsSpan(0, found * bands));
            for (var frame = 0; frame < found; frame++) _sounding[first + frame] = Sounds(values.AsSpan(frame * bands, bands));
            return HostCopies.ToTensor(values, [count, bands], CPU);
        }, stop);
    }

    /// <summary>First views of all items, then second ones, …: values [V * B, 1, frames, bands], or numbers of frames [V * B, frames].</summary>
    public HostBatch Gather(ReadOnlySpan<int> items, int views, StepRandom random)
    {
        var values = _held is null ? Silence(views * items.Length * frames) : [];
        var places = _held is null ? [] : new long[views * items.Length * frames];
        places.AsSpan().Fill(file.AllFrames); // silence
        for (var view = 0; view < views; view++)
        {
            for (var i = 0; i < items.Length; i++)
            {
                var (row, found) = (view * items.Length + i, file.Frames(items[i]));
                var start = found > frames ? StartOfSound(items[i], random) : 0;
                var (at, length) = found > frames ? (0, frames) : (random.Below(frames - found + 1), found);
                if (_held is null) file.Read(items[i], start, values.AsSpan((row * frames + at) * bands, length * bands));
                for (var frame = 0; _held is not null && frame < length; frame++) places[row * frames + at + frame] = file.First(items[i]) + start + frame;
            }
        }
        return _held is null ? new(values, [views * items.Length, 1, frames, bands], items.Length) : new(places, [views * items.Length, frames], items.Length);
    }

    /// <summary>The batch's values on the device, [V * B, 1, frames, bands].</summary>
    public Tensor OnDevice(HostBatch batch, Device device) => batch.Values is long[] places
        ? _held!.index_select(0, HostCopies.ToTensor(places, [places.Length], device)).view(batch.Shape[0], 1, frames, bands)
        : HostCopies.ToTensor((Half[])batch.Values, batch.Shape, device);

    private int StartOfSound(int item, StepRandom random)
    {
        var start = 0;
        for (var draw = 0; draw < Draws; draw++)
        {
            start = random.Below(file.Frames(item) - frames + 1);
            if (2 * Sounding(item, start) >= frames) break;
        }
        return start;
    }

    /// <summary>How many frames of the stretch hold sound.</summary>
    private int Sounding(int item, int start)
    {
        if (_held is not null) return _sounding.AsSpan((int)file.First(item) + start, frames).Count(true);
        var values = new Half[frames * bands];
        file.Read(item, start, values);
        return Enumerable.Range(0, frames).Count(frame => Sounds(values.AsSpan(frame * bands, bands)));
    }

    private static bool Sounds(ReadOnlySpan<Half> frame) => frame.ContainsAnyExceptInRange(Half.MinValue, (Half)AudioViews.LoudestSilence);

    private Half[] Silence(int count)
    {
        var values = new Half[count * bands];
        values.AsSpan().Fill((Half)LogMel.Silence);
        return values;
    }

    public void Dispose()
    {
        file.Dispose();
        _held?.Dispose();
    }
}
