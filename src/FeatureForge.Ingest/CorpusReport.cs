// What a corpus holds and what is wrong with it: one streaming pass over a few columns of its items, one over its quarantine.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Items of one modality together.</summary>
/// <param name="Seconds">Of recordings.</param>
/// <param name="Characters">Of documents, in Unicode code points.</param>
/// <param name="Pixels">Of pictures.</param>
public sealed record ModalityTotals(Modality Modality, long Items, long Bytes, double Seconds, long Characters, long Pixels);

/// <summary>One item as an example of an issue. <paramref name="Score"/> is the one that decides.</summary>
public sealed record IssueExample(string ItemId, string Path, float Score);

/// <summary>How often an issue occurs, worst examples first.</summary>
/// <param name="Measured">Items that have the score at all.</param>
public sealed record IssueCount(string Issue, Modality Modality, float Threshold, bool Below, long Items, long Measured, IReadOnlyList<IssueExample> Examples);

/// <summary>Items that nearly equal one.</summary>
/// <param name="ItemId">The first of the group; it may have been removed since.</param>
/// <param name="Path">Its path, null when the item is no longer there.</param>
/// <param name="Items">With the first.</param>
/// <param name="Paths">Some of the others.</param>
public sealed record NearDuplicateGroup(string ItemId, string? Path, long Items, IReadOnlyList<string> Paths);

/// <summary>Files in quarantine for one reason.</summary>
public sealed record QuarantineCount(RejectionCode Code, long Files, IReadOnlyList<QuarantineExample> Examples);

/// <summary>One file in quarantine.</summary>
public sealed record QuarantineExample(string Path, string Reason);

/// <summary>The report on one corpus.</summary>
public sealed record CorpusReport
{
    private const int ExamplesPerIssue = 5;
    private const int ExampleGroups = 10;
    private const int PathsPerGroup = 4;
    private const int ExamplesPerCode = 3;

    public required IReadOnlyList<ModalityTotals> Totals { get; init; }
    /// <summary>Issues that occur, in the order of <see cref="QualityIssue.All"/>; then size_outlier.</summary>
    public required IReadOnlyList<IssueCount> Issues { get; init; }
    /// <summary>Files whose bytes came earlier; they are no items.</summary>
    public required long ExactDuplicates { get; init; }
    /// <summary>The items with most such files.</summary>
    public required IReadOnlyList<ExactDuplicateGroup> LargestExactGroups { get; init; }
    /// <summary>Items with a near_duplicate_of.</summary>
    public required long NearDuplicates { get; init; }
    public required long NearDuplicateGroups { get; init; }
    /// <summary>The largest groups.</summary>
    public required IReadOnlyList<NearDuplicateGroup> LargestGroups { get; init; }
    public required IReadOnlyList<QuarantineCount> Quarantine { get; init; }
    /// <summary>Documents by language; "unknown" where none was found.</summary>
    public required IReadOnlyDictionary<string, long> Languages { get; init; }

    /// <summary>Reads the corpus; memory does not grow with it but for 40 bytes a group of near duplicates.</summary>
    public static async Task<CorpusReport> ReadAsync(Store store, CorpusManifest corpus, QualityThresholds thresholds, CancellationToken stop)
    {
        var totals = new Dictionary<Modality, ModalityTotals>();
        var issues = QualityIssue.All.ToDictionary(issue => issue, issue => new Tally(issue.Below));
        var (languages, groups, sizes) = (new Dictionary<string, long>(), new Dictionary<UInt128, int>(), new SizeSpread());
        await foreach (var row in RowsAsync(store, corpus, stop))
        {
            var before = totals.GetValueOrDefault(row.Modality) ?? new(row.Modality, 0, 0, 0, 0, 0);
            totals[row.Modality] = new(row.Modality, before.Items + 1, before.Bytes + row.ByteSize, before.Seconds + (row.DurationMs ?? 0) / 1000.0, before.Characters + (row.Characters ?? 0), before.Pixels + (long)(row.Width ?? 0) * (row.Height ?? 0));
            if (row.Modality == Modality.Text) languages[row.Language ?? "unknown"] = languages.GetValueOrDefault(row.Language ?? "unknown") + 1;
            if (row.Modality == Modality.Image) sizes.Add(row);
            if (row.NearDuplicateOf is { } first) groups[ItemIdSet.Key(first)] = groups.GetValueOrDefault(ItemIdSet.Key(first)) + 1;
            foreach (var issue in QualityIssue.All.Where(issue => issue.Modality == row.Modality))
            {
                if (row.Quality.TryGetValue(issue.Score, out var score)) issues[issue].Add(row, score, issue.Threshold(thresholds));
            }
        }
        var outliers = sizes.Bounds() is { } bounds ? await OutliersAsync(store, corpus, bounds, stop) : null;
        return new()
        {
            Totals = [.. totals.Values.OrderBy(total => total.Modality)],
            Issues = [.. QualityIssue.All.Where(issue => issues[issue].Count > 0).Select(issue => issues[issue].ToCount(issue.Name, issue.Modality, issue.Threshold(thresholds))), .. outliers is { Count: > 0 } ? [outliers.ToCount("size_outlier", Modality.Image, 1)] : Array.Empty<IssueCount>()],
            ExactDuplicates = corpus.ExactDuplicates,
            LargestExactGroups = [.. corpus.ExactDuplicateGroups.Take(ExampleGroups)],
            NearDuplicates = groups.Values.Sum(count => (long)count),
            NearDuplicateGroups = groups.Count,
            LargestGroups = await LargestAsync(store, corpus, groups, stop),
            Quarantine = await QuarantineAsync(store, corpus, stop),
            Languages = languages.OrderByDescending(entry => entry.Value).ThenBy(entry => entry.Key, StringComparer.Ordinal).ToDictionary(),
        };
    }

