// The small acts of labelling: give, take back, list. Each is one append to the log; the command line and the dashboard both come here.
using FeatureForge.Data;

namespace FeatureForge.Labelling;

/// <summary>A label to give. Items by id, or clusters of the named clustering.</summary>
public sealed record LabelRequest
{
    public required string LabelSet { get; init; }
    public required string Name { get; init; }
    public IReadOnlyList<string> ItemIds { get; init; } = [];
    public IReadOnlyList<string> ClusterIds { get; init; } = [];
    /// <summary>All items of this selection as well; null = none.</summary>
    public string? Selection { get; init; }
    /// <summary>The clustering that the clusters are nodes of.</summary>
    public string? Clustering { get; init; }
    public required string Author { get; init; }
    public float Confidence { get; init; } = 1;
    /// <summary>The part of the item that is meant; null = all of it.</summary>
    public LabelRegion? Region { get; init; }
}

/// <summary>How much a label set holds.</summary>
/// <param name="Rows">Rows of the log, those that undo included.</param>
/// <param name="BySource">Labels in force by source.</param>
/// <param name="ByName">Items decided by class.</param>
/// <param name="Disputed">Items about which people disagree.</param>
public sealed record LabelSummary(string LabelSet, long Rows, IReadOnlyDictionary<string, int> BySource, IReadOnlyDictionary<string, int> ByName, int Disputed, string Hash);

/// <summary>Gives labels and takes them back.</summary>
/// <param name="ledger">Where the queue's leases lie, when the caller has it open; null opens it for the moment.</param>
public sealed class LabelDesk(Store store, TimeProvider time, RunLedger? ledger = null)
{
    /// <summary>Appends one act of labelling; all of it or nothing.</summary>
    /// <returns>The rows added; they share a batch.</returns>
    /// <exception cref="BadRequestException">Every problem of the request at once.</exception>
    public async Task<IReadOnlyList<LabelRow>> SetAsync(LabelRequest request, CancellationToken stop)
    {
        var problems = new List<string>();
        void Check(string? problem) { if (problem is not null) problems.Add(problem); }
        Check(Names.Problem("label set", request.LabelSet));
        Check(LabelLog.NameProblem(request.Name));
        if (request.ItemIds.Count + request.ClusterIds.Count == 0 && request.Selection is null) Check("Nothing to label: name an item, a cluster or a selection.");
        if (request.Selection is not null) Check(Names.Problem("selection", request.Selection));
        if (string.IsNullOrWhiteSpace(request.Author)) Check("A label needs an author.");
        if (request.Confidence is not (>= 0 and <= 1)) Check(FormattableString.Invariant($"Confidence is {request.Confidence}; expected 0 to 1."));
        if (request.ClusterIds.Count > 0 && request.Clustering is null) Check("Clusters are nodes of a clustering: name it.");
        if (request.Region is not null && request.ItemIds.Count != 1) Check("A region belongs to one item; name one.");
        BadRequestException.ThrowIfAny(problems);
        if (request.Selection is not null) request = request with { ItemIds = [.. request.ItemIds, .. SelectionDesk.ReadIds(store, store.Selection(request.Selection)).Ids] };
        await CheckTargetsAsync(request, stop);

        var batch = LabelLog.NewId();
        var at = time.GetUtcNow();
        LabelRow Row(LabelTarget target, string id) => new()
        {
            LabelId = LabelLog.NewId(),
            Target = target,
            TargetId = id,
            Clustering = request.Clustering,
            Name = request.Name,
            Source = LabelSource.Person,
            Author = request.Author,
            Confidence = request.Confidence,
            At = at,
            Batch = batch,
            Region = request.Region?.ToJson(),
        };
        IReadOnlyList<LabelRow> rows = [.. request.ItemIds.Distinct().Select(id => Row(LabelTarget.Item, id)), .. request.ClusterIds.Distinct().Select(id => Row(LabelTarget.Cluster, id))];
        await LabelLog.Of(store, request.LabelSet).AppendAsync(rows, stop);
        GiveBack(request.LabelSet, [.. request.ItemIds, .. request.ClusterIds]);
        return rows;
    }

