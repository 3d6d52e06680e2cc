// Documents that are more than characters: PDF, HTML and Markdown, and the language they are written in.
using System.Text;
using FeatureForge.Data;
using FeatureForge.TestKit;
using UglyToad.PdfPig.Content;
using UglyToad.PdfPig.Core;
using UglyToad.PdfPig.Fonts.Standard14Fonts;
using UglyToad.PdfPig.Writer;

namespace FeatureForge.Ingest.Tests;

public sealed class DocumentTests : IngestTest
{
    private Task<Ingested> RunAsync(bool stripMarkup = false, IngestLimits? limits = null) =>
        Ingested.RunAsync(_store, new IngestSpec { Sources = [_source.Path], Corpus = Ingested.Corpus, StripMarkup = stripMarkup, Limits = limits ?? new() });

    // ---- PDF

    [Fact]
    public async Task A_pdf_becomes_its_text_page_by_page()
    {
        File.WriteAllBytes(Path.Combine(_source.Path, "report.pdf"), Pdf("The harvest was good this year.", "Next year we shall plant more."));

        var item = (await RunAsync()).Item("report.pdf");

        Assert.Equal("The harvest was good this year.\fNext year we shall plant more.", item.Text);
        Assert.Equal((Modality.Text, "application/pdf", "en"), (item.Modality, item.MediaType, item.Language));
        Assert.Equal(item.Text!.Length, item.Characters);
        Assert.StartsWith("%PDF-", Encoding.Latin1.GetString(item.Content!), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pdf_without_text_an_encrypted_one_and_a_damaged_one_are_told_apart()
    {
        File.WriteAllBytes(Path.Combine(_source.Path, "scan.pdf"), Pdf("", ""));
        var whole = Pdf("The harvest was good this year.");
        File.WriteAllBytes(Path.Combine(_source.Path, "damaged.pdf"), whole[..(whole.Length / 3)]);
        var hex = string.Concat(Enumerable.Repeat("5A", 32));
        var body = $"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Count 0/Kids[]>>\nendobj\n3 0 obj\n<</Filter/Standard/V 1/R 2/P -4/O<{hex}>/U<{hex}>>>\nendobj\n";
        _source.Write("locked.pdf", $"{body}xref\n0 1\n0000000000 65535 f \ntrailer\n<</Size 4/Root 1 0 R/Encrypt 3 0 R/ID[<00><00>]>>\nstartxref\n{body.Length}\n%%EOF\n");

        var found = await RunAsync();

        Assert.Empty(found.Items);
        Assert.Equal(RejectionCode.Empty, found.Bad("scan.pdf").Code);
        Assert.Contains("OCR", found.Bad("scan.pdf").Reason, StringComparison.Ordinal);
        Assert.True(found.Bad("locked.pdf").Code == RejectionCode.Encrypted, found.Bad("locked.pdf").Reason);
        Assert.Contains(found.Bad("damaged.pdf").Code, new[] { RejectionCode.Malformed, RejectionCode.Truncated, RejectionCode.Empty });
    }

    [Fact]
    public async Task A_pdf_of_too_many_characters_is_quarantined()
    {
        File.WriteAllBytes(Path.Combine(_source.Path, "long.pdf"), Pdf("The harvest was good this year."));

        Assert.Equal(RejectionCode.TooLarge, (await RunAsync(limits: new() { TextCharacters = 10 })).Bad("long.pdf").Code);
    }

    [Fact]
    public void No_change_to_a_pdf_makes_the_reader_fail_in_another_way_than_a_rejection()
    {
        var whole = Pdf("The harvest was good this year.", "Next year we shall plant more.");
        var random = new Random(3);
        for (var i = 0; i < 300; i++)
        {
            var changed = whole.ToArray();
            for (var flips = random.Next(1, 20); flips > 0; flips--) changed[random.Next(changed.Length)] = (byte)random.Next(256);
            try { _ = PdfText.Read(new(changed[..random.Next(changed.Length / 2, changed.Length)], null), new(), default); }
            catch (MediaRejectedException) { }
        }
    }

    private static byte[] Pdf(params string[] pages)
    {
        using var builder = new PdfDocumentBuilder();
        var font = builder.AddStandard14Font(Standard14Font.Helvetica);
        foreach (var text in pages)
        {
            var page = builder.AddPage(PageSize.A4);
            if (text.Length > 0) page.AddText(text, 12, new PdfPoint(25, 700), font);
        }
        return builder.Build();
    }

    // ---- markup

    [Fact]
    public async Task Html_becomes_what_a_reader_sees_when_it_is_asked_for()
    {
        const string html = "<!doctype html><html><head><title>Bees &amp; honey</title><style>p{color:red}</style><script>alert('x<b')</script></head><body><!-- no --><h1>Bees</h1><p>They  make\n<b>hon</b>ey &mdash; caf&eacute; &#x1F41D;.</p><ul><li>one</li><li>two</li></ul><pre>a  b\n c</pre><table><tr><td>x</td><td>y</td></tr></table><script>more()</script></body></html>";
        _source.Write("page.html", html);
        _source.Write("named-otherwise.txt", html.Replace("Bees", "Wasps", StringComparison.Ordinal));

        var kept = (await RunAsync(stripMarkup: true)).Items;

        var page = kept.Single(item => item.Path == "page.html");
        Assert.Equal("Bees & honey\n\nBees\nThey make honey — café 🐝.\none\ntwo\na  b\n c\nx\ty", page.Text);
        Assert.Equal(page.Text!.EnumerateRunes().Count(), page.Characters);
        Assert.Equal(html, Encoding.UTF8.GetString(page.Content!));
        Assert.StartsWith("Wasps & honey\n\nWasps\n", kept.Single(item => item.Path == "named-otherwise.txt").Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Markdown_becomes_prose_when_it_is_asked_for()
    {
        _source.Write("notes.md", "---\ntitle: x\n---\n# Bees\n\nThey make *honey* and [wax](http://example.org).\n\n- one\n- two\n\n```\ncode  here\n```\n");

        Assert.Equal("Bees\nThey make honey and wax.\none\ntwo\ncode  here", (await RunAsync(stripMarkup: true)).Item("notes.md").Text);
    }

    [Fact]
    public async Task Without_being_asked_nothing_is_taken_from_a_document()
    {
        var html = _source.Write("page.html", "<p>They make <b>honey</b>.</p>\n");

        Assert.Equal(File.ReadAllText(html), (await RunAsync()).Item("page.html").Text);
    }

    [Fact]
    public void Deep_nesting_is_no_trouble()
    {
        Assert.Equal("deep", Markup.Strip($"{string.Concat(Enumerable.Repeat("<div>", 4000))}deep", "text/html"));
        Assert.Equal("deep", Markup.Strip($"{new string('>', 100)} deep", "text/markdown"));
    }

    // ---- language

    [NeedsDatasetsFact("multilingual/multilingual.zip", "multilingual/labels.csv")]
    public async Task The_language_of_a_sentence_is_found()
    {
        var labels = File.ReadLines(Datasets.File("multilingual/labels.csv")).Skip(1).Select(line => line.Split(',')).ToDictionary(cells => cells[0], cells => cells[1]);
        var found = await Ingested.RunAsync(_store, new IngestSpec { Sources = [Datasets.File("multilingual/multilingual.zip")], Corpus = Ingested.Corpus });

        var right = found.Items.GroupBy(item => labels[item.Path]).ToDictionary(group => group.Key, group => group.Count(item => item.Language == group.Key) / (double)group.Count());

        Assert.True(right.Values.Average() > 0.97 && right.Values.Min() > 0.85, string.Join(", ", right.OrderBy(entry => entry.Value).Select(entry => $"{entry.Key} {entry.Value:P1} ({string.Join(' ', found.Items.Where(item => labels[item.Path] == entry.Key && item.Language != entry.Key).GroupBy(item => item.Language ?? "null").OrderByDescending(group => group.Count()).Take(4).Select(group => $"{group.Key} {group.Count()}"))})")));
        Assert.All(found.Items, item => Assert.InRange(item.Quality["language_confidence"], 0, 1));
    }

    [Theory]
    [InlineData("12 + 30 = 42", null)]
    [InlineData("ok", null)]
    [InlineData("これは日本語の文章です。", "ja")]
    [InlineData("这是一个中文句子。", "zh")]
    [InlineData("Η γλώσσα αυτή είναι ελληνική.", "el")]
    [InlineData("Αυτό is a mix but the most of it is in English, as you can see.", "en")]
    public void Scripts_and_words_tell_the_language(string text, string? expected) => Assert.Equal(expected, LanguageId.Of(text).Code);

    // ---- charsets

    [Theory]
    [InlineData("utf-32")]
    [InlineData("utf-32BE")]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    public void Wide_characters_need_no_byte_order_mark(string name)
    {
        const string text = "They make honey, and the honey is good.";

        Assert.Equal(text, TextDecoder.Decode(Encoding.GetEncoding(name).GetBytes(text), new()).Text);
    }

    [Fact]
    public void A_guessed_charset_says_how_sure_it_is_and_a_certain_one_need_not()
    {
        const string text = "Größere Bäume überragen die Häuser. Die Straße führt über schöne Hügel, und südlich läge der Fluß. Für Gäste gibt es Käse, Brötchen und Kümmelöl.";
        var guessed = TextDecoder.Decode(Encoding.Latin1.GetBytes(text), new());

        Assert.Equal(text, guessed.Text);
        Assert.InRange(guessed.Quality.Scores["charset_confidence"], 0.5, 0.9999);
        Assert.False(TextDecoder.Decode(Encoding.UTF8.GetBytes(text), new()).Quality.Scores.ContainsKey("charset_confidence"));
    }
}
