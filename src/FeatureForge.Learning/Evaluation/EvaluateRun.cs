// [EvaluateRun] embedding set + labels -> scores: the only stage that reads labels. Every score stands beside the same score
// of an encoder of the same shape that was never trained, and of closed-form features.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Scores an embedding set; writes no table.</summary>
public static class EvaluateRun
{
    /// <summary>Labelled items in the order of their ids, split in two.</summary>
    private sealed record Split(IReadOnlyList<string> Train, IReadOnlyList<int> TrainLabels, IReadOnlyList<string> Test, IReadOnlyList<int> TestLabels, int Classes);

    /// <exception cref="BadRequestException">The request cannot be carried out; nothing was started.</exception>
    public static async Task<EvaluateResult> ExecuteAsync(EvaluateSpec spec, RunContext context, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        var set = context.Store.Set(spec.Set);
        var clustering = spec.Clustering is null ? null : context.Store.Clustering(spec.Clustering);
        BadRequestException.ThrowIfAny(Conflicts(spec, set, clustering));
        var labels = LabelFile.Join(LabelFile.Read(spec.LabelsPath), await PathsAsync(context.Store, set, stop).ConfigureAwait(false));
        var split = SplitOf(labels, spec);
        var unseen = split.TestLabels.Except(split.TrainLabels).Select(label => labels.Classes[label]).Order(StringComparer.Ordinal).ToList();
        if (unseen.Count > 0)
            context.Warning($"{unseen.Count} of {split.Classes} classes are among the test labels and not among the train labels (for instance '{unseen[0]}'): kNN and linear probe cannot know them, and every such item counts as wrong. Is the split as it was meant?");

        var scores = await TorchThread.RunAsync("evaluate", () => Score(spec, set, split, context, stop), context.Warning).ConfigureAwait(false);
        var result = new EvaluateResult
        {
            Set = set.Name,
            EncoderId = set.EncoderId,
            Classes = split.Classes,
            TrainItems = split.Train.Count,
            TestItems = split.Test.Count,
            UnmatchedLabels = labels.Unmatched,
            Scores = scores,
            ClusteringDepths = clustering is null ? [] : await ClusteringScores.MeasureAsync(context.Store, clustering, labels, stop).ConfigureAwait(false),
        };
        foreach (var line in result.ToTable().Split('\n', StringSplitOptions.RemoveEmptyEntries)) context.Information(line.TrimEnd());
        return result;
    }

    private static List<string> Conflicts(EvaluateSpec spec, SetManifest set, ClusteringManifest? clustering)
    {
        var problems = new List<string>();
        if (set.Tables.All(table => table.Grain != Grain.Item)) problems.Add($"Set '{spec.Set}' has no item vectors; extract with --grains item.");
        if (clustering is not null && clustering.Set != spec.Set) problems.Add($"Clustering '{clustering.Name}' is of set '{clustering.Set}', not of '{spec.Set}'.");
        if (clustering is not null && clustering.EncoderId != set.EncoderId)
            problems.Add($"Clustering '{clustering.Name}' was made from encoder {clustering.EncoderId}, set '{spec.Set}' holds vectors of {set.EncoderId}; cluster the set again.");
        if (clustering is not null && clustering.Grain != Grain.Item) problems.Add($"Clustering '{clustering.Name}' groups {clustering.Grain.ToString().ToLowerInvariant()}s; labels are about items.");
        return problems;
    }

    private static async Task<IReadOnlyDictionary<string, string>> PathsAsync(Store store, SetManifest set, CancellationToken stop)
    {
        var paths = new Dictionary<string, string>(StringComparer.Ordinal);
        var removed = RemovedItems.Of(store, set.Corpus);
        foreach (var part in store.Corpus(set.Corpus).ItemParts)
            await foreach (var row in removed.Without(ItemsTable.ReadAsync(store.FileOf(store.CorpusFolder(set.Corpus), part), withContent: false, stop)).ConfigureAwait(false))
                paths.TryAdd(row.Path, row.ItemId);
        return paths;
    }

