// The signature of documents and recordings: kind, size of the set, and its sketch; recordings add their length and colour.
using System.Buffers.Binary;

namespace FeatureForge.Ingest;

internal static class SketchSignature
{
    // 2 was a sketch of words hashed in another way: such signatures are of no use any more, and are passed over.
    public const byte Text = 4;
    public const byte Sound = 3;
    public const int SketchAt = 2;
    public const int TextBytes = SketchAt + MinHash.Places;
    public const int SecondsAt = TextBytes;
    public const int SpectrumAt = SecondsAt + 4;
    public const int SpectrumBands = 16;
    public const int SoundBytes = SpectrumAt + SpectrumBands;

    /// <summary>A set of fewer members says too little for a share of it to count.</summary>
    private const int SmallSet = 10;

    public static byte[] OfText(MinHash sketch, int members) => Of(Text, TextBytes, sketch, members);

    /// <param name="spectrum">Decibels of each band below the loudest.</param>
    public static byte[] OfSound(MinHash sketch, int members, double seconds, ReadOnlySpan<byte> spectrum)
    {
        var signature = Of(Sound, SoundBytes, sketch, members);
        BinaryPrimitives.WriteSingleLittleEndian(signature.AsSpan(SecondsAt), (float)seconds);
        spectrum.CopyTo(signature.AsSpan(SpectrumAt));
        return signature;
    }

    /// <summary>Estimated Jaccard similarity of the two sets in [0,1]; of small sets 1 when they are equal and else 0.</summary>
    public static double Similarity(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        var agreement = MinHash.Agreement(a[SketchAt..], b[SketchAt..]);
        if (Math.Min(a[1], b[1]) < SmallSet) return a[1] == b[1] && agreement == MinHash.Places ? 1 : 0;
        return (double)agreement / MinHash.Places;
    }

    /// <summary>The shorter length by the longer, and the mean difference of the spectra in decibels.</summary>
    public static (double LengthRatio, double Decibels) Compare(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b)
    {
        var (first, second) = (BinaryPrimitives.ReadSingleLittleEndian(a[SecondsAt..]), BinaryPrimitives.ReadSingleLittleEndian(b[SecondsAt..]));
        var difference = 0;
        for (var i = 0; i < SpectrumBands; i++) difference += Math.Abs(a[SpectrumAt + i] - b[SpectrumAt + i]);
        return (Math.Min(first, second) / Math.Max(first, second), (double)difference / SpectrumBands);
    }

    private static byte[] Of(byte kind, int bytes, MinHash sketch, int members)
    {
        var signature = new byte[bytes];
        signature[0] = kind;
        signature[1] = (byte)Math.Min(255, members);
        sketch.CopyTo(signature.AsSpan(SketchAt, MinHash.Places));
        return signature;
    }
}
