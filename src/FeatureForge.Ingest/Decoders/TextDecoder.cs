// Bytes of a document to text, exactly: nothing is normalised, replaced or dropped but the byte order mark.
using System.Text;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>A document. <paramref name="Characters"/> counts Unicode code points.</summary>
internal sealed record DecodedText(string Text, int Characters, Measured Quality);

internal static class TextDecoder
{
    /// <exception cref="MediaRejectedException">Not text, of an unknown charset, empty or too long.</exception>
    public static DecodedText Decode(ReadOnlySpan<byte> bytes, IngestLimits limits)
    {
        var charset = Charset.Detect(bytes, isWhole: true);
        try
        {
            return Check(charset.Encoding.GetString(bytes[charset.MarkBytes..]), limits);
        }
        catch (DecoderFallbackException error)
        {
            throw new MediaRejectedException(RejectionCode.Malformed, $"The text is in {charset.Encoding.WebName}, but byte {error.Index + charset.MarkBytes} does not belong to it. Repair it, or convert it to UTF-8.");
        }
    }

    /// <summary>The same checks for text that is decoded already (a row of a table).</summary>
    public static DecodedText Check(string text, IngestLimits limits)
    {
        if (string.IsNullOrWhiteSpace(text)) throw new MediaRejectedException(RejectionCode.Empty, "The document holds no characters but white space.");
        var characters = CodePoints(text);
        if (characters > limits.TextCharacters) throw new MediaRejectedException(RejectionCode.TooLarge, $"The document has {characters} characters; the limit is {limits.TextCharacters}. Split it.");
        return new(text, characters, TextQuality.Of(text));
    }

    private static int CodePoints(string text)
    {
        var count = text.Length;
        foreach (var unit in text)
        {
            if (char.IsLowSurrogate(unit)) count--;
        }
        return count;
    }
}