    private static Split SplitOf(LabelledItems labels, EvaluateSpec spec)
    {
        var items = labels.ByItem.OrderBy(pair => pair.Key, StringComparer.Ordinal).ToLookup(pair => pair.Value.IsTest);
        var (train, test) = (items[false].ToList(), items[true].ToList());
        if (train.Count == 0 || test.Count == 0)
            throw new BadRequestException($"Of the labels in {spec.LabelsPath}, {train.Count} train and {test.Count} test lines have an item in the corpus of set '{spec.Set}' ({labels.Unmatched} have none); both splits are needed. Is it the right corpus?");
        return new([.. train.Select(pair => pair.Key)], [.. train.Select(pair => pair.Value.Class)], [.. test.Select(pair => pair.Key)], [.. test.Select(pair => pair.Value.Class)], labels.Classes.Count);
    }

    private static List<LevelScores> Score(EvaluateSpec spec, SetManifest set, Split split, RunContext context, CancellationToken stop)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var device = DeviceChoice.Select(spec.Device);
        var encoder = context.Store.Encoder(set.Encoder);
        if (encoder.EncoderId != set.EncoderId)
            throw new BadRequestException($"Set '{set.Name}' holds vectors of encoder {set.EncoderId}, but encoder '{set.Encoder}' is {encoder.EncoderId} now. Extract again under another name.");
        var tables = Level.All.Select(level => set.Tables.FirstOrDefault(table => table.Level == level && table.Grain == Grain.Item)).OfType<SetTable>().ToList();
        var meter = new ProgressMeter(context, "evaluate", "feature kinds", 2 * tables.Count);
        var scores = new List<LevelScores>();
        foreach (var table in tables)
        {
            scores.Add(ScoreVectors(table.Level == Level.Raw ? "baseline" : "trained", table.Level, ReadSet(context.Store, set, table, split), split, spec.Seed, device, stop));
            meter.Add(1);
        }

