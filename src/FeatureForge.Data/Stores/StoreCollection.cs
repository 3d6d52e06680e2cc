// `store gc`: removes what belongs to nothing, and nothing that a run could still go on from.
namespace FeatureForge.Data;

/// <summary>One thing that was removed, or would be.</summary>
/// <param name="Path">Relative to the store.</param>
public sealed record CollectedFile(string Path, int Files, long Bytes);

/// <summary>What a collection did.</summary>
/// <param name="Kept">Why things stay that belong to no manifest: one sentence each.</param>
public sealed record CollectionResult(bool Done, IReadOnlyList<CollectedFile> Removed, long Bytes, IReadOnlyList<string> Kept);

/// <summary>Garbage collection of a store.</summary>
public static class StoreCollection
{
    /// <summary>How long the work of a failed or stopped run is kept for `runs resume`.</summary>
    public static readonly TimeSpan DefaultPatience = TimeSpan.FromDays(7);

    /// <summary>
    /// Removes staging folders whose run succeeded, is unknown or ended longer than <paramref name="patience"/> ago, and what no manifest
    /// lists. No run can begin meanwhile; while one is under way, or can be resumed, what it may have published in part stays.
    /// </summary>
    /// <param name="dryRun">Say what would go; remove nothing.</param>
    public static CollectionResult Run(Store store, RunLedger ledger, TimeSpan patience, bool dryRun, CancellationToken stop) => ledger.WhileNoRunBegins(patience, (unfinished, now) =>
    {
        var kept = new List<string>();
        var doomed = new List<string>();
        foreach (var (folder, leftByOthers) in store.StagingFolders())
            if (RunOf(Path.GetFileName(folder)) is { } run) kept.Add($".staging/{Path.GetFileName(folder)}: run {run.RunId} is {RunWords.Word(run.State)} and goes on from here.");
            else if (!ScratchFolder.IsAbandoned(folder, leftByOthers, now)) kept.Add($".staging/{Path.GetFileName(folder)}: another process is writing here.");
            else doomed.Add(folder);
        // A run's own folder, or one beside it that is called after it.
        RunRow? RunOf(string name) => unfinished.FirstOrDefault(run => name == run.RunId || name.StartsWith(run.RunId + "-", StringComparison.Ordinal));
        var strays = StoreStrays.Find(store);
        if (unfinished.Count == 0) doomed.AddRange(strays);
        else if (strays.Count > 0) kept.Add($"{strays.Count} files and folders that no manifest lists: run {unfinished[0].RunId} is {RunWords.Word(unfinished[0].State)} and may have put them there. Let it end, or resume it, and collect again.");

        var removed = new List<CollectedFile>();
        foreach (var path in doomed)
        {
            stop.ThrowIfCancellationRequested();
            var (files, bytes) = store.Size(path);
            removed.Add(new(Path.GetRelativePath(store.Root, path), files, bytes));
            if (!dryRun) store.Remove(path);
        }
        foreach (var key in store.Mirror?.Bucket.AbandonedUploads(now - patience, dryRun) ?? []) removed.Add(new($"{key} (an upload that never ended)", 1, 0));
        return new CollectionResult(!dryRun, removed, removed.Sum(file => file.Bytes), kept);
    });
}
