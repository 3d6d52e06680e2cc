// Word pieces: the splits that BERT's vocabularies were made for, and spans that are exact in the text as it was.
using System.Text;
using FeatureForge.TestKit;

namespace FeatureForge.Learning.Tests;

public sealed class WordPieceTests
{
    private static readonly string[] _lines = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##aff", "##able", "run", "##ning", "cafe", ".", ",", "中", "文", "##s", "don", "'", "t", "Cafe", "$", "i"];

    private static (string[] Pieces, (int, int)[] Spans) Of(string text, bool lowerCase = true)
    {
        var (tokens, numbers) = new WordPiece(_lines, WordPieceSpec.Of(_lines, lowerCase, lowerCase)).Of(text);
        Assert.Equal(tokens.Select(token => token.Text), numbers.Select(number => _lines[number]));
        return ([.. tokens.Select(token => token.Text)], [.. tokens.Select(token => (token.Start, token.End))]);
    }

    [Fact]
    public void Words_split_into_the_longest_known_pieces()
    {
        var (pieces, spans) = Of("Unaffable running, runs.");

        Assert.Equal(["un", "##aff", "##able", "run", "##ning", ",", "run", "##s", "."], pieces);
        Assert.Equal([(0, 2), (2, 5), (5, 9), (10, 13), (13, 17), (17, 18), (19, 22), (22, 23), (23, 24)], spans);
    }

    [Fact]
    public void A_word_that_no_pieces_cover_is_unknown_as_a_whole() => Assert.Equal(["run", "[UNK]", "."], Of("run runx.").Pieces);

    [Theory]
    [InlineData("café x")] // one code point
    [InlineData("cafe\u0301 x")] // a letter and its accent
    public void Accents_go_and_spans_stay_those_of_the_text(string text)
    {
        var (pieces, spans) = Of(text);

        Assert.Equal("cafe", pieces[0]);
        Assert.Equal((0, text.IndexOf(' ') - (text.Length == 7 ? 1 : 0)), spans[0]);
    }

    [Theory]
    [InlineData("\u0130", "I")]
    [InlineData("\u1EC7", "e")] // two marks
    [InlineData("\uD55C", "\u1112\u1161\u11AB")] // a Hangul syllable: its letters
    [InlineData("\u0301", "")]
    [InlineData("\u00DF", "\u00DF")]
    public void Letters_lose_their_marks(string text, string bare) => Assert.Equal(bare, string.Concat(Accents.Without(text.EnumerateRunes().First()).Select(rune => rune.ToString())));

    [Fact]
    public void Capitals_and_accents_stay_where_the_vocabulary_wants_them() => Assert.Equal(["Cafe", "[UNK]"], Of("Cafe Café", lowerCase: false).Pieces);

    [Fact]
    public void Han_characters_and_signs_stand_alone_and_what_cannot_be_seen_is_dropped()
    {
        var (pieces, spans) = Of("中文don't\u0000$ \u200brun\u200ds");

        Assert.Equal(["中", "文", "don", "'", "t", "$", "run", "##s"], pieces);
        Assert.Equal([(11, 14), (15, 16)], spans[6..]); // behind a zero-width space, and behind a joiner
    }

    [Fact]
    public void Characters_beyond_the_basic_plane_count_once()
    {
        var (pieces, spans) = Of("😀 run");

        Assert.Equal(["[UNK]", "run"], pieces);
        Assert.Equal((2, 5), spans[1]);
    }

    [Fact]
    public void Sentences_begin_after_stops()
    {
        var (tokens, _) = new WordPiece(_lines, WordPieceSpec.Of(_lines, true, true)).Of("Run. Running, i run! I");

        Assert.Equal(["run", "i"], tokens.Where(token => token.BeginsSentence).Select(token => token.Text));
    }

    [Fact]
    public void The_published_vocabulary_gives_the_published_splits()
    {
        var lines = File.ReadAllText(Datasets.File("tokenizers/bert-base-uncased-vocab.txt")).ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');
        var splitter = new WordPiece(lines, WordPieceSpec.Of(lines, true, true));

        var (tokens, numbers) = splitter.Of("Hello, embeddings! Transformers");

        Assert.Equal(30_522, lines.Length);
        Assert.Equal(["hello", ",", "em", "##bed", "##ding", "##s", "!", "transformers"], tokens.Select(token => token.Text));
        Assert.Equal([7592, 1010, 7861, 8270, 4667, 2015, 999, 19081], numbers);
    }

    [Fact]
    public void Every_span_lies_in_the_text_and_none_overlaps_the_one_before()
    {
        var random = new Random(3);
        int[] alphabet = ['a', 'r', 'u', 'n', ' ', '.', ',', 0x4E2D, 0x1F600, 0x301, 0xE9, 0x200B, '\n', 'I', 0x130];
        var splitter = new WordPiece(_lines, WordPieceSpec.Of(_lines, true, true));
        for (var round = 0; round < 300; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => new Rune(alphabet[random.Next(alphabet.Length)]).ToString()));
            var length = text.EnumerateRunes().Count();

            var (tokens, numbers) = splitter.Of(text);

            Assert.Equal(tokens.Count, numbers.Length);
            var end = 0;
            foreach (var token in tokens)
            {
                Assert.InRange(token.Start, end, length - 1);
                Assert.InRange(token.End, token.Start + 1, length);
                end = token.End;
            }
        }
    }
}