    /// <summary>Item ids from ids and paths (as the corpus has them, or with or without one leading folder).</summary>
    /// <exception cref="BadRequestException">A path that no item has, or that several have; all of them are named.</exception>
    public static async Task<IReadOnlyList<string>> ItemsAsync(Store store, IReadOnlyList<string> names, string? corpus, CancellationToken stop)
    {
        if (names.Count == 0) return [];
        if (corpus is null && names.All(name => name.Length == 32 && name.All(char.IsAsciiHexDigitLower))) return names;
        var places = new ItemPlaces((await KnownItems.ReadAsync(store, corpus, null, stop)).Values);
        BadRequestException.ThrowIfAny([.. names.Where(name => places.Find(name) is null).Select(name => $"No item, or more than one, is called '{name}'; give its id or its path in the corpus.")]);
        return [.. names.Select(name => places.Find(name)!)];
    }

    /// <summary>Takes back single labels.</summary>
    public Task<IReadOnlyList<LabelRow>> UndoAsync(string labelSet, IReadOnlyCollection<string> labelIds, string author, CancellationToken stop) =>
        LabelLog.Existing(store, labelSet).UndoAsync(labelIds, author, time.GetUtcNow(), stop);

    /// <summary>Takes back everything one act gave.</summary>
    public Task<IReadOnlyList<LabelRow>> UndoBatchAsync(string labelSet, string batch, string author, CancellationToken stop) =>
        LabelLog.Existing(store, labelSet).UndoBatchAsync(batch, author, time.GetUtcNow(), stop);

    /// <summary>The author's last act that is still in force, or null; without an author, anyone's.</summary>
    public async Task<string?> LastBatchAsync(string labelSet, string? author, CancellationToken stop)
    {
        var log = LabelLog.Existing(store, labelSet);
        string? Last(LabelState state) => state.Active.Where(row => author is null || row.Author == author).MaxBy(row => row.At)?.Batch;
        // People give labels; what programs work out has authors of its own, and may be a million rows.
        return (author is null ? null : Last(await log.ReadGivenAsync(stop))) ?? Last(await log.ReadAsync(stop));
    }

    public async Task<LabelSummary> SummaryAsync(string labelSet, CancellationToken stop)
    {
        var log = LabelLog.Existing(store, labelSet);
        var state = await log.ReadAsync(stop);
        var decisions = LabelDecisions.OfItems(state);
        return new(labelSet, state.All.Count,
            new SortedDictionary<string, int>(state.Active.CountBy(row => row.Source.ToString().ToLowerInvariant()).ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal),
            new SortedDictionary<string, int>(decisions.Values.CountBy(decision => decision.Name).ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal),
            decisions.Values.Count(decision => decision.Disputed), log.HashOf(state).Hash);
    }

    private void GiveBack(string labelSet, IReadOnlyCollection<string> targets)
    {
        using var leases = ledger?.Queue(labelSet);
        if (leases is null) QueueLeases.Release(store, labelSet, time, targets);
        else leases.Release(targets);
    }

    private async Task CheckTargetsAsync(LabelRequest request, CancellationToken stop)
    {
        var problems = new List<string>();
        if (request.ClusterIds.Count > 0)
        {
            var tree = await LabelTree.ReadAsync(store, request.Clustering!, stop);
            problems.AddRange(request.ClusterIds.Where(id => !tree.Holds(id)).Select(id => $"Clustering '{request.Clustering}' has no cluster {id}."));
        }
        if (request.ItemIds.Count > 0)
        {
            var known = await KnownItems.FindAsync(store, request.ItemIds.ToHashSet(StringComparer.Ordinal), stop);
            problems.AddRange(request.ItemIds.Where(id => !known.Contains(id)).Select(id => $"No corpus of this store holds an item {id}."));
        }
        BadRequestException.ThrowIfAny(problems);
    }
}
