// Activations of a dictionary of patches on the processor: patches are cut, normalised, whitened, compared with the entries and turned into activations
// 32 at a time, all of it in the caches, where tensor operations write every step of it to memory and read it again. On processors of AMD the
// products are faster besides: MKL has no AVX-512 there.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Tensors;

/// <summary>Patches of three-channel pictures against a dictionary: Coates, Lee, Ng 2011 (AISTATS), equation 3, for patches of unit contrast, whitened.</summary>
public sealed unsafe class PatchActivations : IDisposable
{
    private const int Channels = 3;

    private readonly int _side;
    private readonly int _stride;
    private readonly float _contrastFloor;
    private readonly float[] _centre;
    private readonly PackedTargets _whitening;
    private readonly PackedTargets _entries;

    /// <param name="side">Pixels per side of a patch.</param>
    /// <param name="stride">Pixels from one patch to the next.</param>
    /// <param name="contrastFloor">Added to a patch's variance.</param>
    /// <param name="centre">[3 side side]: the mean patch.</param>
    /// <param name="whitening">[3 side side, 3 side side]; column j makes value j.</param>
    /// <param name="entries">[K, 3 side side].</param>
    public PatchActivations(int side, int stride, double contrastFloor, Tensor centre, Tensor whitening, Tensor entries)
    {
        (_side, _stride, _contrastFloor) = (side, stride, (float)contrastFloor);
        var values = Channels * side * side;
        if (values % ScoreKernel.Group != 0) throw new ArgumentException($"Patches of {values} values do not fill groups of {ScoreKernel.Group}.", nameof(side));
        Require.Shape(centre, values);
        Require.Shape(whitening, values, values);
        Require.Shape(entries, Require.Any, values);
        Entries = (int)entries.size(0);
        using var scope = NewDisposeScope();
        _centre = HostCopies.ToArray<float>(centre);
        _whitening = new(HostCopies.ToArray<float>(whitening.t()), values, values, []);
        var rows = HostCopies.ToArray<float>(entries);
        _entries = new(rows, Entries, values, PackedTargets.HalfSquares(rows, Entries, values));
    }

    /// <summary>Activations per place.</summary>
    public int Entries { get; }

