// A small store with real files of every kind, written through FeatureForge.Data: what pages and endpoints are tested on.
using System.Text;
using System.Text.Json;
using FeatureForge.Data;
using SkiaSharp;

namespace FeatureForge.Server.Tests;

/// <summary>Fills a store: corpus "mixed", encoder "eyes", set "eyes-mixed", clustering "groups" with a map, and some runs.</summary>
internal static class SampleStore
{
    internal const string Corpus = "mixed", Encoder = "eyes", Set = "eyes-mixed", Clustering = "groups";
    internal const int MapPointCount = 3000;

    private static readonly DateTimeOffset _made = new(2026, 11, 20, 9, 30, 0, TimeSpan.Zero);
    private static readonly PreparationSpec _images = new() { Modality = Modality.Image, ImageSize = 32 };
    private static readonly PreparationSpec _sounds = new() { Modality = Modality.Audio, SampleRate = 16000 };
    private static readonly string[] _topics = ["harbour", "orchard", "engine", "theatre"];

    internal static async Task<IReadOnlyList<ItemRow>> FillAsync(Store store)
    {
        var items = MakeItems();
        await WriteCorpusAsync(store, items);
        await WriteEncoderAsync(store);
        WriteSet(store, items);
        await WriteClusteringAsync(store, items);
        return items;
    }

    /// <summary>A run at work, one that failed and one that succeeded; returns their ids in this order.</summary>
    internal static (string Running, string Failed, string Succeeded) AddRuns(RunLedger ledger)
    {
        var ids = new List<string>();
        foreach (var encoder in new[] { "slow", "broken", Encoder })
        {
            var run = ledger.Create(new() { Kind = RunKind.Train, Spec = $$"""{"corpus":"{{Corpus}}","encoder":"{{encoder}}"}""" });
            var lease = ledger.TryAcquire(run.RunId, ProcessIdentity.Current, TimeSpan.FromHours(1))!;
            ledger.Journal.AddLog(run.RunId, ("information", $"Training {encoder} on 48 items."), ("warning", "The learning rate is <high>."));
            ledger.Journal.AddMetrics(run.RunId, [.. Enumerable.Range(0, 60).Select(step => new MetricRow(step, "loss", 3 / Math.Sqrt(step + 1)))]);
            ledger.Heartbeat(lease, TimeSpan.FromHours(1), new("train", 60, 200, "steps", 12.5, 11));
            if (encoder == "broken") ledger.Fail(lease, RunFailure.Error, "The loss is not finite at step 61; lower the learning rate.");
            if (encoder == Encoder) ledger.Succeed(lease, """{"encoder":"eyes"}""");
            ids.Add(run.RunId);
        }
        return (ids[0], ids[1], ids[2]);
    }

    private static List<ItemRow> MakeItems()
    {
        var rows = new List<ItemRow>();
        for (var number = 0; number < 24; number++) rows.Add(MakeImage(number));
        for (var number = 0; number < 12; number++)
            rows.Add(Row(Encoding.UTF8.GetBytes($"tone {number}"), Modality.Audio, $"tones/tone-{number:00}.wav", "audio/wav") with { DurationMs = 500, SampleRate = 16000, Channels = 1 });
        for (var number = 0; number < 12; number++)
        {
            var text = $"Report {number} from the {_topics[number % 4]}. " + string.Join(' ', Enumerable.Range(0, 60).Select(word => $"{_topics[(number + word / 30) % 4]} {word}")) + " <end>";
            rows.Add(Row(Encoding.UTF8.GetBytes(text), Modality.Text, $"reports/report-{number:00}.txt", "text/plain") with { Text = text, Characters = text.Length, Language = "en" });
        }
        return [.. rows.OrderBy(row => row.ItemId, StringComparer.Ordinal)];
    }

