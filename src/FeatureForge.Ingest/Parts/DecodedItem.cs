// What decoding found out of one file, without its bytes: what a shard leaves for the run that publishes. The form on disk is private to one version of the
// program and one run of a pipeline: kind, then fields in order; text as UTF-16, because tables may hold what UTF-8 cannot say.
using System.Runtime.InteropServices;
using System.Text;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Either an item's derived fields, or a code and a reason.</summary>
internal sealed record DecodedItem
{
    public RejectionCode? Code { get; init; }
    public string? Reason { get; init; }
    public Modality Modality { get; init; }
    public string MediaType { get; init; } = "";
    /// <summary>Null too when the item's bytes are its text.</summary>
    public string? Text { get; init; }
    public bool ContentIsText { get; init; }
    public int? Width { get; init; }
    public int? Height { get; init; }
    public int? Channels { get; init; }
    public int? DurationMs { get; init; }
    public int? SampleRate { get; init; }
    public int? Characters { get; init; }
    public string? Language { get; init; }
    public IReadOnlyDictionary<string, float> Quality { get; init; } = new Dictionary<string, float>();
    public byte[]? Signature { get; init; }
    public IReadOnlyDictionary<int, byte[]>? Images { get; init; }
    public KeptSamples? Samples { get; init; }

    /// <summary>Null when nothing is to be left of it: it was known, or what went wrong may not go wrong again.</summary>
    public static DecodedItem? Of(Outcome outcome) => outcome switch
    {
        { Kind: OutcomeKind.Rejected, Rejection: { ContentSha256: not null, Code: not RejectionCode.Unreadable } rejection } => new() { Code = rejection.Code, Reason = rejection.Reason },
        { Kind: OutcomeKind.Item, Row: { } row } => new()
        {
            Modality = row.Modality,
            MediaType = row.MediaType,
            Text = row.ContentIsText ? null : row.Text,
            ContentIsText = row.ContentIsText,
            Width = row.Width,
            Height = row.Height,
            Channels = row.Channels,
            DurationMs = row.DurationMs,
            SampleRate = row.SampleRate,
            Characters = row.Characters,
            Language = row.Language,
            Quality = row.Quality,
            Signature = row.Signature,
            Images = outcome.Images,
            Samples = outcome.Samples,
        },
        _ => null,
    };

    public void Write(Stream target)
    {
        using var writer = new BinaryWriter(target, Encoding.UTF8, leaveOpen: true);
        writer.Write(Code is { } code ? (int)code : -1);
        if (Code is not null)
        {
            WriteText(writer, Reason);
            return;
        }
        writer.Write((byte)Modality);
        WriteText(writer, MediaType);
        WriteText(writer, Text);
        writer.Write(ContentIsText);
        foreach (var number in new[] { Width, Height, Channels, DurationMs, SampleRate, Characters }) writer.Write(number ?? -1);
        WriteText(writer, Language);
        writer.Write(Quality.Count);
        foreach (var (name, value) in Quality)
        {
            WriteText(writer, name);
            writer.Write(value);
        }
        WriteBytes(writer, Signature);
        writer.Write(Images?.Count ?? -1);
        foreach (var (size, pixels) in Images ?? new Dictionary<int, byte[]>())
        {
            writer.Write(size);
            WriteBytes(writer, pixels);
        }
        writer.Write(Samples?.Count ?? -1L);
        writer.Flush();
        Samples?.CopyTo(target);
    }

    public static DecodedItem Read(Stream source, string scratchFolder)
    {
        using var reader = new BinaryReader(source, Encoding.UTF8, leaveOpen: true);
        if (reader.ReadInt32() is >= 0 and var code) return new() { Code = (RejectionCode)code, Reason = ReadText(reader) };
        var item = new DecodedItem { Modality = (Modality)reader.ReadByte(), MediaType = ReadText(reader)!, Text = ReadText(reader), ContentIsText = reader.ReadBoolean() };
        int? Number() => reader.ReadInt32() is >= 0 and var number ? number : null;
        item = item with { Width = Number(), Height = Number(), Channels = Number(), DurationMs = Number(), SampleRate = Number(), Characters = Number(), Language = ReadText(reader) };
        var quality = new Dictionary<string, float>();
        for (var left = reader.ReadInt32(); left > 0; left--) quality[ReadText(reader)!] = reader.ReadSingle();
        var signature = ReadBytes(reader);
        var images = reader.ReadInt32() is >= 0 and var sizes ? Enumerable.Range(0, sizes).Select(_ => (Size: reader.ReadInt32(), Pixels: ReadBytes(reader)!)).ToDictionary(form => form.Size, form => form.Pixels) : null;
        return item with { Quality = quality, Signature = signature, Images = images, Samples = reader.ReadInt64() is >= 0 and var count ? KeptSamples.From(source, count, scratchFolder) : null };
    }

    private static void WriteText(BinaryWriter writer, string? text)
    {
        writer.Write(text?.Length ?? -1);
        if (text is not null) writer.Write(MemoryMarshal.AsBytes(text.AsSpan()));
    }

    private static string? ReadText(BinaryReader reader)
    {
        if (reader.ReadInt32() is not (>= 0 and var length)) return null;
        var text = new char[length];
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(text.AsSpan()));
        return new(text);
    }

    private static void WriteBytes(BinaryWriter writer, byte[]? bytes)
    {
        writer.Write(bytes?.Length ?? -1);
        if (bytes is not null) writer.Write(bytes);
    }

    private static byte[]? ReadBytes(BinaryReader reader) => reader.ReadInt32() is >= 0 and var length ? reader.ReadBytes(length) : null;
}
