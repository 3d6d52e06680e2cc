// IDX files of pictures (the MNIST family): magic 00 00 type rank, big-endian sizes, then the pixels of all pictures.
using System.Buffers.Binary;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal sealed class IdxReader(IngestLimits limits)
{
    private const byte UnsignedByte = 0x08;

    public IEnumerable<Finding> Findings(Place place, Stream stream)
    {
        var magic = new byte[4];
        stream.ReadExactly(magic);
        var (type, rank) = (magic[2], magic[3]);
        if (magic[0] != 0 || magic[1] != 0 || rank is < 1 or > 4) throw new MediaRejectedException(RejectionCode.Malformed, "An IDX file starts with two zero bytes, a type and 1 to 4 dimensions.");
        if (rank < 3) throw new MediaRejectedException(RejectionCode.UnsupportedFormat, $"An IDX file of {rank} dimension(s) holds labels or vectors; expected pictures (3 dimensions, or 4 with channels).");
        if (type != UnsignedByte) throw new MediaRejectedException(RejectionCode.UnsupportedFeature, $"The IDX type is 0x{type:X2}; expected 0x08 (unsigned byte).");
        var sizes = new int[4];
        sizes[3] = 1;
        var number = new byte[4];
        for (var i = 0; i < rank; i++)
        {
            stream.ReadExactly(number);
            sizes[i] = BinaryPrimitives.ReadInt32BigEndian(number);
        }
        var (count, height, width, channels) = (sizes[0], sizes[1], sizes[2], sizes[3]);
        if (count < 0 || height <= 0 || width <= 0) throw new MediaRejectedException(RejectionCode.Malformed, $"The IDX header declares {count} pictures of {width}x{height} pixels.");
        if (channels is not (1 or 3 or 4)) throw new MediaRejectedException(RejectionCode.UnsupportedFeature, $"The IDX header declares {channels} channels; expected 1, 3 or 4, in the last dimension.");
        if ((long)width * height > limits.ImagePixels || (long)width * height * channels > limits.ContentBytes)
            throw new MediaRejectedException(RejectionCode.TooLarge, $"The IDX pictures have {width}x{height}x{channels} values; the limits are {limits.ImagePixels} pixels and {limits.ContentBytes} bytes.");
        if (count == 0) throw new MediaRejectedException(RejectionCode.Empty, "The IDX file holds no pictures.");

        for (var i = 0; i < count; i++)
        {
            var pixels = new byte[width * height * channels];
            var read = stream.ReadAtLeast(pixels, pixels.Length, throwOnEndOfStream: false);
            if (read < pixels.Length) throw new MediaRejectedException(RejectionCode.Truncated, $"The IDX header declares {count} pictures; the file ends in picture {i}.");
            yield return new(new PixelsCandidate { Path = $"{place.Path}#{i}", SourceUri = place.SourceUri, Pixels = pixels, Width = width, Height = height, Channels = channels }, null);
        }
    }
}
