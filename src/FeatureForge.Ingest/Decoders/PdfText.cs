// The text of a PDF, page by page in reading order. A PDF without text (a scan) is no document until somebody has recognised it.
using System.Text;
using FeatureForge.Data;
using UglyToad.PdfPig;
using UglyToad.PdfPig.DocumentLayoutAnalysis.TextExtractor;
using UglyToad.PdfPig.Exceptions;

namespace FeatureForge.Ingest;

internal static class PdfText
{
    public const string MediaType = "application/pdf";

    /// <summary>Pages are separated by form feeds.</summary>
    /// <exception cref="MediaRejectedException">Encrypted, damaged, without text or too long.</exception>
    public static string Read(MediaContent content, IngestLimits limits, CancellationToken stop)
    {
        try
        {
            using var document = content.Bytes is { } bytes ? PdfDocument.Open(bytes) : PdfDocument.Open(content.FilePath!);
            var text = new StringBuilder();
            for (var number = 1; number <= document.NumberOfPages; number++)
            {
                stop.ThrowIfCancellationRequested();
                if (number > 1) text.Append('\f');
                text.Append(ContentOrderTextExtractor.GetText(document.GetPage(number), addDoubleNewline: true).Trim());
                // Two UTF-16 units are the most a character has.
                if (text.Length > 2L * limits.TextCharacters)
                    throw new MediaRejectedException(RejectionCode.TooLarge, $"The first {number} of its {document.NumberOfPages} pages have more than {limits.TextCharacters} characters, the limit. Split it, or raise the limit (--max-characters).");
            }
            var found = text.ToString();
            if (found.AsSpan().ContainsAnyExcept(" \t\r\n\f")) return found;
            throw new MediaRejectedException(RejectionCode.Empty, $"The PDF has {document.NumberOfPages} pages and no text in them; it may be a scan. Recognise its text (OCR) and ingest the result.");
        }
        catch (PdfDocumentEncryptedException)
        {
            throw new MediaRejectedException(RejectionCode.Encrypted, "The PDF is encrypted. Save it without a password.");
        }
        catch (Exception error) when (error is not (MediaRejectedException or OperationCanceledException or IOException or OutOfMemoryException))
        {
            throw new MediaRejectedException(RejectionCode.Malformed, $"The PDF cannot be read: {error.Message.TrimEnd('.')}. Save it again with a PDF program.");
        }
    }
}
