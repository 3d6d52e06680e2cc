// Bytes of a document to text, exactly: nothing is normalised, replaced or dropped but the byte order mark.
using System.Text;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>A document. <paramref name="Characters"/> counts Unicode code points; <paramref name="Language"/> is ISO 639-1, or null where no guess is good enough.</summary>
internal sealed record DecodedText(string Text, int Characters, string? Language, Measured Quality);

internal static class TextDecoder
{
    /// <exception cref="MediaRejectedException">Not text, of an unknown charset, empty or too long.</exception>
    /// <param name="stripAs">The media type by which markup is taken away; null = it stays.</param>
    public static DecodedText Decode(ReadOnlySpan<byte> bytes, IngestLimits limits, string? stripAs = null, bool measures = true)
    {
        var charset = Charset.Detect(bytes, isWhole: true);
        try
        {
            var text = charset.Encoding.GetString(bytes[charset.MarkBytes..]);
            var decoded = Check(stripAs is null ? text : Markup.Strip(text, stripAs), limits, measures);
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
        if (string.IsNullOrWhiteSpace(text)) throw new MediaRejectedException(RejectionCode.Empty, "The document holds no characters but white space.");
        var characters = CodePoints(text);
        if (characters > limits.TextCharacters) throw new MediaRejectedException(RejectionCode.TooLarge, $"The document has {characters} characters; the limit is {limits.TextCharacters}. Split it.");
        if (!measures) return new(text, characters, null, Measured.Nothing);
        var language = LanguageId.Of(text);
        return new(text, characters, language.Code, TextQuality.Of(text).With("language_confidence", language.Confidence));
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