    private static ItemRow MakeImage(int number)
    {
        var (width, height) = (320, 240);
        using var surface = SKSurface.Create(new SKImageInfo(width, height));
        surface.Canvas.Clear(SKColor.FromHsl(number * 15, 45, 88));
        using var paint = new SKPaint { Color = SKColor.FromHsl(number * 15, 65, 45), IsAntialias = true };
        if (number % 2 == 0) surface.Canvas.DrawCircle(width / 2f, height / 2f, 50 + number * 2, paint);
        else surface.Canvas.DrawRect(width / 2f - 70, height / 2f - 50, 140, 100, paint);
        using var image = surface.Snapshot();
        using var png = image.Encode(SKEncodedImageFormat.Png, 100);
        return Row(png.ToArray(), Modality.Image, $"shapes/shape-{number:00}.png", "image/png") with { Width = width, Height = height, Channels = 3 };
    }

    private static ItemRow Row(byte[] content, Modality modality, string path, string mediaType) => new()
    {
        ItemId = ContentId.Of(content),
        Modality = modality,
        SourceUri = "file:///data/mixed",
        Path = path,
        MediaType = mediaType,
        ByteSize = content.Length,
        Content = content,
        Quality = new Dictionary<string, float> { ["low_information"] = 0.125f },
        IngestedAt = _made,
    };

    private static async Task WriteCorpusAsync(Store store, List<ItemRow> items)
    {
        var folder = store.CorpusFolder(Corpus);
        var half = items.Count / 2;
        await ItemsTable.WriteAsync(Path.Combine(folder, "items", "part-00000.parquet"), items[..half], CancellationToken.None);
        await ItemsTable.WriteAsync(Path.Combine(folder, "items", "part-00001.parquet"), items[half..], CancellationToken.None);
        await QuarantineTable.WriteAsync(Path.Combine(folder, "quarantine", "part-00000.parquet"),
        [
            new("broken/cut.jpg", "file:///data/mixed", 1200, new string('a', 64), "decode", RejectionCode.TooLarge, "The picture has 900,000,000 pixels; expected at most 100,000,000.", 1, _made),
            new("broken/<script>.txt", "file:///data/mixed", 12, new string('b', 64), "decode", RejectionCode.UnknownCharset, "No charset fits; convert the file to UTF-8.", 2, _made),
        ], CancellationToken.None);
        foreach (var preparation in new[] { _images, _sounds })
        {
            var parts = new[] { WritePrepared(store, preparation, items[..half], "part-00000.arrow"), WritePrepared(store, preparation, items[half..], "part-00001.arrow") };
            Save(Path.Combine(PreparedCorpus.Folder(store, Corpus, preparation), "prepared.json"),
                new PreparedManifest { Corpus = Corpus, Preparation = preparation, MadeWith = "test", Parts = parts });
        }
        Save(Path.Combine(folder, "corpus.json"), new CorpusManifest
        {
            Name = Corpus,
            Version = 2,
            RunId = "20261120-093000-ingest-00000001",
            UpdatedAt = _made,
            Items = items.GroupBy(item => item.Modality).ToDictionary(group => group.Key, group => (long)group.Count()),
            Quarantined = 2,
            Sources = ["file:///data/mixed"],
            ItemParts = [Part(folder, "items/part-00000.parquet", half), Part(folder, "items/part-00001.parquet", items.Count - half)],
            QuarantineParts = [Part(folder, "quarantine/part-00000.parquet", 2)],
            Preparations = new Dictionary<Modality, PreparationSpec> { [Modality.Image] = _images, [Modality.Audio] = _sounds },
        });
    }

    private static PartFile WritePrepared(Store store, PreparationSpec preparation, IReadOnlyList<ItemRow> items, string name)
    {
        var folder = PreparedCorpus.Folder(store, Corpus, preparation);
        Directory.CreateDirectory(folder);
        var mine = items.Where(item => item.Modality == preparation.Modality).ToList();
        using (var writer = new PreparedPartWriter(Path.Combine(folder, name), preparation))
        {
            foreach (var item in mine)
            {
                if (item.Modality == Modality.Image) writer.AddImage(item.ItemId, item.Width!.Value, item.Height!.Value, new byte[3 * 32 * 32]);
                else writer.AddAudio(item.ItemId, 500, Tone(200 + 40 * (item.Path[^5] - '0')));
            }
            writer.Complete();
        }
        return Part(folder, name, mine.Count);
    }

