// Takes items out of a corpus by tombstones, or brings them back: a new removals table, then the manifest, one version later.
// Rows, prepared forms and vectors stay where they are; every reader leaves removed items out (RemovedItems).
using System.IO.Enumeration;
using FeatureForge.Data;

namespace FeatureForge.Clustering;

/// <summary>Which items to remove from a corpus, or to bring back: those that any selector names.</summary>
public sealed record RemoveSpec
{
    public required string Corpus { get; init; }
    /// <summary>Items, by item_id.</summary>
    public IReadOnlyList<string> Items { get; init; } = [];
    /// <summary>Globs over the whole path: `*` stands for any characters, `?` for one.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];
    /// <summary>A condition as <see cref="ItemFilter"/> reads it; null: none.</summary>
    public string? Where { get; init; }
    /// <summary>Bring back instead of remove.</summary>
    public bool Restore { get; init; }

    /// <summary>Every problem of the request that can be seen without the store.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (Names.Problem("corpus", Corpus) is { } name) problems.Add(name);
        if (Items.Count + Paths.Count == 0 && Where is null) problems.Add("Nothing says which items; name ids, path globs or a condition.");
        problems.AddRange(Items.Where(id => id.Length != 32 || !id.All(char.IsAsciiHexDigitLower)).Select(id => $"'{id}' is no item id; expected 32 hexadecimal digits."));
        try { if (Where is not null) ItemFilter.Parse(Where); }
        catch (BadRequestException error) { problems.AddRange(error.Problems); }
        return problems;
    }
}

/// <summary>What a removal changed.</summary>
/// <param name="Removed">Items that are out now and were in before.</param>
/// <param name="Restored">Items that are in again.</param>
/// <param name="Unknown">Ids that were named and that the corpus never had.</param>
public sealed record RemoveResult(string Corpus, int CorpusVersion, long Removed, long Restored, IReadOnlyList<string> Unknown, IReadOnlyDictionary<Modality, long> Items);

/// <summary>Runs a <see cref="RemoveSpec"/>.</summary>
public static class RemoveRun
{
    /// <summary>Publishes a new removals table when anything changes.</summary>
    /// <exception cref="BadRequestException">The spec is wrong or the corpus does not exist.</exception>
    public static async Task<RemoveResult> ExecuteAsync(RemoveSpec spec, RunContext context, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        var corpus = context.Store.Corpus(spec.Corpus);
        var folder = context.Store.CorpusFolder(spec.Corpus);
        if (corpus.RunId == context.RunId) return Finish(corpus, corpus.History[^1].Removed, corpus.History[^1].Restored, []);

        var removals = new Dictionary<string, Removal>(StringComparer.Ordinal);
        foreach (var part in corpus.RemovalParts)
            await foreach (var row in RemovalsTable.ReadAsync(context.Store.FileOf(folder, part), stop)) removals[row.ItemId] = row;
        var (filter, unknown) = (spec.Where is null ? null : ItemFilter.Parse(spec.Where).In(context.Store), spec.Items.ToHashSet(StringComparer.Ordinal));
        var (changed, counts) = (0L, corpus.Items.ToDictionary());
        var at = context.Time.GetUtcNow();
        foreach (var part in corpus.ItemParts)
            await foreach (var row in ItemsTable.ReadAsync(context.Store.FileOf(folder, part), withContent: false, stop))
            {
                unknown.Remove(row.ItemId);
                if (Reason(spec, filter, row) is not { } reason) continue;
                var isChange = spec.Restore ? removals.Remove(row.ItemId) : removals.TryAdd(row.ItemId, new(row.ItemId, row.Path, reason, context.RunId, at));
                if (!isChange) continue;
                changed++;
                counts[row.Modality] = counts.GetValueOrDefault(row.Modality) + (spec.Restore ? 1 : -1);
            }
        var (removed, restored) = spec.Restore ? (0L, changed) : (changed, 0L);
        if (changed == 0) return Finish(corpus, 0, 0, [.. unknown]);

        var staged = Path.Combine(context.StagingFolder, "removals.parquet");
        await RemovalsTable.WriteAsync(staged, [.. removals.Values.OrderBy(row => row.ItemId, StringComparer.Ordinal)], stop);
        var publication = new Publication(context);
        var manifest = corpus with
        {
            Version = corpus.Version + 1,
            RunId = context.RunId,
            UpdatedAt = at,
            Items = counts.Where(entry => entry.Value > 0).ToDictionary(),
            // The table is written whole: what was brought back has left it.
            RemovalParts = [publication.Add(staged, folder, $"removals/part-{corpus.Version + 1:D5}.parquet", removals.Count)],
            History = [.. corpus.History, new(corpus.Version + 1, context.RunId, at, 0, removed, restored, 0)],
        };
        context.Store.RequireSameCorpus(spec.Corpus, corpus);
        publication.Commit(Path.Combine(folder, "corpus.json"), manifest);
        return Finish(manifest, removed, restored, [.. unknown]);

        RemoveResult Finish(CorpusManifest now, long removedNow, long restoredNow, IReadOnlyList<string> unknownIds)
        {
            context.Store.RemoveUnlisted(folder, "removals", now.RemovalParts);
            new Publication(context).Finish();
            return new(now.Name, now.Version, removedNow, restoredNow, unknownIds, now.Items);
        }
    }

    private static string? Reason(RemoveSpec spec, ItemFilter? filter, ItemRow row)
    {
        if (spec.Items.Contains(row.ItemId)) return "item id";
        if (spec.Paths.FirstOrDefault(glob => FileSystemName.MatchesSimpleExpression(glob, row.Path, ignoreCase: false)) is { } path) return $"path {path}";
        return filter?.Holds(row) == true ? $"where {spec.Where}" : null;
    }
}