        using var prepared = PreparedCorpus.Open(context.Store, set.Corpus, encoder.Preparation);
        var learned = tables.Where(table => table.Level != Level.Raw).Select(table => table.Level).ToList();
        foreach (var (level, vectors) in RandomVectors(context.Store, encoder, prepared, learned, split, spec.Seed, device, stop))
        {
            scores.Add(ScoreVectors("random", level, vectors, split, spec.Seed, device, stop));
            meter.Add(1);
        }
        if (set.Modality == Modality.Text) scores.Add(TfIdf(prepared, split, stop));
        return scores;
    }

    private static LabelledVectors ReadSet(Store store, SetManifest set, SetTable table, Split split)
    {
        var vectors = new LabelledVectors(split);
        var removed = RemovedItems.Of(store, set.Corpus);
        foreach (var part in table.Parts)
            foreach (var block in EmbeddingTable.Read(store.FileOf(store.SetFolder(set.Name), part))) vectors.Add(removed.Without(block));
        return vectors;
    }

    /// <summary>Item vectors of an encoder of the same shape and front end whose network was never trained.</summary>
    private static Dictionary<string, LabelledVectors> RandomVectors(Store store, EncoderManifest manifest, PreparedCorpus prepared, List<string> levels, Split split, int seed, torch.Device device, CancellationToken stop)
    {
        using var encoder = EncoderFile.Load(store, manifest, device, randomSeed: seed);
        EncoderScaling.Fit(encoder, prepared, stop);
        var vectors = levels.ToDictionary(level => level, _ => new LabelledVectors(split));
        foreach (var rows in SliceExtraction.Run(encoder, prepared, 0, prepared.Count, levels, [Grain.Item], stop)) vectors[rows.Level].Add(rows.Block);
        return vectors;
    }

    private static LevelScores ScoreVectors(string encoder, string level, LabelledVectors vectors, Split split, int seed, torch.Device device, CancellationToken stop)
    {
        using var scope = NewDisposeScope();
        var all = vectors.ToTensor(level, device);
        var (train, test) = (all.narrow(0, 0, split.Train.Count), all.narrow(0, split.Train.Count, split.Test.Count));
        var knn = NeighbourVote.Accuracy(train, split.TrainLabels, test, split.TestLabels, split.Classes, stop);
        stop.ThrowIfCancellationRequested();
        var linear = LinearAccuracy(train, test, split, device, stop);
        var clusters = KMeans.Fit(all, new KMeansOptions { Clusters = split.Classes, Metric = VectorMetric.Cosine, Seed = seed }, null, stop).Assignment;
        List<int> labels = [.. split.TrainLabels, .. split.TestLabels];
        return new(encoder, level, (int)all.shape[1], knn, linear, Agreement.NormalisedMutualInformation(clusters, labels),
            Agreement.AdjustedRandIndex(clusters, labels), Agreement.MatchedAccuracy(clusters, labels));
    }

    private static double LinearAccuracy(Tensor train, Tensor test, Split split, torch.Device device, CancellationToken stop)
    {
        using var scope = NewDisposeScope();
        var (scaledTrain, scaledTest) = LinearProbe.Standardise(train, test);
        var strength = LinearProbe.ChooseStrength(items => scaledTrain.index_select(0, HostCopies.ToTensor(items.Select(item => (long)item).ToArray(), [items.Count], device)), split.TrainLabels, split.Classes);
        stop.ThrowIfCancellationRequested();
        var accuracy = LinearProbe.Accuracy(scaledTrain, split.TrainLabels, scaledTest, split.TestLabels, split.Classes, strength);
        stop.ThrowIfCancellationRequested();
        return accuracy;
    }

    private static LevelScores TfIdf(PreparedCorpus prepared, Split split, CancellationToken stop)
    {
        var baseline = new TfIdfBaseline(prepared, split.Train.Concat(split.Test).ToHashSet(), stop);
        return new("baseline", "tf-idf", baseline.Dimension, baseline.KnnAccuracy(split.Train, split.TrainLabels, split.Test, split.TestLabels, split.Classes, stop),
            baseline.LinearAccuracy(split.Train, split.TrainLabels, split.Test, split.TestLabels, split.Classes), null, null, null);
    }

    /// <summary>Vectors of the labelled items and no others, train before test, in one array that becomes one tensor.</summary>
    private sealed class LabelledVectors(Split split)
    {
        private readonly Dictionary<string, int> _rows = split.Train.Concat(split.Test).Select((item, row) => (item, row)).ToDictionary(pair => pair.item, pair => pair.row, StringComparer.Ordinal);
        private readonly bool[] _present = new bool[split.Train.Count + split.Test.Count];
        private float[] _values = [];
        private int _dimension;

        internal void Add(EmbeddingBlock block)
        {
            if (_dimension == 0) (_dimension, _values) = (block.Dimension, new float[(long)_present.Length * block.Dimension]);
            for (var row = 0; row < block.Rows; row++)
            {
                if (!_rows.TryGetValue(block.ItemIds[row], out var at)) continue;
                block.Vectors.AsSpan(row * _dimension, _dimension).CopyTo(_values.AsSpan(at * _dimension, _dimension));
                _present[at] = true;
            }
        }

        /// <summary>[train + test, D]; the array is let go.</summary>
        internal Tensor ToTensor(string level, torch.Device device)
        {
            var missing = _rows.Where(pair => !_present[pair.Value]).Select(pair => pair.Key).Take(3).ToList();
            if (missing.Count > 0) throw new BadRequestException($"The set has no {level} vectors of labelled items, for instance {string.Join(", ", missing)}. Extract again to complete it.");
            var tensor = HostCopies.ToTensor(_values, [_present.Length, _dimension], device);
            _values = [];
            return tensor;
        }
    }
}
