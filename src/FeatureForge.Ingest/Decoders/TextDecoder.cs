// Bytes of a document to text, exactly: nothing is normalised, replaced or dropped but the byte order mark.
using System.Text;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>A document. <paramref name="Characters"/> counts Unicode code points; <paramref name="Language"/> is ISO 639-1, or null where no guess is good enough.</summary>
internal sealed record DecodedText(int Characters, string? Language, Measured Quality)
{
    private string? _text;

    /// <summary>The bytes that were decoded, when they are the text in UTF-8 themselves.</summary>
    public byte[]? Utf8 { get; init; }

    public string Text
    {
        get => _text ??= Encoding.UTF8.GetString(Utf8!);
        init => _text = value;
    }
}

internal static class TextDecoder
{
    /// <exception cref="MediaRejectedException">Not text, of an unknown charset, empty or too long.</exception>
    /// <param name="stripAs">The media type by which markup is taken away; null = it stays.</param>
    public static DecodedText Decode(byte[] bytes, IngestLimits limits, string? stripAs = null, bool measures = true)
    {
        var charset = Charset.Detect(bytes, isWhole: true);
        var isUtf8 = charset is { Encoding: UTF8Encoding, MarkBytes: 0 } && stripAs is null;
        // Much of the world's text: it is measured as it is, and no string is made.
        if (isUtf8 && Ascii.IsValid(bytes)) return OfAscii(bytes, limits, measures);
        try
        {
            var text = charset.Encoding.GetString(bytes.AsSpan(charset.MarkBytes));
            var decoded = Check(stripAs is null ? text : Markup.Strip(text, stripAs), limits, measures) with { Utf8 = isUtf8 ? bytes : null };
            return charset.Confidence >= 1 ? decoded : decoded with { Quality = decoded.Quality.With("charset_confidence", charset.Confidence) };
        }
        catch (DecoderFallbackException error)
        {
            throw new MediaRejectedException(RejectionCode.Malformed, $"The text is in {charset.Encoding.WebName}, but byte {error.Index + charset.MarkBytes} does not belong to it. Repair it, or convert it to UTF-8.");
        }
    }

    /// <summary>The same checks for text that is decoded already (a row of a table).</summary>
    public static DecodedText Check(string text, IngestLimits limits, bool measures = true)
    {
        var characters = CodePoints(text);
        ThrowIfRefused(string.IsNullOrWhiteSpace(text), characters, limits);
        if (!measures) return new(characters, null, Measured.Nothing) { Text = text };
        var language = LanguageId.Of(text);
        return new(characters, language.Code, TextQuality.Of(text).With("language_confidence", language.Confidence)) { Text = text };
    }

    private static DecodedText OfAscii(byte[] text, IngestLimits limits, bool measures)
    {
        ThrowIfRefused(Ascii.Trim(text) is var range && range.Start.Equals(range.End), text.Length, limits);
        if (!measures) return new(text.Length, null, Measured.Nothing) { Utf8 = text };
        var language = LanguageId.Of(Encoding.ASCII.GetString(text, 0, Math.Min(text.Length, LanguageId.SampledUnits)));
        return new(text.Length, language.Code, TextQuality.OfAscii(text).With("language_confidence", language.Confidence)) { Utf8 = text };
    }

    private static void ThrowIfRefused(bool isBlank, int characters, IngestLimits limits)
    {
        if (isBlank) throw new MediaRejectedException(RejectionCode.Empty, "The document holds no characters but white space.");
        if (characters > limits.TextCharacters) throw new MediaRejectedException(RejectionCode.TooLarge, $"The document has {characters} characters; the limit is {limits.TextCharacters}. Split it.");
    }

    private static int CodePoints(string text)
    {
        var count = text.Length;
        if (Ascii.IsValid(text)) return count;
        foreach (var unit in text)
        {
            if (char.IsLowSurrogate(unit)) count--;
        }
        return count;
    }
}
