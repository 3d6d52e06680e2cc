// How far do few labels go? For each set and seed: an oracle answers the queue's first 2 x classes questions, propagation does the rest, and the
// test items' accuracy is held against heads on 6 random labels per class. Then 20 named nodes of the tree (the oracle names each after its
// commonest class) with propagation: macro-F1 and coverage. Labels.csv plays the oracle and judges; nothing else reads it.
//   labels [set ...] [--store DIR] [--seeds N] [--steps N] [--search]     --store keeps the embedding sets for another time
using System.Globalization;
using FeatureForge.Data;
using FeatureForge.Labelling;
using FeatureForge.Tensors;

namespace FeatureForge.Benchmarks;

internal static class LabelBenchmark
{
    private static readonly string[] _sets = ["fsdd", "cifar10", "20newsgroups"];

    private sealed record Truth(LabelVectors Vectors, int[] Class, bool[] Test, string[] Names);

    internal static async Task<int> RunAsync(string[] arguments, TextWriter output)
    {
        var seeds = int.Parse(arguments.Text("--seeds") ?? "5", CultureInfo.InvariantCulture);
        var folder = arguments.Text("--store") ?? Path.Combine(Path.GetTempPath(), "featureforge-labels-" + Guid.NewGuid().ToString("N"));
        foreach (var set in _sets.Where(set => arguments.Contains(set)) is var chosen && chosen.Any() ? chosen : _sets)
        {
            await PrepareAsync(folder, set, arguments.Text("--steps"));
            var store = Store.Open(folder);
            var truth = await ReadAsync(store, set);
            if (arguments.Contains("--search")) await SearchAsync(set, truth, seeds, output);
            else await MeasureAsync(store, set, truth, seeds, output);
            await output.FlushAsync();
        }
        if (arguments.Text("--store") is null) Directory.Delete(folder, recursive: true);
        return 0;
    }

    private static async Task PrepareAsync(string folder, string name, string? steps)
    {
        if (File.Exists(Path.Combine(folder, "store.json")) && Store.Open(folder).FindSet(name) is not null) return;
        var raw = Directory.CreateTempSubdirectory("featureforge-labels-raw-");
        await LabelledSet.All.First(set => set.Name == name).UnpackAsync(raw.FullName);
        await FeatureForgeProcess.RunAsync(folder, "ingest", raw.FullName, "--corpus", name);
        raw.Delete(recursive: true);
        await FeatureForgeProcess.RunAsync(folder, ["train", "--corpus", name, "--encoder", name, "--seed", "0", .. steps is null ? Array.Empty<string>() : ["--steps", steps]]);
        await FeatureForgeProcess.RunAsync(folder, "extract", "--corpus", name, "--encoder", name, "--grains", "item");
    }