    private static short[] Tone(double hertz) =>
        [.. Enumerable.Range(0, 8000).Select(sample => (short)(9000 * Math.Sin(2 * Math.PI * hertz * sample / 16000) * Math.Exp(-sample / 3000.0)))];

    private static async Task WriteEncoderAsync(Store store)
    {
        var folder = store.EncoderFolder(Encoder);
        var metrics = new List<MetricRow>();
        for (var step = 0; step <= 300; step += 5)
        {
            metrics.Add(new(step, "loss", 0.8 + 3 * Math.Exp(-step / 80.0)));
            if (step % 50 != 0) continue;
            metrics.Add(new(step, "retrieval.high", 0.9 - 0.6 * Math.Exp(-step / 90.0)));
            metrics.Add(new(step, "retrieval.raw", 0.41));
            metrics.Add(new(step, "rankme_ratio.high", 0.3 + step / 2000.0));
            metrics.Add(new(step, "rankme_ratio.raw", 0.2));
        }
        await MetricsTable.WriteAsync(Path.Combine(folder, "metrics", "part-00000.parquet"), metrics, CancellationToken.None);
        await File.WriteAllTextAsync(Path.Combine(folder, "model.safetensors"), "weights");
        Save(Path.Combine(folder, "encoder.json"), new EncoderManifest
        {
            Name = Encoder,
            EncoderId = ContentId.Of("eyes"),
            PreprocessingId = ContentId.Of("preprocessing"),
            Modality = Modality.Image,
            Recipe = "image-convnet",
            Corpus = Corpus,
            CorpusVersion = 1,
            Preparation = _images,
            Levels = [new("raw", 48, "cosine"), new("low", 64, "cosine"), new("mid", 128, "cosine"), new("high", 256, "cosine")],
            Architecture = JsonSerializer.SerializeToElement(new { kind = "convnet", width = 64 }),
            Training = JsonSerializer.SerializeToElement(new { corpus = Corpus, encoder = Encoder, seed = 0 }),
            Parameters = 1_234_567,
            Steps = 300,
            Device = "cpu",
            Probes = new Dictionary<string, double> { ["retrieval.high"] = 0.88, ["retrieval.raw"] = 0.41, ["rankme_ratio.high"] = 0.45, ["rankme_ratio.raw"] = 0.2 },
            Weights = Part(folder, "model.safetensors", 1),
            MetricParts = [Part(folder, "metrics/part-00000.parquet", metrics.Count)],
            RunId = "20261120-094000-train-00000002",
            CreatedAt = _made,
        });
    }

    private static void WriteSet(Store store, IReadOnlyList<ItemRow> items)
    {
        var folder = store.SetFolder(Set);
        var header = new EmbeddingHeader(Modality.Image, ContentId.Of("eyes"), ContentId.Of("preprocessing"), Level.High, Grain.Item, 4, "cosine");
        Directory.CreateDirectory(Path.Combine(folder, "data/level=high/grain=item"));
        using (var writer = new EmbeddingWriter(Path.Combine(folder, "data/level=high/grain=item/part-00000.parquet"), header))
        {
            writer.Write(new([.. items.Select(item => item.ItemId)], [.. items.Select(_ => 0)],
                [.. items.Select(_ => ItemSpan.Rectangle(0, 0, 320, 240))], [.. items.SelectMany((_, row) => Enumerable.Range(0, 4).Select(d => (d == row % 4 ? 1f : 0.05f) + 0.001f * row))], 4));
            writer.Close();
        }
        Save(Path.Combine(folder, "set.json"), new SetManifest
        {
            Name = Set,
            Corpus = Corpus,
            // One behind the corpus, so that pages have something stale to show.
            CorpusVersion = 1,
            Encoder = Encoder,
            EncoderId = ContentId.Of("eyes"),
            PreprocessingId = ContentId.Of("preprocessing"),
            Modality = Modality.Image,
            Dtype = "float32",
            Items = items.Count,
            Tables = [new("high", Grain.Item, 4, "cosine", items.Count, [Part(folder, "data/level=high/grain=item/part-00000.parquet", items.Count)])],
            RunId = "20261120-095000-extract-00000003",
            UpdatedAt = _made,
        });
    }

