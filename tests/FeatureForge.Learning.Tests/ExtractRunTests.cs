// Extraction: the same vectors whatever the batch, exact spans, only what is missing, never mixed encoders.
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Learning.Tests;

public sealed class ExtractRunTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    private async Task TrainAsync(Modality modality, params int[] parts)
    {
        await SmallCorpora.WriteAsync(_store, "small", modality, parts);
        await TrainRun.ExecuteAsync(new() { Corpus = "small", Encoder = "e", Steps = 4, Device = "cpu" }, _store.Context(), default);
    }

    private static ExtractSpec Spec(string set = "s", string corpus = "small") => new() { Corpus = corpus, Encoder = "e", Set = set, Grains = [Grain.Item, Grain.Segment, Grain.Patch], Device = "cpu" };

    private List<(string Id, int Index, ItemSpan Span, float[] Vector)> Rows(string set, string level, Grain grain)
    {
        var table = _store.Store.Set(set).Tables.Single(found => found.Level == level && found.Grain == grain);
        return [.. table.Parts.SelectMany(part => EmbeddingTable.Read(Path.Combine(_store.Store.SetFolder(set), part.Path)))
            .SelectMany(block => Enumerable.Range(0, block.Rows).Select(row => (block.ItemIds[row], block.SpanIndex[row], block.Spans[row], block.Vectors[(row * block.Dimension)..((row + 1) * block.Dimension)])))];
    }

    [Theory]
    [InlineData(Modality.Image)]
    [InlineData(Modality.Audio)]
    [InlineData(Modality.Text)]
    public async Task An_items_vectors_do_not_depend_on_what_is_extracted_beside_it(Modality modality)
    {
        await TrainAsync(modality, 9);
        await SmallCorpora.WriteAsync(_store, "others", modality, 6, 40); // items 0 to 5 alone in a part, then more

        await ExtractRun.ExecuteAsync(Spec(), _store.Context(), default);
        await ExtractRun.ExecuteAsync(Spec("o", "others"), _store.Context(), default);

        foreach (var level in Level.All)
        {
            foreach (var grain in new[] { Grain.Item, Grain.Segment, Grain.Patch })
            {
                var others = Rows("o", level, grain).ToDictionary(row => (row.Id, row.Index));
                foreach (var row in Rows("s", level, grain))
                {
                    Assert.Equal(row.Span, others[(row.Id, row.Index)].Span);
                    Assert.All(row.Vector.Zip(others[(row.Id, row.Index)].Vector), pair => Assert.Equal(pair.First, pair.Second, 1e-4f * Math.Max(1, Math.Abs(pair.First))));
                }
            }
        }
    }

    [Fact]
    public async Task Rows_are_in_the_order_of_item_and_span_and_stamped_with_the_encoder()
    {
        await TrainAsync(Modality.Audio, 9);
        await ExtractRun.ExecuteAsync(Spec(), _store.Context(), default);

        var rows = Rows("s", Level.High, Grain.Patch).Select(row => (row.Id, row.Index)).ToList();
        Assert.Equal(rows.OrderBy(row => row.Id, StringComparer.Ordinal).ThenBy(row => row.Index), rows);
        var part = _store.Store.Set("s").Tables[0].Parts[0].Path;
        Assert.Equal(_store.Store.Encoder("e").EncoderId, EmbeddingTable.ReadHeader(Path.Combine(_store.Store.SetFolder("s"), part)).EncoderId);
    }

    [Fact]
    public async Task A_recording_of_2_7_seconds_gives_windows_of_a_second_every_half_second_that_end_with_it()
    {
        await TrainAsync(Modality.Audio, 9);
        await ExtractRun.ExecuteAsync(Spec(), _store.Context(), default);

        var segments = Rows("s", Level.High, Grain.Segment).Where(row => row.Id == SmallCorpora.ItemId(5)).Select(row => row.Span);
        var patches = Rows("s", Level.High, Grain.Patch).Where(row => row.Id == SmallCorpora.ItemId(5)).Select(row => row.Span).ToList();

        Assert.Equal([ItemSpan.Range(0, 1000), ItemSpan.Range(500, 1500), ItemSpan.Range(1000, 2000), ItemSpan.Range(1500, 2500), ItemSpan.Range(1700, 2700)], segments);
        Assert.Equal(0, patches[0].Start);
        Assert.Equal(2700, patches[^1].End);
        Assert.All(patches.Zip(patches.Skip(1)), pair => Assert.InRange(pair.Second.Start, pair.First.Start + 1, pair.First.End + 160));
        Assert.Equal([ItemSpan.Range(0, 2700)], Rows("s", Level.High, Grain.Item).Where(row => row.Id == SmallCorpora.ItemId(5)).Select(row => row.Span));
    }

    [Fact]
    public async Task Picture_tiles_cover_the_source_pixels_exactly()
    {
        await TrainAsync(Modality.Image, 4);
        await ExtractRun.ExecuteAsync(Spec(), _store.Context(), default);

        var tiles = Rows("s", Level.High, Grain.Segment).Where(row => row.Id == SmallCorpora.ItemId(0)).Select(row => row.Span);

        Assert.Equal([ItemSpan.Rectangle(0, 0, 20, 15), ItemSpan.Rectangle(20, 0, 20, 15), ItemSpan.Rectangle(0, 15, 20, 15), ItemSpan.Rectangle(20, 15, 20, 15)], tiles);
    }

    [Fact]
    public async Task Only_what_a_set_lacks_is_made()
    {
        await TrainAsync(Modality.Text, 8);
        var first = await ExtractRun.ExecuteAsync(Spec() with { Levels = [Level.High], Grains = [Grain.Item] }, _store.Context(), default);
        var again = await ExtractRun.ExecuteAsync(Spec() with { Levels = [Level.High], Grains = [Grain.Item] }, _store.Context(), default);
        await SmallCorpora.WriteAsync(_store, "small", Modality.Text, 8, 3);
        var grown = await ExtractRun.ExecuteAsync(Spec() with { Levels = [Level.High], Grains = [Grain.Item] }, _store.Context(), default);
        var deeper = await ExtractRun.ExecuteAsync(Spec() with { Levels = [Level.Raw], Grains = [Grain.Item] }, _store.Context(), default);

        Assert.Equal((8, 0, 3, 11), (first.NewVectors, again.NewVectors, grown.NewVectors, deeper.NewVectors));
        Assert.Equal([11L, 11L], deeper.Tables.Select(table => table.Rows));
    }

    [Fact]
    public async Task Killed_between_two_parts_extraction_repeats_one_part_at_most_and_ends_the_same()
    {
        await TrainAsync(Modality.Text, 8, 8, 8);
        await ExtractRun.ExecuteAsync(Spec("whole"), _store.Context(), default);
        var reports = 0;
        var dying = new RecordingReporter { OnProgress = progress => { if (progress.Phase == "extract" && ++reports == 2) throw new IOException("killed"); } };
        var time = new FixedTimeProvider();
        var ticking = new RecordingReporter { OnProgress = progress => { time.Advance(TimeSpan.FromSeconds(1)); dying.Progress(progress); } };
        await Assert.ThrowsAsync<IOException>(() => ExtractRun.ExecuteAsync(Spec("s"), _store.Context("r", ticking, time: time), default));
        Assert.Null(_store.Store.FindSet("s"));

        var resumed = new RecordingReporter();
        await ExtractRun.ExecuteAsync(Spec("s"), _store.Context("r", resumed), default);

        Assert.True(resumed.ProgressReports.First().Done > 8); // the first part's record was there
        foreach (var level in Level.All)
            Assert.Equal(Rows("whole", level, Grain.Segment).Select(row => (row.Id, row.Index, row.Span, string.Join(' ', row.Vector))), Rows("s", level, Grain.Segment).Select(row => (row.Id, row.Index, row.Span, string.Join(' ', row.Vector))));
    }

    [Fact]
    public async Task Vectors_of_another_encoder_are_refused_naming_both()
    {
        await TrainAsync(Modality.Text, 8);
        await ExtractRun.ExecuteAsync(Spec(), _store.Context(), default);
        var other = await TrainRun.ExecuteAsync(new() { Corpus = "small", Encoder = "f", Steps = 5, Device = "cpu" }, _store.Context(), default);

        var error = await Assert.ThrowsAsync<BadRequestException>(() => ExtractRun.ExecuteAsync(Spec() with { Encoder = "f" }, _store.Context(), default));

        Assert.Contains(other.EncoderId, error.Message);
        Assert.Contains(_store.Store.Encoder("e").EncoderId, error.Message);
    }

    [Fact]
    public async Task Half_precision_vectors_read_back_close_to_the_full_ones()
    {
        await TrainAsync(Modality.Image, 6);
        await ExtractRun.ExecuteAsync(Spec(), _store.Context(), default);
        await ExtractRun.ExecuteAsync(Spec("half") with { Dtype = "float16" }, _store.Context(), default);

        var (full, half) = (Rows("s", Level.High, Grain.Item)[0].Vector, Rows("half", Level.High, Grain.Item)[0].Vector);
        Assert.All(full.Zip(half), pair => Assert.Equal(pair.First, pair.Second, 2e-3f * Math.Max(1, Math.Abs(pair.First)))); // 11 bits of mantissa
    }

    [Fact]
    public void Shards_get_as_many_items_as_their_number_allows_and_every_unit_once()
    {
        int[] items = [2048, 952, 2048, 952, 2048, 952, 2048, 952, 5];

        var two = ExtractRun.ShareOut(items, 2);
        var many = ExtractRun.ShareOut(items, 20);

        Assert.Equal([6000, 6005], Enumerable.Range(0, 2).Select(shard => items.Where((_, unit) => two[unit] == shard).Sum()).Order());
        Assert.Equal(items.Length, many.Distinct().Count());
        Assert.All(many, shard => Assert.InRange(shard, 0, 19));
    }
}
