// Sources: what is found in folders, archives, IDX files and tables, and under which paths.
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

public sealed class SourceTests : IngestTest
{
    [Fact]
    public async Task An_archive_given_as_the_source_is_its_own_root()
    {
        var archive = _source.Write("pack.zip", Zip(("in/a.txt", "one"), ("in/b.txt", "two")));

        var ingested = await Ingested.RunAsync(_store, archive);

        Assert.Equal(["in/a.txt", "in/b.txt"], ingested.Items.Select(item => item.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_archive_found_in_a_folder_is_named_before_its_entries()
    {
        _source.Write("sub/pack.zip", Zip(("a.txt", "one")));
        _source.Write("sub/pack.tar", Tar(("b.txt", "two")));
        _source.Write("pack.tar.gz", Gzip(Tar(("c", "three"))));

        var ingested = await Ingested.RunAsync(_store, _source.Path);

        Assert.Equal(["pack.tar.gz!c", "sub/pack.tar!b.txt", "sub/pack.zip!a.txt"], ingested.Items.Select(item => item.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task One_archive_inside_another_is_opened_and_no_more()
    {
        var innermost = ("innermost.zip", Encoding.Latin1.GetString(Zip(("b.txt", "two"))));
        var archive = _source.Write("outer.zip", Zip(("inner.zip", Encoding.Latin1.GetString(Zip(("a.txt", "one"), innermost)))));

        var ingested = await Ingested.RunAsync(_store, archive);

        Assert.Equal("inner.zip!a.txt", ingested.Items.Single().Path);
        Assert.Equal(RejectionCode.UnsupportedFormat, ingested.Bad("inner.zip!innermost.zip").Code);
    }

    [Theory]
    [InlineData("../evil.txt")]
    [InlineData("a/../../evil.txt")]
    [InlineData("/etc/evil.txt")]
    [InlineData("..\\evil.txt")]
    [InlineData("C:\\evil.txt")]
    public async Task An_entry_that_climbs_out_of_its_archive_is_unsafe(string name)
    {
        var archive = _source.Write("pack.zip", Zip((name, "one"), ("good.txt", "two")));

        var ingested = await Ingested.RunAsync(_store, archive);

        Assert.Equal("good.txt", ingested.Items.Single().Path);
        Assert.Equal(RejectionCode.UnsafePath, ingested.Quarantine.Single().Code);
    }

    [Fact]
    public async Task An_archive_that_unpacks_to_far_more_is_a_bomb()
    {
        var archive = _source.Write("pack.zip", Zip(("zeros.txt", new string('0', 40 << 20))));

        var ingested = await Ingested.RunAsync(_store, archive);

        Assert.Equal(RejectionCode.ArchiveBomb, ingested.Bad("pack.zip").Code);
        Assert.Empty(ingested.Items);
    }

    [Fact]
    public async Task A_link_that_leads_back_up_is_not_followed_twice()
    {
        _source.Write("sub/a.txt", "one");
        Directory.CreateSymbolicLink(Path.Combine(_source.Path, "sub", "up"), _source.Path);
        File.CreateSymbolicLink(Path.Combine(_source.Path, "broken"), "/no/such/file");

        var ingested = await Ingested.RunAsync(_store, _source.Path);

        Assert.Equal("sub/a.txt", ingested.Items.Single().Path);
        Assert.Equal(RejectionCode.Unreadable, ingested.Bad("broken").Code);
    }

    [Fact]
    public async Task Pictures_of_an_IDX_file_are_numbered_and_keep_their_raw_pixels()
    {
        var file = _source.Write("x-images-idx3-ubyte.gz", Gzip([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30, 40]));

        var ingested = await Ingested.RunAsync(_store, file);

        var second = ingested.Item("x-images-idx3-ubyte.gz#1");
        Assert.Equal([30, 40], second.Content!);
        Assert.Equal((ContentId.Of([30, 40]), "application/x-idx-ubyte", 2, 1, 1), (second.ItemId, second.MediaType, second.Width!.Value, second.Height!.Value, second.Channels!.Value));
    }

    [Fact]
    public async Task An_IDX_file_that_ends_early_keeps_its_whole_pictures()
    {
        var file = _source.Write("x.idx", [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30]);

        var ingested = await Ingested.RunAsync(_store, file);

        Assert.Equal("x.idx#0", ingested.Items.Single().Path);
        Assert.Equal(RejectionCode.Truncated, ingested.Bad("x.idx").Code);
    }

    [Fact]
    public async Task A_table_row_is_named_by_its_id_and_keeps_its_other_columns()
    {
        var table = _source.Write("rows.csv", "id,title,text,stars\r\nr1,\"A, \"\"B\"\"\",\"two\nlines\",5\r\n,C,third,\r\n");

        var ingested = await Ingested.RunAsync(_store, new IngestSpec { Sources = [table], Corpus = Ingested.Corpus, TextColumns = ["title", "text"] });

        Assert.Equal("A, \"B\"\ntwo\nlines", ingested.Item("rows.csv#r1").Text);
        Assert.Equal("""{"stars":"5"}""", ingested.Item("rows.csv#r1").Metadata);
        Assert.Equal("C\nthird", ingested.Item("rows.csv#1").Text);
    }

    [Fact]
    public async Task A_table_without_a_text_column_is_one_row_in_quarantine()
    {
        _source.Write("numbers.csv", "a,b\n1,2\n3,4\n");

        var ingested = await Ingested.RunAsync(_store, _source.Path);

        Assert.Equal(RejectionCode.MissingColumn, ingested.Bad("numbers.csv").Code);
        Assert.Contains("the table has: a, b", ingested.Bad("numbers.csv").Reason);
    }

    [Fact]
    public async Task Bad_rows_of_a_table_do_not_spoil_the_good_ones()
    {
        _source.Write("rows.jsonl", """
            not json
            {"id":"a","text":"good"}
            {"id":"b","text":null}
            {"id":"c","text":"half a pair \ud800"}
            {"id":"d","text":"fine 🤔"}
            """);

        var ingested = await Ingested.RunAsync(_store, _source.Path);

        Assert.Equal(["rows.jsonl#a", "rows.jsonl#d"], ingested.Items.Select(item => item.Path).Order(StringComparer.Ordinal));
        Assert.Equal([RejectionCode.Malformed, RejectionCode.MissingColumn, RejectionCode.Malformed], ingested.Quarantine.Select(row => row.Code));
    }

    private static byte[] Zip(params (string Name, string Text)[] entries)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create))
        {
            foreach (var (name, text) in entries)
            {
                using var entry = archive.CreateEntry(name).Open();
                entry.Write(Encoding.Latin1.GetBytes(text));
            }
        }
        return stream.ToArray();
    }

    private static byte[] Tar(params (string Name, string Text)[] entries)
    {
        using var stream = new MemoryStream();
        using (var archive = new TarWriter(stream))
        {
            foreach (var (name, text) in entries) archive.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) });
        }
        return stream.ToArray();
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var zipped = new GZipStream(stream, CompressionLevel.Fastest)) zipped.Write(bytes);
        return stream.ToArray();
    }
}
