// Archives of every kind, whole and broken, and WebDataset shards.
using System.Text;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

public sealed class ArchiveSourceTests : IngestTest
{
    [Fact]
    public async Task Tar_archives_are_read_through_every_compression()
    {
        _source.Write("a.tar.gz", Packed.Gzip(Packed.Tar(("x.txt", Packed.Text("one")))));
        _source.Write("b.tar.zst", Packed.Zstandard(Packed.Tar(("x.txt", Packed.Text("two")))));
        _source.Write("c.tar.bz2", Bzip2OfTarWithThree);
        _source.Write("d.tar.xz", XzOfTarWithFour);

        var ingested = await Ingested.RunAsync(_store, _source.Path);

        Assert.Empty(ingested.Quarantine.Select(row => row.Reason));
        Assert.Equal(["one", "two", "three", "four"], ingested.Items.OrderBy(item => item.Path, StringComparer.Ordinal).Select(item => item.Text));
        Assert.Equal("d.tar.xz!x.txt", ingested.Items.Single(item => item.Text == "four").Path);
    }

    [Fact]
    public async Task One_compressed_document_is_an_item()
    {
        _source.Write("letter.txt.gz", Packed.Gzip(Packed.Text("Dear reader")));

        var ingested = await Ingested.RunAsync(_store, _source.Path);

        Assert.Equal(("Dear reader", ContentId.Of("Dear reader"u8.ToArray())), (ingested.Item("letter.txt.gz").Text, ingested.Item("letter.txt.gz").ItemId));
    }

    [Fact]
    public async Task A_stream_that_unpacks_without_end_is_a_bomb()
    {
        var file = _source.Write("zeros.txt.zst", Packed.Zstandard(new byte[40 << 20]));

        var ingested = await Ingested.RunAsync(_store, file);

        Assert.Equal(RejectionCode.ArchiveBomb, ingested.Bad("zeros.txt.zst").Code);
    }

    [Fact]
    public async Task Archives_inside_an_archive_share_its_limits()
    {
        var inner = Packed.Gzip(Packed.Tar(("x.bin", new byte[20 << 20]), ("y.txt", Packed.Text("y"))));
        var archive = _source.Write("outer.tar", Packed.Tar(("a.tar.gz", inner), ("b.tar.gz", inner), ("c.txt", Packed.Text("after"))));

        var ingested = await Ingested.RunAsync(_store, new IngestSpec { Sources = [archive], Corpus = Ingested.Corpus, Limits = new() { ArchiveRatio = 10 } });

        Assert.Equal(["a.tar.gz!y.txt"], ingested.Items.Select(item => item.Path));
        Assert.Equal(RejectionCode.ArchiveBomb, ingested.Bad("outer.tar").Code);
    }

    [Fact]
    public async Task Entries_of_the_same_name_are_told_apart()
    {
        var archive = _source.Write("pack.zip", Packed.Zip(("a.txt", Packed.Text("one")), ("a.txt", Packed.Text("two"))));

        var ingested = await Ingested.RunAsync(_store, archive);

        Assert.Equal(("one", "two"), (ingested.Item("a.txt").Text, ingested.Item("a.txt~2").Text));
    }

    [Fact]
    public async Task A_zip_archive_that_breaks_off_keeps_its_whole_entries()
    {
        var noise = new byte[50_000];
        new Random(1).NextBytes(noise);
        var whole = Packed.Zip(("a.txt", Packed.Text("one")), ("b.txt", Packed.Text("two")), ("c.bin", noise));
        var archive = _source.Write("pack.zip", whole[..(whole.Length / 2)]);

        var ingested = await Ingested.RunAsync(_store, archive);

        Assert.Equal(["one", "two"], ingested.Items.OrderBy(item => item.Path, StringComparer.Ordinal).Select(item => item.Text));
        Assert.Equal(RejectionCode.Truncated, ingested.Bad("pack.zip").Code);
    }

