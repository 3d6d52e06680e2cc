// A store with a corpus, an embedding set of three well separated classes and, when asked for, a tree over it: what labelling works on.
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Tensors;
using FeatureForge.TestKit;

namespace FeatureForge.Labelling.Tests;

internal sealed class Shelf : IDisposable
{
    internal const string Encoder = "0123456789abcdef0123456789abcdef";
    internal const int Dimension = 16;
    internal static readonly string[] Names = ["bird", "car", "dog"];
    private readonly TemporaryStore _temporary = new();

    internal Shelf(int items = 150, double noise = 0.1, Modality modality = Modality.Image)
    {
        Items = items;
        var random = new CounterRandom(3);
        var vectors = new float[items * Dimension];
        for (var i = 0; i < items; i++)
            for (var d = 0; d < Dimension; d++) vectors[i * Dimension + d] = (float)((d == 5 * ClassOf(i) ? 1 : 0) + noise * random.Normal(i * Dimension + d));
        WriteCorpus(modality);
        WriteSet("set", vectors, Encoder, modality);
    }

    internal int Items { get; }
    internal Store Store => _temporary.Store;
    internal FixedTimeProvider Time { get; } = new();
    internal LabelDesk Desk => new(Store, Time);

    internal static string Id(int item) => item.ToString("x32", System.Globalization.CultureInfo.InvariantCulture);
    internal static int Number(string id) => int.Parse(id, System.Globalization.NumberStyles.HexNumber, System.Globalization.CultureInfo.InvariantCulture);
    internal static int ClassOf(int item) => item % 3;
    internal static string NameOf(string id) => Names[ClassOf(Number(id))];
    internal string Beside(string name) => Path.Combine(_temporary.Beside("files"), name);
    internal RunContext Context() => _temporary.Context(time: Time);
    internal Task<LabelState> StateAsync(string labelSet = "labels") => LabelLog.Of(Store, labelSet).ReadAsync(default);
    internal Task<IReadOnlyList<LabelRow>> GiveAsync(string name, params int[] items) => GiveAsync("anna", name, items);
    internal Task<IReadOnlyList<LabelRow>> GiveAsync(string author, string name, params int[] items)
    {
        Time.Advance(TimeSpan.FromSeconds(1));
        return Desk.SetAsync(new() { LabelSet = "labels", Name = name, ItemIds = [.. items.Select(Id)], Author = author }, default);
    }

    internal void WriteSet(string name, float[] vectors, string encoder, Modality modality = Modality.Image)
    {
        var path = Path.Combine(Store.SetFolder(name), "data/level=high/grain=item/part-00000.parquet");
        using (var writer = new EmbeddingWriter(path, new(modality, encoder, "p", Level.High, Grain.Item, Dimension, "cosine")))
        {
            var span = modality == Modality.Image ? ItemSpan.Rectangle(0, 0, 8, 8) : ItemSpan.Range(0, 100);
            writer.Write(new([.. Enumerable.Range(0, Items).Select(Id)], new int[Items], [.. Enumerable.Repeat(span, Items)], vectors, Dimension));
            writer.Close();
        }
        Write(Path.Combine(Store.SetFolder(name), "set.json"), new SetManifest
        {
            Name = name,
            Corpus = "corpus",
            CorpusVersion = 1,
            Encoder = "encoder",
            EncoderId = encoder,
            PreprocessingId = "p",
            Modality = modality,
            Dtype = "float32",
            Items = Items,
            RunId = "run",
            UpdatedAt = DateTimeOffset.UnixEpoch,
            Tables = [new(Level.High, Grain.Item, Dimension, "cosine", Items, [DurableFile.Describe(path, "data/level=high/grain=item/part-00000.parquet", Items)])],
        });
    }

    /// <summary>A root, one node per class ("c0".."c2"), and below each two leaves by halves of the items ("c0a", "c0b").</summary>
    internal async Task WriteTreeAsync(string encoder = Encoder)
    {
        var folder = Store.ClusteringFolder("tree");
        ClusterRow Node(string id, string? parent, int depth) => new() { ClusterId = id, ParentId = parent, Depth = depth, Size = 1, Name = id, Cohesion = 1, Centroid = new float[Dimension] };
        List<ClusterRow> nodes = [Node("root", null, 0)];
        for (var c = 0; c < 3; c++) nodes.AddRange([Node($"c{c}", "root", 1), Node($"c{c}a", $"c{c}", 2), Node($"c{c}b", $"c{c}", 2)]);
        string Leaf(int item) => $"c{ClassOf(item)}{(item < Items / 2 ? 'a' : 'b')}";
        await ClustersTable.WriteAsync(Path.Combine(folder, "clusters/part-00000.parquet"), nodes, default);
        await MembershipsTable.WriteAsync(Path.Combine(folder, "memberships/part-00000.parquet"), [.. Enumerable.Range(0, Items).Select(item => new MembershipRow(Id(item), 0, Leaf(item), ["root", $"c{ClassOf(item)}", Leaf(item)], 1, 0))], default);
        Write(Path.Combine(folder, "clustering.json"), SampleManifests.Clustering with
        {
            Name = "tree",
            Set = "set",
            EncoderId = encoder,
            Vectors = Items,
            Clusters = nodes.Count,
            Leaves = 6,
            ClusterParts = [DurableFile.Describe(Path.Combine(folder, "clusters/part-00000.parquet"), "clusters/part-00000.parquet", nodes.Count)],
            MembershipParts = [DurableFile.Describe(Path.Combine(folder, "memberships/part-00000.parquet"), "memberships/part-00000.parquet", Items)],
            RunId = "run",
        });
    }

    private void WriteCorpus(Modality modality)
    {
        var folder = Store.CorpusFolder("corpus");
        ItemRow Row(int item) => new()
        {
            ItemId = Id(item),
            Modality = modality,
            SourceUri = "file:///x",
            Path = $"pictures/{item:d4}.{(modality == Modality.Image ? "jpg" : modality == Modality.Audio ? "wav" : "txt")}",
            MediaType = "x/y",
            ByteSize = 1,
            IngestedAt = DateTimeOffset.UnixEpoch,
            Width = modality == Modality.Image ? 640 : null,
            Height = modality == Modality.Image ? 480 : null,
            DurationMs = modality == Modality.Audio ? 4000 : null,
            Text = modality == Modality.Text ? "A 😀 walks into Berlin." : null,
            NearDuplicateOf = item == 7 ? Id(4) : null,
        };
        var path = Path.Combine(folder, "items/part-00000.parquet");
        ItemsTable.WriteAsync(path, [.. Enumerable.Range(0, Items).Select(Row)], default).GetAwaiter().GetResult();
        Write(Path.Combine(folder, "corpus.json"), new CorpusManifest
        {
            Name = "corpus",
            Version = 1,
            RunId = "run",
            UpdatedAt = DateTimeOffset.UnixEpoch,
            Quarantined = 0,
            Sources = [],
            QuarantineParts = [],
            Preparations = new Dictionary<Modality, PreparationSpec>(),
            ItemParts = [DurableFile.Describe(path, "items/part-00000.parquet", Items)],
            Items = new Dictionary<Modality, long> { [modality] = Items },
        });
    }

    private static void Write<T>(string path, T manifest)
    {
        var json = JsonSerializer.SerializeToNode(manifest, SpecJson.Readable)!;
        DurableFile.WriteAllText(path, json.ToJsonString(SpecJson.Readable));
    }

    public void Dispose() => _temporary.Dispose();
}