    private static async IAsyncEnumerable<ItemRow> RowsAsync(Store store, CorpusManifest corpus, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        var removed = RemovedItems.Of(store, corpus);
        foreach (var part in corpus.ItemParts)
        {
            await foreach (var group in ItemsTable.ReadSummariesAsync(store.FileOf(store.CorpusFolder(corpus.Name), part), stop))
            {
                foreach (var row in group.Where(row => !removed.Contains(row.ItemId))) yield return row;
            }
        }
    }

    // Which sizes are unusual is only known at the end of the first pass.
    private static async Task<Tally> OutliersAsync(Store store, CorpusManifest corpus, (double Least, double Most) bounds, CancellationToken stop)
    {
        var outliers = new Tally(below: false);
        await foreach (var row in RowsAsync(store, corpus, stop))
        {
            if (row.Modality != Modality.Image) continue;
            var side = SizeSpread.SideOf(row);
            var (middle, reach) = ((bounds.Least + bounds.Most) / 2, (bounds.Most - bounds.Least) / 2);
            outliers.Add(row, (float)(Math.Abs(side - middle) / reach), 1);
        }
        return outliers;
    }

    private static async Task<IReadOnlyList<NearDuplicateGroup>> LargestAsync(Store store, CorpusManifest corpus, Dictionary<UInt128, int> groups, CancellationToken stop)
    {
        var largest = groups.OrderByDescending(group => group.Value).ThenBy(group => group.Key).Take(ExampleGroups).ToDictionary(group => ItemIdSet.Text(group.Key), group => group.Value);
        var (firsts, others) = (new Dictionary<string, string>(), largest.Keys.ToDictionary(id => id, _ => new List<string>()));
        if (largest.Count == 0) return [];
        await foreach (var row in RowsAsync(store, corpus, stop))
        {
            if (largest.ContainsKey(row.ItemId)) firsts[row.ItemId] = row.Path;
            if (row.NearDuplicateOf is { } first && others.TryGetValue(first, out var paths) && paths.Count < PathsPerGroup) paths.Add(row.Path);
        }
        return [.. largest.Select(group => new NearDuplicateGroup(group.Key, firsts.GetValueOrDefault(group.Key), group.Value + (firsts.ContainsKey(group.Key) ? 1 : 0), others[group.Key]))];
    }

    private static async Task<IReadOnlyList<QuarantineCount>> QuarantineAsync(Store store, CorpusManifest corpus, CancellationToken stop)
    {
        var codes = new Dictionary<RejectionCode, (long Files, List<QuarantineExample> Examples)>();
        foreach (var part in corpus.QuarantineParts)
        {
            await foreach (var row in QuarantineTable.ReadAsync(store.FileOf(store.CorpusFolder(corpus.Name), part), stop))
            {
                var (files, examples) = codes.GetValueOrDefault(row.Code, (0, []));
                if (examples.Count < ExamplesPerCode) examples.Add(new(row.Path, row.Reason));
                codes[row.Code] = (files + 1, examples);
            }
        }
        return [.. codes.OrderByDescending(code => code.Value.Files).ThenBy(code => code.Key).Select(code => new QuarantineCount(code.Key, code.Value.Files, code.Value.Examples))];
    }

    // Counts an issue and keeps its worst examples.
    private sealed class Tally(bool below)
    {
        private readonly PriorityQueue<IssueExample, (float, string)> _worst = new(Comparer<(float Badness, string ItemId)>.Create((a, b) => a.Badness != b.Badness ? a.Badness.CompareTo(b.Badness) : string.CompareOrdinal(b.ItemId, a.ItemId)));
        private long _measured;

        public long Count { get; private set; }

        public void Add(ItemRow row, float score, float threshold)
        {
            _measured++;
            if (below ? !(score < threshold) : !(score > threshold)) return;
            Count++;
            _worst.Enqueue(new(row.ItemId, row.Path, score), (below ? -score : score, row.ItemId));
            if (_worst.Count > ExamplesPerIssue) _worst.Dequeue();
        }

        public IssueCount ToCount(string issue, Modality modality, float threshold) =>
            new(issue, modality, threshold, below, Count, _measured, [.. _worst.UnorderedItems.OrderByDescending(entry => entry.Priority.Item1).ThenBy(entry => entry.Priority.Item2, StringComparer.Ordinal).Select(entry => entry.Element)]);
    }
}
