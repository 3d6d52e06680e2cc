// Near duplicates: what is found, what is not, and that the answer depends on the order of the source alone.
using System.Text;
using FeatureForge.Data;
using FeatureForge.TestKit;
using SkiaSharp;

namespace FeatureForge.Ingest.Tests;

public sealed class NearDuplicateTests : IngestTest
{
    private const string Story = "When the ferry left the harbour that morning nobody on the pier expected the storm which would turn it back before noon, although the keeper of the lighthouse had hung out both his flags and the gulls had gone inland in the night.";

    // A smooth picture of a few large blobs, another one for each seed.
    private static SKBitmap Blobs(int seed, int width = 240, int height = 180)
    {
        var random = new Random(seed);
        var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(new SKColor((byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(256)));
        for (var i = 0; i < 12; i++)
        {
            using var paint = new SKPaint { Color = new((byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(256)), IsAntialias = true };
            canvas.DrawCircle(random.Next(width), random.Next(height), 15 + random.Next(50), paint);
        }
        return bitmap;
    }

    private static byte[] Encoded(SKBitmap bitmap, SKEncodedImageFormat format = SKEncodedImageFormat.Png, int quality = 95)
    {
        using var data = bitmap.Encode(format, quality);
        return data.ToArray();
    }

    private static SKBitmap Drawn(SKBitmap from, int width, int height, Action<SKCanvas>? before = null)
    {
        var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using var canvas = new SKCanvas(bitmap);
        before?.Invoke(canvas);
        using var image = SKImage.FromBitmap(from);
        canvas.DrawImage(image, new SKRect(0, 0, width, height), new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
        return bitmap;
    }

    private void Write(string name, byte[] bytes) => File.WriteAllBytes(Path.Combine(_source.Path, name), bytes);

    [Fact]
    public async Task Resized_recompressed_and_framed_copies_lead_to_the_first_and_others_do_not()
    {
        using var picture = Blobs(1);
        using var small = Drawn(picture, 110, 83);
        using var trimmed = new SKBitmap();
        Assert.True(picture.ExtractSubset(trimmed, new SKRectI(2, 2, 237, 178)));
        using var mirrored = Drawn(picture, 240, 180, canvas => canvas.Scale(-1, 1, 120, 0));
        Write("a.png", Encoded(picture));
        Write("b-small.png", Encoded(small));
        Write("c-compressed.jpg", Encoded(picture, SKEncodedImageFormat.Jpeg, 30));
        Write("d-trimmed.png", Encoded(trimmed));
        Write("e-mirrored.png", Encoded(mirrored));
        for (var seed = 2; seed < 12; seed++)
        {
            using var other = Blobs(seed);
            Write($"f-other-{seed}.png", Encoded(other));
        }

        var ingested = await Ingested.RunAsync(_store, _source.Path);

        var first = ingested.Item("a.png").ItemId;
        Assert.Equal(["b-small.png", "c-compressed.jpg", "d-trimmed.png"], ingested.Items.Where(item => item.NearDuplicateOf != null).Select(item => item.Path).Order());
        Assert.All(ingested.Items.Where(item => item.NearDuplicateOf != null), item => Assert.Equal(first, item.NearDuplicateOf));
        Assert.Equal(3, ingested.Result.NearDuplicates);
        Assert.Equal(15, ingested.Result.Added);
    }

    [Fact]
    public void Pictures_of_one_colour_are_not_compared()
    {
        var rgb = Enumerable.Repeat((byte)200, 64 * 64 * 3).ToArray();

        Assert.Null(ImageQuality.Of(rgb, 64, 64, 64, 64).Signature);
    }

    [Fact]
    public void A_picture_that_says_it_lies_on_its_side_has_the_signature_of_the_upright_one()
    {
        using var upright = Blobs(3, 200, 160);
        var rgb = Rgb(upright, (x, y) => (x, y), 200, 160);
        // Stored turned: its rows are the columns of the upright picture, from left to right, read from the bottom.
        var turned = Rgb(upright, (x, y) => (y, 159 - x), 160, 200);

        var expected = ImageQuality.Of(rgb, 200, 160, 200, 160).Signature!;
        var signature = ImageQuality.Of(turned, 160, 200, 200, 160, SKEncodedOrigin.LeftBottom).Signature!;

        Assert.InRange(ImageSignature.Distance(ImageSignature.HashOf(expected), ImageSignature.HashOf(signature)), 0, 2);
        Assert.True(ImageSignature.Correlation(expected, signature) > 0.99);

        static byte[] Rgb(SKBitmap bitmap, Func<int, int, (int X, int Y)> from, int width, int height)
        {
            var bytes = new byte[width * height * 3];
            for (var i = 0; i < width * height; i++)
            {
                var (x, y) = from(i % width, i / width);
                var pixel = bitmap.GetPixel(x, y);
                (bytes[3 * i], bytes[3 * i + 1], bytes[3 * i + 2]) = (pixel.Red, pixel.Green, pixel.Blue);
            }
            return bytes;
        }
    }

    [Theory]
    [InlineData("WHEN THE FERRY LEFT THE HARBOUR\nthat morning -- nobody on the pier expected the storm, which would turn it back before noon; although the keeper of the lighthouse had hung out both his flags and the gulls had gone inland in the night", true)]
    [InlineData("When the ferry left the harbour that evening nobody on the pier expected the storm which would turn it back before noon, although the keeper of the lighthouse had hung out both his lamps and the gulls had gone inland in the night.", true)]
    [InlineData("Nobody on the pier had hung out both flags when the lighthouse left the storm that morning, and the ferry which the gulls expected would turn inland before the harbour had gone back to the keeper in the night, although it was noon.", false)]
    public void Documents_are_compared_by_their_phrases(string other, bool isSame)
    {
        var duplicates = new NearDuplicates(new());
        duplicates.FindOrAdd(Row("a", TextQuality.Of(Story)));

        Assert.Equal(isSame, duplicates.FindOrAdd(Row("b", TextQuality.Of(other))) != null);
    }

    [Fact]
    public void Documents_without_spaces_are_compared_too()
    {
        var duplicates = new NearDuplicates(new());
        duplicates.FindOrAdd(Row("a", TextQuality.Of("我们昨天下午在北京的一家小书店里买到了三本很旧的诗集，老板说它们是从南方运来的。")));

        Assert.NotNull(duplicates.FindOrAdd(Row("b", TextQuality.Of("我们昨天上午在北京的一家小书店里买到了三本很旧的诗集,老板说它们是从南方运来的"))));
        Assert.Null(duplicates.FindOrAdd(Row("c", TextQuality.Of("今年夏天的雨水特别多，河边的稻田都被淹没了，村民们只好搬到山上的学校里去住。"))));
    }

    [Fact]
    public void Very_short_documents_must_hold_the_same_words()
    {
        var duplicates = new NearDuplicates(new());
        duplicates.FindOrAdd(Row("a", TextQuality.Of("Thank you very much")));

        Assert.NotNull(duplicates.FindOrAdd(Row("b", TextQuality.Of("thank you VERY much!"))));
        Assert.Null(duplicates.FindOrAdd(Row("c", TextQuality.Of("thank you very little"))));
    }

    [Fact]
    public void A_softer_noisier_and_shorter_recording_is_the_same_and_another_is_not()
    {
        var duplicates = new NearDuplicates(new());
        duplicates.FindOrAdd(Row("a", Melody(1, 0, 0.5, 0)));

        Assert.NotNull(duplicates.FindOrAdd(Row("b", Melody(1, 0.123, 0.1, 0.001))));
        Assert.All(Enumerable.Range(2, 10), seed => Assert.Null(duplicates.FindOrAdd(Row($"c{seed}", Melody(seed, 0, 0.5, 0)))));
        Assert.Null(new SoundMeasures(16000, 16000).Finish(0).Signature);

        // Twenty notes of two partials each, with a fixed beginning cut off.
        static Measured Melody(int seed, double cut, double gain, double noise)
        {
            var random = new Random(seed);
            var notes = Enumerable.Range(0, 25).Select(_ => (Low: 200 * Math.Pow(2, random.NextDouble() * 2), High: 900 * Math.Pow(2, random.NextDouble() * 2))).ToArray();
            var samples = new float[(int)(16000 * (5 - cut))];
            for (var i = 0; i < samples.Length; i++)
            {
                var t = i / 16000.0 + cut;
                var (low, high) = notes[(int)(t / 0.2)];
                samples[i] = (float)(gain * (Math.Sin(2 * Math.PI * low * t) + 0.7 * Math.Sin(2 * Math.PI * high * t)) / 2 + noise * (random.NextDouble() - 0.5));
            }
            var measures = new SoundMeasures(16000, 16000);
            measures.AddDecoded(samples);
            measures.AddKept(samples);
            return measures.Finish(5 - cut);
        }
    }

    [Fact]
    public async Task Items_of_the_corpus_count_as_well_and_dropped_copies_are_quarantined_once()
    {
        File.WriteAllText(Path.Combine(_source.Path, "a.txt"), Story);
        await Ingested.RunAsync(_store, _source.Path);
        File.WriteAllText(Path.Combine(_source.Path, "b.txt"), Story.ToUpperInvariant());
        var spec = new IngestSpec { Sources = [_source.Path], Corpus = Ingested.Corpus, DropNearDuplicates = true };

        var dropped = await Ingested.RunAsync(_store, spec);
        var again = await Ingested.RunAsync(_store, spec);

        Assert.Equal((RejectionCode.NearDuplicate, "quality"), (dropped.Bad("b.txt").Code, dropped.Bad("b.txt").Stage));
        Assert.Contains(dropped.Item("a.txt").ItemId, dropped.Bad("b.txt").Reason, StringComparison.Ordinal);
        Assert.Equal(64, dropped.Bad("b.txt").ContentSha256!.Length);
        Assert.Equal((0, 1), (again.Result.Quarantined, again.Result.AlreadyQuarantined));
    }

    [Fact]
    public async Task Issues_are_dropped_only_when_asked_for()
    {
        using var dull = new SKBitmap(new SKImageInfo(64, 64, SKColorType.Rgba8888, SKAlphaType.Opaque));
        Write("dull.png", Encoded(dull));
        using var kept = new TemporaryStore();

        var all = await Ingested.RunAsync(kept, _source.Path);
        var some = await Ingested.RunAsync(_store, new IngestSpec { Sources = [_source.Path], Corpus = Ingested.Corpus, DropIssues = ["low_information"] });

        Assert.Single(all.Items);
        Assert.Equal((RejectionCode.LowQuality, "quality"), (some.Bad("dull.png").Code, some.Bad("dull.png").Stage));
        Assert.Contains("low_information is 1, at most 0.625 is allowed", some.Bad("dull.png").Reason, StringComparison.Ordinal);
        Assert.Single(new IngestSpec { Sources = [_source.Path], Corpus = "c", DropIssues = ["uglyness"] }.Problems());
    }

    [Fact]
    public async Task Killed_and_resumed_a_run_marks_the_same_items()
    {
        // Two parts: copies in the second lead to items in the first, which a resumed run has only on disk.
        var lines = Enumerable.Range(0, 2600).Select(i => $"{{\"text\":\"{Sentence(i < 1300 ? i : i - 1300)}{(i < 1300 ? "" : " Again.")}\"}}");
        var table = _source.Write("rows.jsonl", string.Join('\n', lines));
        var spec = new IngestSpec { Sources = [table], Corpus = Ingested.Corpus };
        using var whole = new TemporaryStore();
        var expected = await Ingested.RunAsync(whole, spec, whole.Context("r"));
        var fences = 0;

        await Assert.ThrowsAsync<InvalidOperationException>(() => Ingested.RunAsync(_store, spec, _store.Context("r", checkFence: () => { if (++fences == 1) throw new InvalidOperationException(); })));
        Directory.Delete(StagedPart.Folder(_store.Context("r"), 1), recursive: true);
        var resumed = await Ingested.RunAsync(_store, spec, _store.Context("r"));

        Assert.Equal(1300, expected.Result.NearDuplicates);
        Assert.Equal(expected.Items.Select(item => (item.ItemId, item.NearDuplicateOf)), resumed.Items.Select(item => (item.ItemId, item.NearDuplicateOf)));
        Assert.Equal((await StoreHash.ComputeAsync(whole.Store, default)).Select(table => table.Hash), (await StoreHash.ComputeAsync(_store.Store, default)).Select(table => table.Hash));

        static string Sentence(int number)
        {
            var random = new Random(number);
            return string.Join(' ', Enumerable.Range(0, 40).Select(_ => $"w{random.Next(2000)}"));
        }
    }

    [Fact]
    public void Boilerplate_is_kept_a_bounded_number_of_times_per_key()
    {
        var signature = TextQuality.Of(Story).Signature!;
        var compared = 0;
        var index = new SketchIndex(SketchSignature.TextBytes, 16, 3, 20_000, (_, _) => { compared++; return false; });

        for (var i = 0; i < 20_000; i++) index.Add(ContentId.Sha256(BitConverter.GetBytes(i))[..32], signature);

        Assert.Null(index.Find(signature));
        Assert.InRange(compared, 1, 4000); // entries of other bands lie between
    }

    private static ItemRow Row(string name, Measured measured) => new()
    {
        ItemId = ContentId.Sha256(Encoding.UTF8.GetBytes(name))[..32],
        Modality = Modality.Text,
        SourceUri = "",
        Path = name,
        MediaType = "",
        ByteSize = 0,
        Quality = measured.Scores,
        Signature = measured.Signature,
        IngestedAt = default,
    };
}