    /// <summary>Pictures [N, 3, S, S], float32 on the host, S a multiple of the stride, to activations [N, K, S / stride, S / stride], channels last in memory. Those at the border are completed by reflection.</summary>
    public Tensor Map(Tensor pictures)
    {
        Require.Shape(pictures, Require.Any, Channels, Require.Any, Require.Any);
        var (count, size) = ((int)pictures.size(0), (int)pictures.size(2));
        if (pictures.size(3) != size || size % _stride != 0) throw new ArgumentException($"Expected squares with a side that {_stride} divides, found {size} x {pictures.size(3)}.", nameof(pictures));
        using var scope = NewDisposeScope();
        var across = size / _stride;
        var output = empty(count, across, across, Entries);
        var input = pictures.detach().contiguous();
        fixed (byte* from = input.bytes, to = output.bytes)
        {
            var (source, target) = ((nint)from, (nint)to);
            void One(int picture) => MapOne((float*)source + (long)picture * Channels * size * size, size, (float*)target + (long)picture * across * across * Entries);
            HostThreads.For(count, One);
        }
        return output.permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void MapOne(float* picture, int size, float* output)
    {
        var (across, values) = (size / _stride, Channels * _side * _side);
        var padded = size + _side - _stride;
        var phase = (padded + _stride - 1) / _stride;
        using var planes = new AlignedFloats((long)Channels * padded * _stride * phase);
        Phases(picture, size, padded, phase, planes.Pointer);
        using var work = new AlignedFloats((long)(2 * values + _entries.Groups * ScoreKernel.Group) * ScoreKernel.Lanes);
        var patches = work.Pointer;
        var white = patches + values * ScoreKernel.Lanes;
        var distances = white + values * ScoreKernel.Lanes;
        for (var first = 0; first < across * across; first += ScoreKernel.Lanes)
        {
            var lanes = Math.Min(ScoreKernel.Lanes, across * across - first);
            Cut(planes.Pointer, padded, phase, across, first, lanes, patches);
            Normalise(patches, values);
            for (var group = 0; group < _whitening.Groups; group++)
                ScoreKernel.Multiply(patches, _whitening[group], values, white + group * ScoreKernel.Group * ScoreKernel.Lanes);
            for (var group = 0; group < _entries.Groups; group++)
                ScoreKernel.Multiply(white, _entries[group], values, distances + group * ScoreKernel.Group * ScoreKernel.Lanes);
            Activate(white, values, distances);
            ScoreKernel.Unpack(distances, Entries, lanes, output + (long)first * Entries, Entries);
        }
    }

    // Reflected at the border, columns sorted by their remainder: [3, rows, stride, columns / stride]. Then neighbouring patches' values lie side by side.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Phases(float* picture, int size, int padded, int phase, float* planes)
    {
        var margin = (padded - size) / 2;
        for (var channel = 0; channel < Channels; channel++)
        {
            for (var y = 0; y < padded; y++)
            {
                var row = picture + ((long)channel * size + Reflected(y - margin, size)) * size;
                var to = planes + (long)(channel * padded + y) * _stride * phase;
                for (var x = 0; x < padded; x++) to[x % _stride * phase + x / _stride] = row[Reflected(x - margin, size)];
            }
        }
    }

    private static int Reflected(int at, int size) => at < 0 ? -at : at >= size ? 2 * size - 2 - at : at;

    /// <summary>Places [first, first + lanes) as a panel [values, Lanes], channel by channel and row by row; lanes without a place are zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Cut(float* planes, int padded, int phase, int across, int first, int lanes, float* panel)
    {
        if (lanes < ScoreKernel.Lanes) new Span<float>(panel, Channels * _side * _side * ScoreKernel.Lanes).Clear();
        for (int lane = 0, run; lane < lanes; lane += run)
        {
            var (row, column) = Math.DivRem(first + lane, across);
            run = Math.Min(lanes - lane, across - column);
            var to = panel + lane;
            for (var channel = 0; channel < Channels; channel++)
            {
                for (var y = 0; y < _side; y++)
                {
                    var from = planes + (long)(channel * padded + row * _stride + y) * _stride * phase + column;
                    for (var x = 0; x < _side; x++, to += ScoreKernel.Lanes)
                        new ReadOnlySpan<float>(from + x % _stride * phase + x / _stride, run).CopyTo(new Span<float>(to, run));
                }
            }
        }
    }

    // Every patch's own mean taken off, its contrast made one, the mean patch taken off.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Normalise(float* panel, int values)
    {
        var floor = Vector512.Create(_contrastFloor);
        for (var part = 0; part < ScoreKernel.Lanes; part += Vector512<float>.Count)
        {
            Vector512<float> sum = default, squares = default;
            for (var d = 0; d < values; d++) sum += Vector512.Load(panel + d * ScoreKernel.Lanes + part);
            var mean = sum / values;
            for (var d = 0; d < values; d++)
            {
                var centred = Vector512.Load(panel + d * ScoreKernel.Lanes + part) - mean;
                squares += centred * centred;
            }
            var scale = Vector512<float>.One / Vector512.Sqrt(squares / values + floor);
            for (var d = 0; d < values; d++)
            {
                var value = (Vector512.Load(panel + d * ScoreKernel.Lanes + part) - mean) * scale - Vector512.Create(_centre[d]);
                value.Store(panel + d * ScoreKernel.Lanes + part);
            }
        }
    }

    // Products to distances (|x|^2 - 2 (x.c - |c|^2 / 2)), then to how much nearer than the mean distance.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Activate(float* white, int values, float* products)
    {
        for (var part = 0; part < ScoreKernel.Lanes; part += Vector512<float>.Count)
        {
            Vector512<float> squares = default, sum = default;
            for (var d = 0; d < values; d++)
            {
                var value = Vector512.Load(white + d * ScoreKernel.Lanes + part);
                squares += value * value;
            }
            for (var k = 0; k < Entries; k++)
            {
                var at = products + k * ScoreKernel.Lanes + part;
                var distance = Vector512.Sqrt(Vector512.Max(Vector512<float>.Zero, squares - 2 * (Vector512.Load(at) + Vector512.Create(_entries.Offsets[k]))));
                distance.Store(at);
                sum += distance;
            }
            var mean = sum / Entries;
            for (var k = 0; k < Entries; k++)
            {
                var at = products + k * ScoreKernel.Lanes + part;
                Vector512.Max(Vector512<float>.Zero, mean - Vector512.Load(at)).Store(at);
            }
        }
    }

    public void Dispose()
    {
        _whitening.Dispose();
        _entries.Dispose();
    }
}
