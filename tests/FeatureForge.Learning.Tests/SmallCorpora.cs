// Small prepared corpora of every modality, made on the spot: coloured stripes, tones, sentences from two word lists.
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Learning.Tests;

/// <summary>Item number i has class i % 2. Ids sort as the numbers do.</summary>
internal static class SmallCorpora
{
    public static PreparationSpec Preparation(Modality modality) => modality switch
    {
        Modality.Image => new() { Modality = modality, ImageSize = 16 },
        Modality.Audio => new() { Modality = modality, SampleRate = 16_000 },
        _ => new() { Modality = modality },
    };

    public static string ItemId(int number) => ContentId.Of($"item {number}")[..24] + number.ToString("x8", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Writes a recipe as a file that a request can name.</summary>
    public static string WriteRecipe(string folder, Recipe recipe, string name = "small")
    {
        var path = Path.Combine(folder, name + ".json");
        File.WriteAllText(path, JsonSerializer.Serialize(recipe, SpecJson.Readable));
        return path;
    }

    /// <summary>The published metrics of an encoder.</summary>
    public static async Task<IReadOnlyList<MetricRow>> MetricsAsync(TemporaryStore store, string encoder)
    {
        var rows = new List<MetricRow>();
        await foreach (var row in MetricsTable.ReadAsync(Path.Combine(store.Store.EncoderFolder(encoder), "metrics/part-00000.parquet"), default)) rows.Add(row);
        return rows;
    }

    /// <summary>Publishes a corpus with its items and prepared tables; parts of the given sizes, numbered on.</summary>
    public static Task WriteAsync(TemporaryStore store, string corpus, Modality modality, params int[] partSizes) => WriteAsync(store, corpus, modality, Add, partSizes);

    /// <summary>As above, of items that can be told apart (see VariedItems.cs).</summary>
    public static Task WriteVariedAsync(TemporaryStore store, string corpus, Modality modality, params int[] partSizes) => WriteAsync(store, corpus, modality, AddVaried, partSizes);

    private static async Task WriteAsync(TemporaryStore store, string corpus, Modality modality, Action<PreparedPartWriter, Modality, int> add, int[] partSizes)
    {
        var preparation = Preparation(modality);
        var folder = store.Store.CorpusFolder(corpus);
        var prepared = PreparedCorpus.Folder(store.Store, corpus, preparation);
        var (itemParts, preparedParts, first) = (new List<PartFile>(), new List<PartFile>(), 0);
        for (var part = 0; part < partSizes.Length; part++)
        {
            var numbers = Enumerable.Range(first, partSizes[part]).OrderBy(ItemId, StringComparer.Ordinal).ToList();
            var rows = numbers.Select(number => new ItemRow
            {
                ItemId = ItemId(number),
                Modality = modality,
                SourceUri = "file:///x",
                Path = $"set/{number:D4}",
                MediaType = "x",
                ByteSize = 1,
                IngestedAt = DateTimeOffset.UnixEpoch,
            }).ToList();
            var itemsPath = $"items/part-{part:D5}.parquet";
            Directory.CreateDirectory(Path.Combine(folder, "items"));
            await ItemsTable.WriteAsync(Path.Combine(folder, itemsPath), rows, default);
            itemParts.Add(DurableFile.Describe(Path.Combine(folder, itemsPath), itemsPath, rows.Count));

            var arrow = $"part-{part:D5}.arrow";
            using (var writer = new PreparedPartWriter(Path.Combine(prepared, arrow), preparation))
            {
                foreach (var number in numbers) add(writer, modality, number);
                writer.Complete();
            }
            preparedParts.Add(DurableFile.Describe(Path.Combine(prepared, arrow), arrow, numbers.Count));
            first += partSizes[part];
        }
        DurableFile.WriteAllText(Path.Combine(prepared, "prepared.json"), JsonSerializer.Serialize(
            new PreparedManifest { Corpus = corpus, Preparation = preparation, MadeWith = "test", Parts = preparedParts }, SpecJson.Readable));
        DurableFile.WriteAllText(Path.Combine(folder, "corpus.json"), JsonSerializer.Serialize(new CorpusManifest
        {
            Name = corpus,
            Version = partSizes.Length,
            RunId = "ingest",
            UpdatedAt = DateTimeOffset.UnixEpoch,
            Items = new Dictionary<Modality, long> { [modality] = first },
            Quarantined = 0,
            Sources = [],
            ItemParts = itemParts,
            QuarantineParts = [],
            Preparations = new Dictionary<Modality, PreparationSpec> { [modality] = preparation },
        }, SpecJson.Readable));
    }

    private static void Add(PreparedPartWriter writer, Modality modality, int number)
    {
        var random = new Random(number);
        if (modality == Modality.Image) writer.AddImage(ItemId(number), 40, 30, Stripes(random, number % 2 == 0));
        else if (modality == Modality.Audio)
        {
            // Number 5 lasts 2.7 s: longer than a window, and not a whole number of hops.
            var samples = Tone(random, number % 2 == 0 ? 440 : 1500, number == 5 ? 43_200 : 3_000 + 500 * (number % 7));
            writer.AddAudio(ItemId(number), samples.Length * 1000 / 16_000, samples);
        }
        else writer.AddText(ItemId(number), Sentences(random, number % 2 == 0, number == 5 ? 400 : 12));
    }

    private static void AddVaried(PreparedPartWriter writer, Modality modality, int number)
    {
        if (modality == Modality.Image) writer.AddImage(ItemId(number), 16, 16, VariedItems.Image(number));
        else if (modality == Modality.Audio) writer.AddAudio(ItemId(number), 1000, VariedItems.Audio(number));
        else writer.AddText(ItemId(number), VariedItems.Text(number));
    }

    private static byte[] Stripes(Random random, bool upright)
    {
        var (phase, pixels) = (random.Next(4), new byte[3 * 16 * 16]);
        for (var c = 0; c < 3; c++)
        {
            var strength = random.Next(60, 200);
            for (var y = 0; y < 16; y++)
                for (var x = 0; x < 16; x++) pixels[c * 256 + y * 16 + x] = (byte)(((upright ? x : y) + phase) % 4 < 2 ? strength : random.Next(40));
        }
        return pixels;
    }

    private static short[] Tone(Random random, double hertz, int length)
    {
        var pitch = hertz * (0.9 + 0.2 * random.NextDouble());
        return [.. Enumerable.Range(0, length).Select(i => (short)(8000 * Math.Sin(2 * Math.PI * pitch * i / 16_000) + random.Next(-500, 500)))];
    }

    private static string Sentences(Random random, bool sport, int words)
    {
        string[] list = sport ? ["goal", "team", "match", "score", "player", "coach", "season"] : ["stock", "market", "price", "bank", "share", "profit", "trade"];
        string[] common = ["the", "of", "and", "today", "said"];
        return string.Join(' ', Enumerable.Range(0, words).Select(i => (random.Next(3) == 0 ? common[random.Next(5)] : list[random.Next(7)]) + (i % 11 == 10 ? "." : "")));
    }
}
