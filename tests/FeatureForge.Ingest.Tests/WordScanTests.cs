// The fast way through ASCII text counts, hashes and sketches what the slow way through any text does.
using System.Text;

namespace FeatureForge.Ingest.Tests;

public sealed class WordScanTests
{
    private static (int Words, int Different, float Repeated, long Commonest, string Sketch, int Characters, int Symbols) Scan(string text, bool fast)
    {
        using var phrases = new PhraseTable(text.Length);
        var (characters, symbols) = (text.Length, 0);
        if (fast) Assert.True(AsciiWords.TryScan(text, phrases, out symbols));
        else (characters, symbols) = TextQuality.ScanAny(text, phrases);
        phrases.Finish();
        return (phrases.Words, phrases.Different, phrases.RepeatedShare, phrases.CommonestCharacters, Convert.ToHexString(SketchSignature.OfText(phrases.Sketch, phrases.Different)), characters, symbols);
    }

    [Fact]
    public void Both_ways_see_the_same_words_whatever_the_text()
    {
        var random = new Random(17);
        const string alphabet = "aZ09'' \n\t.,-_\u007f\u0001'e";
        for (var round = 0; round < 400; round++)
        {
            // Around the strides of 64, and long words across them.
            var length = random.Next(300);
            var text = new StringBuilder();
            while (text.Length < length) text.Append(random.Next(100) < 3 ? new string('w', random.Next(150)) : alphabet[random.Next(alphabet.Length)].ToString());

            Assert.Equal(Scan(text.ToString(), fast: false), Scan(text.ToString(), fast: true));
        }
    }

    [Fact]
    public void Bytes_get_the_scores_and_the_signature_of_their_text()
    {
        var random = new Random(23);
        string[] pieces = ["word ", "other words ", "\n", "\r\n", " \t", "the same line\n", "!", "\u001f", "don't "];
        for (var round = 0; round < 200; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(200)).Select(_ => pieces[random.Next(pieces.Length)]));
            var (ofText, ofBytes) = (TextQuality.Of(text), TextQuality.OfAscii(Encoding.ASCII.GetBytes(text)));

            Assert.Equal(ofText.Scores, ofBytes.Scores);
            Assert.Equal(ofText.Signature, ofBytes.Signature);
        }
    }

    [Theory]
    [InlineData("don't won't 'tis rock 'n' roll o'clock' end'", 8)]
    [InlineData("", 0)]
    [InlineData("a", 1)]
    [InlineData("'''", 0)]
    public void Apostrophes_within_a_word_do_not_end_it(string text, int words)
    {
        Assert.Equal(words, Scan(text, fast: true).Words);
        Assert.Equal(words, Scan(text, fast: false).Words);
    }

    [Fact]
    public void A_word_hashes_the_same_letter_by_letter_and_in_memory()
    {
        for (var length = 1; length < 40; length++)
        {
            var word = string.Concat(Enumerable.Range(0, length).Select(i => (char)((i % 3 == 0 ? 'A' : 'a') + i * 7 % 26)));
            var one = new WordHash();
            foreach (var letter in word) one.Add(letter);
            var bytes = Encoding.ASCII.GetBytes(word + "!garbage");
            unsafe
            {
                fixed (byte* at = bytes) Assert.Equal(one.Value, WordHash.Of(at, length));
            }
        }
    }

    [Fact]
    public void Text_beyond_ascii_adds_nothing_on_the_fast_way()
    {
        using var phrases = new PhraseTable(100);

        Assert.False(AsciiWords.TryScan("plain words and then caf\u00e9", phrases, out _));
        Assert.Equal(0, phrases.Words);
    }

    [Fact]
    public void Members_added_together_give_the_sketch_of_members_added_one_by_one()
    {
        var (single, many) = (new MinHash(), new MinHash());
        uint[] members = [.. Enumerable.Range(0, 1000).Select(i => MinHash.Mixed((uint)i))];
        foreach (var member in members) single.Add(member);
        many.Add(members.AsSpan(0, 333));
        many.Add(members.AsSpan(333));
        byte[] a = new byte[MinHash.Places], b = new byte[MinHash.Places];
        single.CopyTo(a);
        many.CopyTo(b);

        Assert.Equal(a, b);
    }
}
