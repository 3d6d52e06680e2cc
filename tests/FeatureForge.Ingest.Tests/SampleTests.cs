// The corpora made on the spot: repeatable, ingestible, and their labels join.
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

public sealed class SampleTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    public static TheoryData<string> Makers => ["speech", "pictures", "sentences"];

    [Theory]
    [MemberData(nameof(Makers))]
    public async Task A_made_corpus_is_ingested_whole_and_its_labels_join(string maker)
    {
        var sample = Write(maker, _store.Beside("sample"), seed: 1);

        var ingested = await Ingested.RunAsync(_store, sample.SourcePath);

        var labelled = File.ReadLines(sample.LabelsPath).Skip(1).Select(line => line.Split(',')[0]);
        Assert.Equal(labelled.Order(StringComparer.Ordinal), ingested.Items.Select(item => item.Path).Order(StringComparer.Ordinal));
        Assert.All(ingested.Items, item => Assert.Equal(sample.Modality, item.Modality));
        Assert.Equal(0, ingested.Result.Quarantined);
    }

    [Theory]
    [MemberData(nameof(Makers))]
    public void The_same_seed_makes_the_same_bytes_and_another_seed_others(string maker)
    {
        var first = Bytes(Write(maker, _store.Beside("a"), seed: 1));

        Assert.Equal(first, Bytes(Write(maker, _store.Beside("b"), seed: 1)));
        Assert.NotEqual(first, Bytes(Write(maker, _store.Beside("c"), seed: 2)));
    }

    [Theory]
    [InlineData(Modality.Audio)]
    [InlineData(Modality.Image)]
    [InlineData(Modality.Text)]
    public void Every_class_has_a_fifth_of_its_items_in_the_test_split(Modality modality)
    {
        var sample = SampleCorpus.Write(modality, _store.Beside("sample"), 400, seed: 1);

        var rows = File.ReadLines(sample.LabelsPath).Skip(1).Select(line => line.Split(',')).Select(cells => (Label: cells[1], Split: cells[2]));
        Assert.All(rows.GroupBy(row => row.Label), label => Assert.InRange(label.Count(row => row.Split == "test") / (double)label.Count(), 0.1, 0.3));
    }

    [Fact]
    public void Labels_lie_outside_the_source()
    {
        var sample = SpokenSyllables.Write(_store.Beside("sample"), 8, seed: 1);

        Assert.All(Directory.GetFiles(sample.SourcePath), file => Assert.EndsWith(".wav", file));
    }

    private static SampleCorpus Write(string maker, string folder, int seed) => maker switch
    {
        "speech" => SpokenSyllables.Write(folder, 24, seed),
        "pictures" => GlyphsAndTextures.Write(folder, 20, seed),
        _ => GrammarSentences.Write(folder, 20, seed),
    };

    private static string Bytes(SampleCorpus sample) => Directory.Exists(sample.SourcePath)
        ? string.Join(' ', Directory.GetFiles(sample.SourcePath).Order(StringComparer.Ordinal).Select(file => ContentId.Of(File.ReadAllBytes(file))))
        : ContentId.Of(File.ReadAllBytes(sample.SourcePath));
}