    private static async Task WriteClusteringAsync(Store store, IReadOnlyList<ItemRow> items)
    {
        var folder = store.ClusteringFolder(Clustering);
        var clusters = new List<ClusterRow> { Cluster("c", null, 0, "everything", items) };
        for (var branch = 0; branch < 4; branch++)
        {
            clusters.Add(Cluster($"c.{branch}", "c", 1, _topics[branch], items));
            for (var leaf = 0; leaf < 3; leaf++) clusters.Add(Cluster($"c.{branch}.{leaf}", $"c.{branch}", 2, $"{_topics[branch]} {"abc"[leaf]}", items));
        }
        var random = new Random(7);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        var (map, memberships) = (new List<MapRow>(), new List<MembershipRow>());
        for (var point = 0; point < MapPointCount; point++)
        {
            var item = items[point % items.Count];
            var (branch, leaf) = (point % 4, point / 4 % 3);
            map.Add(new(item.ItemId, point / items.Count, (float)(8 * Math.Cos(branch * 1.57) + 2.2 * leaf + Normal()), (float)(8 * Math.Sin(branch * 1.57) + 2 * Math.Sin(leaf * 2) + Normal())));
            var noise = point % 50 == 0;
            memberships.Add(new(item.ItemId, point / items.Count, noise ? null : $"c.{branch}.{leaf}", noise ? [] : ["c", $"c.{branch}", $"c.{branch}.{leaf}"], 0.9f, 0.1f));
        }
        await ClustersTable.WriteAsync(Path.Combine(folder, "clusters/part-00000.parquet"), clusters, CancellationToken.None);
        await MembershipsTable.WriteAsync(Path.Combine(folder, "memberships/part-00000.parquet"), memberships, CancellationToken.None);
        await MapTable.WriteAsync(Path.Combine(folder, "map/part-00000.parquet"), map, CancellationToken.None);
        Save(Path.Combine(folder, "clustering.json"), new ClusteringManifest
        {
            Name = Clustering,
            Set = Set,
            EncoderId = ContentId.Of("eyes"),
            Level = "high",
            Grain = Grain.Item,
            Method = "tree",
            Spec = JsonSerializer.SerializeToElement(new { set = Set }),
            Vectors = items.Count,
            Clusters = clusters.Count,
            Leaves = 12,
            Measures = new Dictionary<string, double> { ["silhouette"] = 0.37 },
            ClusterParts = [Part(folder, "clusters/part-00000.parquet", clusters.Count)],
            MembershipParts = [Part(folder, "memberships/part-00000.parquet", memberships.Count)],
            MapParts = [Part(folder, "map/part-00000.parquet", map.Count)],
            RunId = "20261120-100000-cluster-00000004",
            CreatedAt = _made,
        });
    }

    private static ClusterRow Cluster(string id, string? parent, int depth, string name, IReadOnlyList<ItemRow> items) => new()
    {
        ClusterId = id,
        ParentId = parent,
        Depth = depth,
        Size = depth switch { 0 => 3000, 1 => 750, _ => 250 },
        Name = name,
        Keywords = depth == 0 ? [] : [name, "quay", "tide"],
        ExemplarIds = [.. items.Where((_, index) => index % 4 == id.Length % 4).Select(item => item.ItemId).Take(12)],
        BoundaryIds = [.. items.Where((_, index) => index % 9 == 2).Select(item => item.ItemId).Take(5)],
        Cohesion = 0.72f,
        Centroid = [0, 0, 0, 1],
    };

    private static PartFile Part(string folder, string path, long rows) => DurableFile.Describe(Path.Combine(folder, path), path, rows);

    private static void Save<T>(string path, T manifest) => DurableFile.WriteAllText(path, JsonSerializer.Serialize(manifest, SpecJson.Readable));
}
