// Long recordings and documents: cut into rows and pieces, nothing lost.
using System.Text;
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

public sealed class LongMediaTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task A_long_text_file_becomes_pieces_that_are_the_text_again()
    {
        var text = string.Join("\n\n", Enumerable.Range(0, 60).Select(number => $"Absatz {number}: Grüße, 日本語 und 🦔 in Zeile eins\nund Zeile {number * 7}."));
        var path = Write("long.txt", [.. Encoding.UTF8.GetPreamble(), .. Encoding.UTF8.GetBytes(text)]);

        var ingested = await RunAsync(path, new() { TextCharacters = 200 });

        var pieces = ingested.Items.OrderBy(Part).ToList();
        Assert.Equal(text, string.Concat(pieces.Select(piece => piece.Text)));
        Assert.All(pieces, piece => Assert.InRange(piece.Characters!.Value, 1, 200));
        Assert.All(pieces.SkipLast(1), piece => Assert.EndsWith("\n\n", piece.Text));
        Assert.Equal($"long.txt#{pieces.Count - 1}", pieces[^1].Path);
    }

    [Fact]
    public async Task A_piece_says_where_its_bytes_lie()
    {
        var bytes = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 100).Select(number => $"Zeile {number} mit Öl\n")));
        var path = Write("lines.txt", bytes);

        var ingested = await RunAsync(path, new() { TextCharacters = 300 });

        Assert.True(ingested.Items.Count > 3);
        Assert.All(ingested.Items, piece =>
        {
            var metadata = JsonDocument.Parse(piece.Metadata).RootElement;
            Assert.Equal(piece.Text, Encoding.UTF8.GetString(bytes, metadata.GetProperty("byte_offset").GetInt32(), metadata.GetProperty("byte_length").GetInt32()));
        });
    }

    [Fact]
    public async Task A_long_line_is_cut_between_characters()
    {
        var path = Write("line.txt", Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 500).Select(number => char.ConvertFromUtf32(0x1F300 + number % 300)))));

        var ingested = await RunAsync(path, new() { TextCharacters = 64 });

        Assert.Equal(500, ingested.Items.Sum(piece => piece.Characters));
        Assert.Empty(ingested.Quarantine);
    }

    [Fact]
    public async Task What_cannot_be_decoded_is_named_and_what_comes_before_is_kept()
    {
        var path = Write("bad.txt", [.. Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 20_000).Select(number => $"Zeile {number} ä\n"))), 0xFF, 0xFE, .. Encoding.UTF8.GetBytes("Ende\n")]);

        var ingested = await RunAsync(path, new() { TextCharacters = 10_000 });

        Assert.True(ingested.Items.Count > 10);
        Assert.Equal(RejectionCode.Malformed, Assert.Single(ingested.Quarantine).Code);
    }

    [Fact]
    public async Task A_recording_of_several_rows_is_one_item_of_all_its_samples()
    {
        // Six minutes at 16 kHz: more than is kept in memory, and more than a row of a prepared part holds.
        var samples = Enumerable.Range(0, 16_000 * 360).Select(at => (short)(at % 20_011 - 10_000)).ToArray();
        var folder = _store.Beside("sounds");
        File.WriteAllBytes(Path.Combine(folder, "long.wav"), WaveFile.Of(samples, 16_000));
        File.WriteAllBytes(Path.Combine(folder, "short.wav"), WaveFile.Of(samples.AsSpan(0, 16_000), 16_000));

        var ingested = await RunAsync(folder, new());

        var preparation = _store.Store.Corpus(Ingested.Corpus).Preparations[Modality.Audio];
        using var prepared = PreparedCorpus.Open(_store.Store, Ingested.Corpus, preparation);
        Assert.Equal(2, prepared.Count);
        var item = prepared.ItemId(0) == ingested.Item("long.wav").ItemId ? 0 : 1;
        Assert.Equal((360_000, samples.Length), (prepared.DurationMs(item), prepared.SampleCount(item)));
        Assert.True(samples.AsSpan().SequenceEqual(prepared.Samples(item)));
        Assert.Equal(16_000, prepared.SampleCount(1 - item));
        Assert.False(Directory.Exists(Path.Combine(_store.Store.Root, ".staging", "run-1")));
    }

    private static int Part(ItemRow row) => JsonDocument.Parse(row.Metadata).RootElement.GetProperty("part").GetInt32();

    private string Write(string name, byte[] bytes)
    {
        var path = Path.Combine(_store.Beside("source"), name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private Task<Ingested> RunAsync(string source, IngestLimits limits) => Ingested.RunAsync(_store, new IngestSpec { Sources = [source], Corpus = Ingested.Corpus, Limits = limits });
}
