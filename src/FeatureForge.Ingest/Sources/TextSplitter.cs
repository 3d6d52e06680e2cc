// A text file of more bytes than a document may have characters becomes several items: nothing of it is lost, and no more than one
// piece of it is in memory. Pieces are cut after a blank line in their second half, else after a line, else between characters.
using System.Text;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Pieces are `path#0`, `path#1`…; together they are the text, character for character, without its byte order mark.</summary>
internal sealed class TextSplitter(IngestLimits limits, CancellationToken stop)
{
    /// <summary>Code points of a piece, where the limit is not smaller.</summary>
    public const int PieceCharacters = 1_000_000;

    private const int BlockBytes = 1 << 16;
    private readonly int _most = Math.Min(PieceCharacters, limits.TextCharacters);

    public static bool IsTooLong(MediaFormat format, long? size, IngestLimits limits) => format.Kind is MediaKind.Text or MediaKind.Other && format.MediaType != PdfText.MediaType && size > limits.TextCharacters;

    public IEnumerable<Finding> Findings(Place place, MediaFormat format, Stream stream)
    {
        try
        {
            foreach (var finding in Pieces(place, format, stream)) yield return finding;
        }
        finally
        {
            if (place is { IsDownload: true, FilePath: { } download }) File.Delete(download);
        }
    }

    private IEnumerable<Finding> Pieces(Place place, MediaFormat format, Stream stream)
    {
        var head = PrefixedStream.TakeHead(stream, Charset.SampleBytes);
        var charset = Charset.Detect(head, isWhole: false);
        var source = new Source(new PrefixedStream(head.AsMemory(charset.MarkBytes), stream), charset.Encoding, charset.MarkBytes);
        var mediaType = format.Kind == MediaKind.Other ? "text/plain" : format.MediaType;
        long offset = charset.MarkBytes;
        for (var piece = 0; ; piece++)
        {
            stop.ThrowIfCancellationRequested();
            // One more than a piece has tells a cut from the end.
            source.FillTo(2 * _most + 2);
            if (source.Waiting.Length > 0)
            {
                var text = source.Take(Cut(source.Waiting, isEnd: source.HasEnded));
                long bytes = charset.Encoding.GetByteCount(text);
                var metadata = Metadata(place, piece, offset, bytes);
                offset += bytes;
                yield return new(new RowCandidate { Path = $"{place.Path}#{piece}", SourceUri = place.SourceUri, Text = text, MediaType = mediaType, Metadata = metadata }, null);
                continue;
            }
            if (source.BadBlock is { } bad)
            {
                var rest = place with { Path = $"{place.Path}#{piece}", FilePath = null, IsDownload = false, IsWhole = false, ByteSize = null, ContentSha256 = null };
                yield return rest.Bad(RejectionCode.Malformed, $"The text is in {charset.Encoding.WebName}, but a byte in the {BlockBytes} from byte {bad} on does not belong to it. What comes before became items; this block and what follows did not. Repair it, or convert it to UTF-8.");
            }
            yield break;
        }
    }

    private static string Metadata(Place place, int piece, long offset, long bytes)
    {
        var fields = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(place.Metadata) ?? [];
        fields["part"] = JsonSerializer.SerializeToElement(piece);
        fields["byte_offset"] = JsonSerializer.SerializeToElement(offset);
        fields["byte_length"] = JsonSerializer.SerializeToElement(bytes);
        return JsonSerializer.Serialize(fields, SpecJson.Line);
    }

    // UTF-16 units of the next piece.
    private int Cut(ReadOnlySpan<char> text, bool isEnd)
    {
        var (characters, end) = (0, 0);
        while (end < text.Length && characters < _most)
        {
            end += char.IsHighSurrogate(text[end]) && end + 1 < text.Length ? 2 : 1;
            characters++;
        }
        if (end >= text.Length && isEnd) return text.Length;
        var half = text[(end / 2)..end];
        var blank = Math.Max(half.LastIndexOf("\n\n") is >= 0 and var lines ? lines + 2 : -1, half.LastIndexOf("\n\r\n") is >= 0 and var returns ? returns + 3 : -1);
        if (blank > 0) return end / 2 + blank;
        return half.LastIndexOf('\n') is >= 0 and var line ? end / 2 + line + 1 : end;
    }

    /// <summary>Decoded text that has not been taken yet.</summary>
    private sealed class Source(Stream stream, Encoding encoding, long start)
    {
        private readonly Decoder _decoder = encoding.GetDecoder();
        private readonly byte[] _bytes = new byte[BlockBytes];
        private readonly char[] _block = new char[encoding.GetMaxCharCount(BlockBytes)];
        private char[] _text = [];
        private int _count;
        private long _at = start;

        public ReadOnlySpan<char> Waiting => _text.AsSpan(0, _count);
        public bool HasEnded { get; private set; }
        /// <summary>Where the block begins that could not be decoded; then nothing follows.</summary>
        public long? BadBlock { get; private set; }

        public void FillTo(int units)
        {
            while (_count < units && !HasEnded)
            {
                var read = stream.ReadAtLeast(_bytes, _bytes.Length, throwOnEndOfStream: false);
                try
                {
                    var made = _decoder.GetChars(_bytes, 0, read, _block, 0, flush: read < _bytes.Length);
                    Append(_block.AsSpan(0, made));
                }
                catch (DecoderFallbackException)
                {
                    (BadBlock, HasEnded) = (_at, true);
                }
                _at += read;
                HasEnded |= read < _bytes.Length;
            }
        }

        public string Take(int units)
        {
            var text = new string(_text, 0, units);
            _text.AsSpan(units, _count - units).CopyTo(_text);
            _count -= units;
            return text;
        }

        private void Append(ReadOnlySpan<char> more)
        {
            if (_text.Length < _count + more.Length) Array.Resize(ref _text, Math.Max(_count + more.Length, 2 * _text.Length));
            more.CopyTo(_text.AsSpan(_count));
            _count += more.Length;
        }
    }
}
