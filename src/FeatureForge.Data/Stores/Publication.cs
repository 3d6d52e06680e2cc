// Moves what a run has staged into its place: flush files, check the fence, rename, check again, manifest last.
// A kill before the manifest leaves the old state in force; the same run, started again, publishes the same files.
using System.Text.Json;

namespace FeatureForge.Data;

/// <summary>One publishing of one run: parts first, manifest last.</summary>
public sealed class Publication(RunContext context)
{
    private readonly List<Move> _moves = [];

    /// <summary>Registers a staged file to be moved to <paramref name="folder"/>/<paramref name="relativePath"/>.</summary>
    /// <returns>The manifest's entry for it.</returns>
    public PartFile Add(string stagedPath, string folder, string relativePath, long rows)
    {
        var target = Path.Combine(folder, relativePath);
        // After a kill between rename and manifest the staged file has already arrived. One that a shard run made on another machine
        // lies on the server alone.
        var part = File.Exists(stagedPath) ? DurableFile.Describe(stagedPath, relativePath, rows)
            : context.Store.Mirror?.FindStaged(stagedPath, relativePath, rows) is { } there ? there
            : DurableFile.Describe(target, relativePath, rows);
        _moves.Add(new(stagedPath, target, part));
        return part;
    }

    /// <summary>Moves everything and writes the manifest; then the staging folder goes.</summary>
    /// <exception cref="FencedException">Another worker holds the run; nothing after the check was published.</exception>
    public void Commit<TManifest>(string manifestPath, TManifest manifest)
    {
        foreach (var move in _moves.Where(move => File.Exists(move.From))) DurableFile.Flush(move.From);
        context.CheckFence();
        context.Store.Put(_moves, context.CheckFence);
        context.CheckFence();
        context.Store.WriteManifest(manifestPath, JsonSerializer.Serialize(manifest, SpecJson.Readable));
        _moves.Clear();
    }

    /// <summary>Removes the run's staging folder; the run has nothing left to do.</summary>
    public void Finish() => context.Store.Remove(context.StagingFolder);
}
