// Documents: valid Unicode survives exactly, other charsets are found or refused.
using System.Text;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

public sealed class TextDecoderTests
{
    private const string World = "漢字かな ภาษาไทย العربية עברית 🤔👩‍👩‍👧 naïve Å\u030A\r\n\tтекст";

    [Fact]
    public void Valid_Unicode_survives_exactly() => Assert.Equal(World, Decode(Encoding.UTF8.GetBytes(World)));

    [Fact]
    public void Characters_are_code_points() => Assert.Equal(3, TextDecoder.Decode([.. "a🤔b"u8], new()).Characters);

    [Theory]
    [InlineData("utf-8")]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    [InlineData("utf-32")]
    public void A_byte_order_mark_says_the_charset_and_is_dropped(string name)
    {
        var encoding = Encoding.GetEncoding(name);

        Assert.Equal(World, Decode([.. encoding.GetPreamble(), .. encoding.GetBytes(World)]));
    }

    [Theory]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    public void UTF_16_without_a_mark_is_known_by_its_NUL_bytes(string name) =>
        Assert.Equal("Plain words, written wide.", Decode(Encoding.GetEncoding(name).GetBytes("Plain words, written wide.")));

    [Fact]
    public void Latin_text_of_another_charset_is_found()
    {
        var text = "Der Größte unter ihnen hätte es für möglich gehalten, daß die Brücke über den Fluß führt. Später aß er Käse.";

        Assert.Equal(text, Decode(Encoding.Latin1.GetBytes(text)));
    }

    [Fact]
    public void Damaged_UTF_8_is_refused_with_the_place()
    {
        byte[] damaged = [.. Encoding.UTF8.GetBytes("漢字かな漢字かな"), 0xFF, .. Encoding.UTF8.GetBytes("漢字")];

        var error = Assert.Throws<MediaRejectedException>(() => Decode(damaged));

        Assert.Equal(RejectionCode.UnknownCharset, error.Code);
        Assert.Contains("at byte 24", error.Message);
    }

    [Fact]
    public void Control_characters_are_no_text() =>
        Assert.Equal(RejectionCode.UnsupportedFormat, Assert.Throws<MediaRejectedException>(() => Decode([.. Enumerable.Range(0, 400).Select(i => (byte)(i % 9))])).Code);

    [Fact]
    public void White_space_alone_is_empty() => Assert.Equal(RejectionCode.Empty, Assert.Throws<MediaRejectedException>(() => Decode([.. " \r\n\t"u8])).Code);

    [Fact]
    public void A_document_beyond_the_limit_is_too_large() =>
        Assert.Equal(RejectionCode.TooLarge, Assert.Throws<MediaRejectedException>(() => TextDecoder.Decode([.. "12345"u8], new() { TextCharacters = 4 })).Code);

    [NeedsDatasetsFact("hostile.zip")]
    public void East_Asian_charsets_decode_to_the_same_text_as_their_UTF_8_twins()
    {
        using var unpacked = Datasets.Unpack("hostile.zip");
        var folder = Path.Combine(unpacked.Path, "hostile", "text-encoding", "cpython");
        // Too short or too rare for any statistics: these are refused, not guessed.
        string[] refused = ["big5hkscs", "cp949", "euc_jisx0213", "johab", "shift_jisx0213"];
        // Spells rare syllables as jamo after a filler, and .NET keeps them so.
        string[] spelledOut = ["euc_kr"];

        var charsets = Directory.GetFiles(folder, "*-utf8.txt").Select(twin => Path.GetFileName(twin)[..^"-utf8.txt".Length]).Except(refused).Except(spelledOut).ToList();

        Assert.Equal(9, charsets.Count);
        Assert.All(charsets, charset => Assert.Equal(File.ReadAllText(Path.Combine(folder, $"{charset}-utf8.txt")), Decode(File.ReadAllBytes(Path.Combine(folder, $"{charset}.txt")))));
        Assert.All(refused, charset => Assert.Throws<MediaRejectedException>(() => Decode(File.ReadAllBytes(Path.Combine(folder, $"{charset}.txt")))));
    }

    private static string Decode(byte[] bytes) => TextDecoder.Decode(bytes, new()).Text;
}
