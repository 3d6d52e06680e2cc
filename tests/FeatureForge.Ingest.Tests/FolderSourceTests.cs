// Folders as they are on real disks: pipes, devices, names that are no text, files that are being written.
using System.Diagnostics;
using System.Runtime.Versioning;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

[SupportedOSPlatform("linux")]
public sealed class FolderSourceTests : IDisposable
{
    private readonly TemporaryStore _store = new();
    private readonly TemporaryFolder _source = new();

    public void Dispose()
    {
        _store.Dispose();
        // The runtime cannot remove what it cannot name.
        using var removed = Process.Start("rm", ["-rf", _source.Path]);
        removed.WaitForExit();
    }

    [Fact]
    public async Task Pipes_and_devices_are_quarantined_without_being_opened()
    {
        _source.Write("a.txt", "one");
        using (var made = Process.Start("mkfifo", Path.Combine(_source.Path, "pipe.wav"))) await made.WaitForExitAsync();
        File.CreateSymbolicLink(Path.Combine(_source.Path, "zeros.png"), "/dev/zero");

        var ingested = await Ingested.RunAsync(_store, _source.Path);

        Assert.Equal("a.txt", ingested.Items.Single().Path);
        Assert.Equal((RejectionCode.NotAFile, RejectionCode.NotAFile), (ingested.Bad("pipe.wav").Code, ingested.Bad("zeros.png").Code));
        Assert.Contains("pipe", ingested.Bad("pipe.wav").Reason);
    }

    [Fact]
    public async Task Names_that_are_not_UTF_8_keep_their_bytes_in_the_source_URI()
    {
        WriteAt(_source.Path, [.. "caf"u8, 0xE9, .. ".txt"u8], "one");
        WriteAt(_source.Path, [.. "caf"u8, 0xE8, .. ".txt"u8], "two");

        var ingested = await Ingested.RunAsync(_store, _source.Path);

        Assert.Equal(["caf\\xE8.txt", "caf\\xE9.txt"], ingested.Items.Select(item => item.Path).Order(StringComparer.Ordinal));
        Assert.Equal("one", ingested.Item("caf\\xE9.txt").Text);
        Assert.EndsWith("/caf%E9.txt", ingested.Item("caf\\xE9.txt").SourceUri);
    }

    [Fact]
    public async Task An_item_by_reference_is_read_back_under_a_name_that_is_not_UTF_8()
    {
        var picture = Picture.Gradient(8, 8, 8);
        WriteAt(_source.Path, [0xFF, .. ".png"u8], picture);

        var ingested = await Ingested.RunAsync(_store, new IngestSpec { Sources = [_source.Path], Corpus = Ingested.Corpus, Reference = true });

        Assert.Null(ingested.Items.Single().Content);
        Assert.Equal(picture, StoredItem.Content(ingested.Items.Single()).Bytes!);
    }

    [Fact]
    public async Task A_folder_reached_by_links_keeps_its_own_name_and_comes_once()
    {
        _source.Write("z/a.txt", "one");
        Directory.CreateSymbolicLink(Path.Combine(_source.Path, "link"), Path.Combine(_source.Path, "z"));
        Directory.CreateSymbolicLink(Path.Combine(_source.Path, "z", "up"), _source.Path);

        var ingested = await Ingested.RunAsync(_store, _source.Path);

        Assert.Equal("z/a.txt", ingested.Items.Single().Path);
        Assert.Equal(0, ingested.Result.Duplicates);
    }

    [Fact]
    public void A_file_that_grows_while_it_is_read_ends_where_it_ended_when_it_was_opened()
    {
        using var endless = new SizedStream(new EndlessStream(), 100_000);

        Assert.Equal(100_000, PrefixedStream.TakeHead(endless, 1 << 20).Length);
    }

    [Fact]
    public async Task A_table_that_grows_while_its_rows_are_read_says_so()
    {
        var file = _source.Write("rows.jsonl", string.Concat(Enumerable.Range(0, 2000).Select(i => $$"""{"text":"row {{i}}"}""" + "\n")));
        var setting = new SourceSetting { StoreFolder = _store.Store.Root, ScratchFolder = _store.Beside("scratch"), Gate = new(1 << 20), Time = TimeProvider.System };
        using var findings = new SourceReader(new() { Sources = [file], Corpus = Ingested.Corpus }, setting, default).Findings().GetEnumerator();
        findings.MoveNext();
        await File.AppendAllTextAsync(file, "{\"text\":\"later\"}\n");

        var codes = new List<RejectionCode?>();
        while (findings.MoveNext()) codes.Add(findings.Current.Rejection?.Code);

        Assert.Equal(RejectionCode.Changed, codes[^1]);
        Assert.Equal(1999, codes.Count(code => code == null));
    }

    private static void WriteAt(string folder, byte[] name, string text) => WriteAt(folder, name, Packed.Text(text));

    // The runtime cannot name such a file: a link to it can be written through.
    private static void WriteAt(string folder, byte[] name, byte[] content)
    {
        using var elsewhere = new TemporaryFolder();
        var link = Path.Combine(elsewhere.Path, "link");
        LinuxFiles.Link([.. Packed.Text(folder + "/"), .. name], link);
        File.WriteAllBytes(link, content);
    }

    private sealed class EndlessStream : MemoryStream
    {
        public override int Read(Span<byte> buffer) => buffer.Length;
    }
}
