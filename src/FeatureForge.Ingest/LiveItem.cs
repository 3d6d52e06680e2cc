// One item that is in no corpus, decoded and prepared exactly as ingest would: what serving and search by example embed.
using System.Buffers.Binary;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>An item in prepared form.</summary>
public sealed class LiveItem : IDisposable
{
    private static readonly IngestSpec _spec = new() { Sources = ["live"], Corpus = "live" };

    private readonly PreparationSpec _preparation;
    private readonly Outcome _outcome;

    private LiveItem(PreparationSpec preparation, Outcome outcome) => (_preparation, _outcome) = (preparation, outcome);

    /// <summary>Decodes a file's bytes.</summary>
    /// <param name="name">A file name: where bytes do not say what they are, its extension does.</param>
    /// <param name="scratchFolder">Where long recordings are unpacked.</param>
    /// <exception cref="BadRequestException">The bytes are no item of the preparation's modality; the message says why.</exception>
    public static LiveItem OfFile(byte[] content, string name, PreparationSpec preparation, string scratchFolder, CancellationToken stop)
    {
        var format = MediaFormat.Recognise(content.AsSpan(0, Math.Min(content.Length, MediaFormat.HeadBytes)), name);
        if (format.Modality is { } found && found != preparation.Modality || format.Kind is MediaKind.Idx or MediaKind.Table or MediaKind.Zip or MediaKind.Tar or MediaKind.Compressed or MediaKind.Parquet)
            throw new BadRequestException($"Expected {Word(preparation.Modality)}, found {format.Name}.");
        if (format.Modality is null && preparation.Modality != Modality.Text) throw new BadRequestException($"Expected {Word(preparation.Modality)}, found bytes that begin like none of its formats.");
        return Of(new FileCandidate { Path = name, SourceUri = name, Format = format, ByteSize = content.Length, Bytes = content }, preparation, scratchFolder, stop);
    }

    /// <summary>Checks a text.</summary>
    /// <exception cref="BadRequestException">It is no text that ingest would take.</exception>
    public static LiveItem OfText(string text, PreparationSpec preparation, CancellationToken stop) =>
        Of(new RowCandidate { Path = "text", SourceUri = "text", Text = text, MediaType = "text/plain" }, preparation, "", stop);

    /// <summary>Interleaved pixels of 8 bits.</summary>
    /// <param name="channels">1 (grey) or 3 (RGB).</param>
    /// <exception cref="BadRequestException">The sizes do not fit the bytes.</exception>
    public static LiveItem OfPixels(byte[] pixels, int width, int height, int channels, PreparationSpec preparation, CancellationToken stop)
    {
        if (width < 1 || height < 1 || channels is not (1 or 3) || (long)width * height * channels != pixels.Length)
            throw new BadRequestException($"Expected pixels of 1 or 3 channels, height times width times channels bytes of them; found {pixels.Length} bytes for {height} x {width} x {channels}.");
        return Of(new PixelsCandidate { Path = "pixels", SourceUri = "pixels", Pixels = pixels, Width = width, Height = height, Channels = channels }, preparation, "", stop);
    }

    /// <summary>Mono samples of 16 bits.</summary>
    /// <param name="rate">Hertz.</param>
    /// <exception cref="BadRequestException">The rate is none, or there are no samples.</exception>
    public static LiveItem OfSamples(ReadOnlySpan<short> samples, int rate, PreparationSpec preparation, string scratchFolder, CancellationToken stop)
    {
        if (rate is < 1000 or > 384_000) throw new BadRequestException($"The sample rate is {rate}; expected 1000 to 384000 Hz.");
        var wave = new byte[44 + 2 * samples.Length];
        "RIFF"u8.CopyTo(wave);
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(4), wave.Length - 8);
        "WAVEfmt "u8.CopyTo(wave.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(16), 16);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(20), 1);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(22), 1);
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(24), rate);
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(28), 2 * rate);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(32), 2);
        BinaryPrimitives.WriteInt16LittleEndian(wave.AsSpan(34), 16);
        "data"u8.CopyTo(wave.AsSpan(36));
        BinaryPrimitives.WriteInt32LittleEndian(wave.AsSpan(40), 2 * samples.Length);
        System.Runtime.InteropServices.MemoryMarshal.AsBytes(samples).CopyTo(wave.AsSpan(44));
        return OfFile(wave, "samples.wav", preparation, scratchFolder, stop);
    }

    /// <summary>Whether the item's bytes are bare pixels (of an IDX file, say) and no picture file.</summary>
    public static bool IsRawPixels(ItemRow row) => row.MediaType == RawPixels.MediaType;

    /// <summary>The bytes of an item that was read with its content, or by reference from its file.</summary>
    /// <exception cref="BadRequestException">Its file has gone.</exception>
    public static byte[] BytesOf(ItemRow row)
    {
        try
        {
            using var stream = StoredItem.Content(row).Open();
            using var bytes = new MemoryStream();
            stream.CopyTo(bytes);
            return bytes.ToArray();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException) { throw new BadRequestException($"Item {row.ItemId} ({row.Path}) cannot be read now: {error.Message}"); }
    }

    /// <summary>Adds it to a part in memory.</summary>
    public void AddTo(PreparedPartWriter writer) => PreparedItem.Add(writer, _preparation, _outcome);

    public void Dispose() => _outcome.Samples?.Dispose();

    private static LiveItem Of(Candidate candidate, PreparationSpec preparation, string scratchFolder, CancellationToken stop)
    {
        var forms = new PreparedForms(preparation.ImageSize is { } size ? [size] : [], preparation.SampleRate ?? 0, Measures: false);
        var outcome = new ItemDecoder(_spec, scratchFolder, TimeProvider.System).Decode(new(candidate, null), forms, _ => false, (_, _) => false, null, alone: true, FlightVerdict.Clear, stop);
        if (outcome.Rejection is { } rejection) throw new BadRequestException(rejection.Reason);
        return new(preparation, outcome);
    }

    private static string Word(Modality modality) => modality == Modality.Image ? "an image" : modality == Modality.Audio ? "a recording" : "a text";
}
