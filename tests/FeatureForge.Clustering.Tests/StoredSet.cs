// Puts an embedding set (and prepared texts) into a store as the earlier stages would.
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Clustering.Tests;

internal static class StoredSet
{
    internal const string EncoderId = "0123456789abcdef0123456789abcdef";

    /// <summary>A set of the item grain at level high; item i has the id <see cref="ItemId"/>(i).</summary>
    internal static void Write(Store store, string name, float[] vectors, int dimension, string metric = "cosine", Modality modality = Modality.Text,
        int parts = 1, string encoderInFiles = EncoderId, IReadOnlyList<int>? ids = null)
    {
        var rows = vectors.Length / dimension;
        var folder = store.SetFolder(name);
        var header = new EmbeddingHeader(modality, encoderInFiles, "p", Level.High, Grain.Item, dimension, metric);
        var files = new List<PartFile>();
        for (var part = 0; part < parts; part++)
        {
            var mine = Enumerable.Range(0, rows).Where(row => row % parts == part).ToList();
            var relative = $"data/level=high/grain=item/part-{part:d5}.parquet";
            var path = Path.Combine(folder, relative);
            using (var writer = new EmbeddingWriter(path, header))
            {
                var span = modality == Modality.Image ? ItemSpan.Rectangle(0, 0, 8, 8) : ItemSpan.Range(0, 100);
                writer.Write(new([.. mine.Select(row => ItemId(ids?[row] ?? row))], [.. mine.Select(_ => 0)], [.. mine.Select(_ => span)],
                    [.. mine.SelectMany(row => vectors[(row * dimension)..((row + 1) * dimension)])], dimension));
                writer.Close();
            }
            files.Add(DurableFile.Describe(path, relative, mine.Count));
        }
        var manifest = new SetManifest
        {
            Name = name,
            Corpus = "corpus",
            CorpusVersion = 1,
            Encoder = "encoder",
            EncoderId = EncoderId,
            PreprocessingId = "p",
            Modality = modality,
            Dtype = "float32",
            Items = rows,
            RunId = "run",
            UpdatedAt = DateTimeOffset.UnixEpoch,
            Tables = [new(Level.High, Grain.Item, dimension, metric, rows, files)],
        };
        DurableFile.WriteAllText(Path.Combine(folder, "set.json"), JsonSerializer.Serialize(manifest, SpecJson.Readable));
    }

    internal static string ItemId(int row) => row.ToString("x32", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Prepared items of the corpus "corpus", written by <paramref name="add"/>.</summary>
    internal static void Prepare(Store store, PreparationSpec preparation, int items, Action<PreparedPartWriter> add)
    {
        var folder = PreparedCorpus.Folder(store, "corpus", preparation);
        var path = Path.Combine(folder, "part-00000.arrow");
        Directory.CreateDirectory(folder);
        using (var writer = new PreparedPartWriter(path, preparation))
        {
            add(writer);
            writer.Complete();
        }
        var prepared = new PreparedManifest { Corpus = "corpus", Preparation = preparation, MadeWith = "test", Parts = [DurableFile.Describe(path, "part-00000.arrow", items)] };
        DurableFile.WriteAllText(Path.Combine(folder, "prepared.json"), JsonSerializer.Serialize(prepared, SpecJson.Readable));
        var corpus = new CorpusManifest
        {
            Name = "corpus",
            Version = 1,
            RunId = "run",
            UpdatedAt = DateTimeOffset.UnixEpoch,
            Quarantined = 0,
            Sources = [],
            ItemParts = [],
            QuarantineParts = [],
            Items = new Dictionary<Modality, long> { [preparation.Modality] = items },
            Preparations = new Dictionary<Modality, PreparationSpec> { [preparation.Modality] = preparation },
        };
        DurableFile.WriteAllText(Path.Combine(store.CorpusFolder("corpus"), "corpus.json"), JsonSerializer.Serialize(corpus, SpecJson.Readable));
    }

    internal static async Task<List<ClusterRow>> ClustersAsync(Store store, string clustering)
    {
        var rows = new List<ClusterRow>();
        await foreach (var row in ClustersTable.ReadAsync(Path.Combine(store.ClusteringFolder(clustering), store.Clustering(clustering).ClusterParts[0].Path), default)) rows.Add(row);
        return rows;
    }

    internal static async Task<List<MembershipRow>> MembershipsAsync(Store store, string clustering)
    {
        var rows = new List<MembershipRow>();
        await foreach (var row in MembershipsTable.ReadAsync(Path.Combine(store.ClusteringFolder(clustering), store.Clustering(clustering).MembershipParts[0].Path), default)) rows.Add(row);
        return rows;
    }

    internal static async Task<List<MapRow>> MapAsync(Store store, string clustering)
    {
        var rows = new List<MapRow>();
        await foreach (var row in MapTable.ReadAsync(Path.Combine(store.ClusteringFolder(clustering), store.Clustering(clustering).MapParts[0].Path), default)) rows.Add(row);
        return rows;
    }
}
