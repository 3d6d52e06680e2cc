// How a transformer over text gets its tokens: words of the corpus's own vocabulary, or word pieces of a ready-made one.
using System.Text;

namespace FeatureForge.Learning;

/// <summary>Tokens of a text with their numbers; 0 is padding in both kinds.</summary>
internal sealed class TextTokens
{
    private readonly Func<string, (IReadOnlyList<Token> Tokens, int[] Numbers)> _of;

    private TextTokens(byte[] bytes, int size, int? first, int? last, Func<string, (IReadOnlyList<Token>, int[])> of) => (Bytes, Size, First, Last, _of) = (bytes, size, first, last, of);

    /// <param name="bytes">The vocabulary, one entry a line, as it lies in weight files.</param>
    public static TextTokens FromBytes(byte[] bytes, EncoderSpec spec)
    {
        if (spec.WordPieces is { } pieces)
        {
            var splitter = new WordPiece(Encoding.UTF8.GetString(bytes).Split('\n'), pieces);
            return new(bytes, spec.Words, pieces.FirstNumber, pieces.LastNumber, text => splitter.Of(text));
        }
        var words = Vocabulary.FromBytes(bytes, spec.Buckets);
        return new(bytes, words.Size, null, null, text =>
        {
            var found = Words.Of(text);
            return (found, [.. found.Select(token => words.NumberOf(token.Text))]);
        });
    }

    public byte[] Bytes { get; }

    /// <summary>Numbers in use, padding included.</summary>
    public int Size { get; }

    /// <summary>Tokens that frame every window; null where the network was not trained with any.</summary>
    public int? First { get; }
    public int? Last { get; }

    public (IReadOnlyList<Token> Tokens, int[] Numbers) Of(string text) => _of(text);
}