    private static async Task<Truth> ReadAsync(Store store, string name)
    {
        var vectors = LabelVectors.Read(store, name, Level.High, default);
        var places = new ItemPlaces((await KnownItems.ReadAsync(store, name, null, default)).Values);
        var (label, test) = (new string?[vectors.Rows], new bool[vectors.Rows]);
        foreach (var row in Csv.Read(Path.Combine(LabelledSet.Folder, name, "labels.csv")).Rows)
            if (places.Find(row["path"]) is { } id && vectors.RowOf(id) is var at and >= 0) (label[at], test[at]) = (row["label"], row["split"] == "test");
        string[] names = [.. label.OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        return new(vectors, [.. label.Select(one => one is null ? -1 : Array.IndexOf(names, one))], test, names);
    }

    // A seed keeps every test item and four in five of the others.
    private static Truth Drawn(Truth truth, int seed)
    {
        var random = new CounterRandom(seed).Stream(5);
        var rows = Enumerable.Range(0, truth.Class.Length).Where(row => truth.Class[row] >= 0 && (truth.Test[row] || random.Unit(row) < 0.8)).ToList();
        var some = new LabelVectors(truth.Vectors.Set, truth.Vectors.EncoderId, truth.Vectors.Level, truth.Vectors.Metric, truth.Vectors.Dimension, [.. rows.Select(row => truth.Vectors.ItemIds[row])], truth.Vectors.Gather(rows));
        return new(some, [.. rows.Select(row => truth.Class[row])], [.. rows.Select(row => truth.Test[row])], truth.Names);
    }

    private static async Task MeasureAsync(Store store, string set, Truth whole, int seeds, TextWriter output)
    {
        var (ours, random6, random2, named, covered) = (new List<double>(), new List<double>(), new List<double>(), new List<double>(), new List<double>());
        for (var seed = 0; seed < seeds; seed++)
        {
            var truth = Drawn(whole, seed);
            ours.Add(Accuracy(truth, Propagated(truth, Asked(store, truth, seed, 2 * truth.Names.Length), seed)));
            random6.Add(BestHead(truth, RandomLabels(truth, 6, seed), seed));
            random2.Add(BestHead(truth, RandomLabels(truth, 2, seed), seed));
            var (f1, coverage) = await NamedAsync(store, set, truth, seed);
            named.Add(f1);
            covered.Add(coverage);
        }
        string Of(List<double> values) => values.Any(double.IsNaN) ? "" : string.Create(CultureInfo.InvariantCulture, $"{100 * values.Average():F1} ({100 * values.Min():F1} to {100 * values.Max():F1})");
        await output.WriteLineAsync($"| {set} | {Of(ours)} | {Of(random6)} | {Of(random2)} | {Of(named)} | {Of(covered)} |");
    }

    private static Dictionary<int, int> Asked(Store store, Truth truth, int seed, int budget)
    {
        var queue = LabelQueue.Over(store, new() { LabelSet = "benchmark", Set = truth.Vectors.Set, Seed = seed }, TimeProvider.System, truth.Vectors);
        var rows = new List<LabelRow>();
        // Nobody may be asked about test items: they count as deferred.
        var deferred = truth.Vectors.ItemIds.Where((_, row) => truth.Test[row]).Select(id => new QueueAnswerRow(id, "oracle", QueueAnswer.Defer, DateTimeOffset.UnixEpoch, null)).ToList();
        while (rows.Count < budget)
        {
            var (_, entries) = queue.Rank(new(rows), deferred, new Dictionary<string, string>(), "oracle", Math.Min(10, budget - rows.Count), default);
            foreach (var entry in entries.Take(Math.Min(10, budget - rows.Count)))
                rows.Add(new() { LabelId = LabelLog.NewId(), Target = LabelTarget.Item, TargetId = entry.ItemId, Name = truth.Names[truth.Class[truth.Vectors.RowOf(entry.ItemId)]], Source = LabelSource.Person, Author = "oracle", At = DateTimeOffset.UnixEpoch, Batch = "b" });
        }
        return rows.ToDictionary(row => truth.Vectors.RowOf(row.TargetId), row => truth.Class[truth.Vectors.RowOf(row.TargetId)]);
    }

    private static Func<int, int> Propagated(Truth truth, Dictionary<int, int> labels, int seed)
    {
        var answer = Propagation.Run(truth.Vectors, null, labels, new Dictionary<string, int>(), truth.Names.Length, new() { LabelSet = "benchmark", Set = truth.Vectors.Set, Seed = seed }, default);
        return row => answer.Spread.Best(row).Class;
    }

    private static Dictionary<int, int> RandomLabels(Truth truth, int perClass, int seed)
    {
        var random = new CounterRandom(seed).Stream(9);
        return Enumerable.Range(0, truth.Class.Length).Where(row => !truth.Test[row]).GroupBy(row => truth.Class[row])
            .SelectMany(group => group.OrderBy(row => random.Bits(row)).Take(perClass)).ToDictionary(row => row, row => truth.Class[row]);
    }

    // The better of the two peers on the test items themselves: kinder to the peer than it could know.
    private static double BestHead(Truth truth, Dictionary<int, int> labels, int seed)
    {
        var rows = labels.Keys.Order().ToList();
        var learn = new HeadRows(truth.Vectors.Gather(rows), truth.Vectors.Dimension, [.. rows.Select(row => labels[row])], [.. rows.Select(_ => 1f)], truth.Names.Length);
        return new[] { new HeadShape("knn", 1), new HeadShape("knn", 5), new HeadShape("linear", Decay: 1e-3), new HeadShape("linear", Decay: 1e-1) }.Max(shape =>
        {
            var logs = shape.Predict(shape.Fit(learn, seed, TorchSharp.torch.CPU, default), truth.Vectors.Values, truth.Vectors.Rows, truth.Vectors.Dimension, truth.Names.Length, truth.Vectors.Metric, TorchSharp.torch.CPU, default);
            var spread = new Spread([.. logs.Select(MathF.Exp)], truth.Names.Length);
            return Accuracy(truth, row => spread.Best(row).Class);
        });
    }

    private static double Accuracy(Truth truth, Func<int, int> answer)
    {
        var asked = Enumerable.Range(0, truth.Class.Length).Where(row => truth.Test[row]).ToList();
        return asked.Count(row => answer(row) == truth.Class[row]) / (double)asked.Count;
    }

    // The 20 nodes that cover the set: start at the root, split the largest node until there are 20.
    private static async Task<(double F1, double Coverage)> NamedAsync(Store store, string set, Truth truth, int seed)
    {
        if (store.Clusterings().FirstOrDefault(clustering => clustering.Set == set) is not { } manifest) return (double.NaN, double.NaN);
        var tree = await LabelTree.ReadAsync(store, manifest.Name, default);
        var children = tree.Nodes.Where(node => node.ParentId is not null).GroupBy(node => node.ParentId!).ToDictionary(group => group.Key, group => group.ToList());
        var front = tree.Nodes.Where(node => node.ParentId is null).ToList();
        while (front.Count < 20 && front.Where(node => children.ContainsKey(node.ClusterId)).MaxBy(node => node.Size) is { } largest)
        {
            front.Remove(largest);
            front.AddRange(children[largest.ClusterId]);
        }
        var members = Enumerable.Range(0, truth.Class.Length).Where(row => !truth.Test[row] && tree.Paths.ContainsKey(truth.Vectors.ItemIds[row]))
            .SelectMany(row => tree.Paths[truth.Vectors.ItemIds[row]].Select(node => (node, row))).ToLookup(pair => pair.node, pair => truth.Class[pair.row]);
        var names = front.Where(node => members.Contains(node.ClusterId)).OrderByDescending(node => node.Size).Take(20)
            .ToDictionary(node => node.ClusterId, node => members[node.ClusterId].CountBy(label => label).MaxBy(pair => pair.Value).Key);
        var spec = new PropagateSpec { LabelSet = "benchmark", Set = set, Seed = seed };
        var answer = Propagation.Run(truth.Vectors, tree, new Dictionary<int, int>(), names, truth.Names.Length, spec, default);
        var asked = Enumerable.Range(0, truth.Class.Length).Where(row => truth.Test[row]).ToList();
        var sure = asked.Count(row => answer.Spread.Best(row).Probability >= spec.Threshold);
        return (CrossValidation.MacroF1([.. asked.Select(row => answer.Spread.Best(row).Class)], [.. asked.Select(row => truth.Class[row])], truth.Names.Length), sure / (double)asked.Count);
    }

    // What queue and propagation were chosen by.
    private static async Task SearchAsync(string set, Truth whole, int seeds, TextWriter output)
    {
        var draws = Enumerable.Range(0, seeds).Select(seed => Drawn(whole, seed)).ToList();
        foreach (var regions in (int[])[10, 20, 40])
        {
            var picks = draws.Select((truth, seed) => Herding.Pick(truth.Vectors.Values, truth.Vectors.Rows, truth.Vectors.Dimension, truth.Vectors.Metric, [], row => !truth.Test[row], 2 * truth.Names.Length, regions, seed, default)
                .ToDictionary(pick => pick.Row, pick => truth.Class[pick.Row])).ToList();
            foreach (var k in (int[])[10, 15, 20, 30])
            {
                var graphs = draws.Select(truth => AffinityGraph.Of(truth.Vectors.Values, truth.Vectors.Rows, truth.Vectors.Dimension, truth.Vectors.Metric, k, "cpu", default)).ToList();
                foreach (var alpha in (float[])[0.8f, 0.9f, 0.95f])
                    foreach (var mass in (bool[])[true, false])
                    {
                        var scores = draws.Select((truth, seed) =>
                        {
                            var spread = LabelSpreading.Run(graphs[seed], picks[seed].ToDictionary(pair => pair.Key, pair => (pair.Value, 1f)), truth.Names.Length, new(alpha, mass), default);
                            return Accuracy(truth, row => spread.Best(row).Class);
                        }).ToList();
                        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{set} regions {regions} k {k} alpha {alpha} mass {mass}: {100 * scores.Average():F1}"));
                    }
            }
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{set} regions {regions} heads on the picks: {100 * draws.Select((truth, seed) => BestHead(truth, picks[seed], seed)).Average():F1}"));
        }
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{set} random 6: {100 * draws.Select((truth, seed) => BestHead(truth, RandomLabels(truth, 6, seed), seed)).Average():F1}; random 2: {100 * draws.Select((truth, seed) => BestHead(truth, RandomLabels(truth, 2, seed), seed)).Average():F1}"));
    }
}