    [Fact]
    public async Task A_tar_archive_that_breaks_off_keeps_its_whole_entries()
    {
        var whole = Packed.Tar(("a.txt", Packed.Text("one")), ("b.txt", Packed.Text(new string('b', 50_000))));
        var archive = _source.Write("pack.tar", whole[..(whole.Length / 2)]);

        var ingested = await Ingested.RunAsync(_store, archive);

        Assert.Equal("a.txt", ingested.Items.Single().Path);
        Assert.Equal(RejectionCode.Truncated, ingested.Bad("pack.tar").Code);
    }

    [Fact]
    public async Task Names_in_a_zip_archive_are_UTF_8_or_code_page_437()
    {
        var bytes = Packed.Zip(("Xx.txt", Packed.Text("one")), ("Yy.txt", Packed.Text("two")));
        var archive = _source.Write("pack.zip", Renamed(Renamed(bytes, "Xx.txt"u8, [0xC3, 0xA9, .. ".txt"u8]), "Yy.txt"u8, [.. "Y"u8, 0x82, .. ".txt"u8]));

        var ingested = await Ingested.RunAsync(_store, archive);

        Assert.Equal(["Yé.txt", "é.txt"], ingested.Items.Select(item => item.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_sample_of_a_shard_is_its_picture_with_the_files_beside_it_as_metadata()
    {
        var (first, second) = (Picture.Gradient(8, 8, 8), Picture.Gradient(9, 9, 9));
        var shard = _source.Write("shard-000000.tar", Packed.Tar(
            ("000.cls", Packed.Text("7\n")), ("000.json", Packed.Text("""{"width":8}""")), ("000.png", first), ("000.txt", Packed.Text("a cat")),
            ("001.png", second),
            ("002.json", Packed.Text("""{"lang":"en"}""")), ("002.txt", Packed.Text("only words"))));

        var ingested = await Ingested.RunAsync(_store, shard);

        Assert.Equal(["000.png", "001.png", "002.txt"], ingested.Items.Select(item => item.Path).Order(StringComparer.Ordinal));
        Assert.Equal("""{"cls":7,"json":{"width":8},"txt":"a cat"}""", ingested.Item("000.png").Metadata);
        Assert.Equal("{}", ingested.Item("001.png").Metadata);
        Assert.Equal(("only words", """{"json":{"lang":"en"}}"""), (ingested.Item("002.txt").Text, ingested.Item("002.txt").Metadata));
        Assert.Empty(ingested.Quarantine);
    }

    private static byte[] Renamed(byte[] archive, ReadOnlySpan<byte> from, ReadOnlySpan<byte> to)
    {
        var renamed = archive.ToArray();
        for (var at = renamed.AsSpan().IndexOf(from); at >= 0; at = renamed.AsSpan().IndexOf(from)) to.CopyTo(renamed.AsSpan(at));
        return renamed;
    }

    // The same with "three" and bzip2.
    private static byte[] Bzip2OfTarWithThree => Convert.FromBase64String("QlpoOTFBWSZTWU7EibwAAIH7kMmAAEJAAXcAAAhiQJ5ABAAACCAAVDKRk0GTNRk08gklHpBkaDRkFT5ovehBSCQkO82NqxhggQwmD2fDoRSFHAvefJepsUr3o4YH2JyWARWVmnQkgZF3JFOFCQTsSJvA");

    // printf four > x.txt; tar --format=ustar --owner=0 --group=0 --mtime=@0 -c x.txt | xz: no library here packs xz.
    private static byte[] XzOfTarWithFour => Convert.FromBase64String("/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4Cf/AGhdADwLiofEDvKXpPh1PcWp7dmXql4n9RaEGvwLfzgGas27h9h10t+OcgY4adA/9LL9K0fy3SVSAFt1M3eBbi+OJsSwX2LPi5U5T6yAtdWqROPwSK3kf166qFQ9gYMW8vaL/DpzX76SAQAAADdm0Zp+GM8lAAGEAYBQAAAoM/H6scRn+wIAAAAABFla");
}
