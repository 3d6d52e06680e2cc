// Moves what a run has staged into its place: flush files, check the fence, rename, check again, manifest last.
// A kill before the manifest leaves the old state in force; the same run, started again, publishes the same files.
using System.Text.Json;

namespace FeatureForge.Data;

/// <summary>One publishing of one run: parts first, manifest last.</summary>
public sealed class Publication(RunContext context)
{
    private readonly List<(string From, string To)> _moves = [];

    /// <summary>Registers a staged file to be moved to <paramref name="folder"/>/<paramref name="relativePath"/>.</summary>
    /// <returns>The manifest's entry for it.</returns>
    public PartFile Add(string stagedPath, string folder, string relativePath, long rows)
    {
        var target = Path.Combine(folder, relativePath);
        // After a kill between rename and manifest the staged file has already arrived.
        var present = File.Exists(stagedPath) ? stagedPath : target;
        var part = DurableFile.Describe(present, relativePath, rows);
        if (present == stagedPath) _moves.Add((stagedPath, target));
        return part;
    }

    /// <summary>Moves everything and writes the manifest; then the staging folder goes.</summary>
    /// <exception cref="FencedException">Another worker holds the run; nothing after the check was published.</exception>
    public void Commit<TManifest>(string manifestPath, TManifest manifest)
    {
        foreach (var (from, _) in _moves) DurableFile.Flush(from);
        context.CheckFence();
        foreach (var (from, to) in _moves)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            DurableFile.MoveInto(from, to);
        }
        context.CheckFence();
        DurableFile.WriteAllText(manifestPath, JsonSerializer.Serialize(manifest, SpecJson.Readable));
        _moves.Clear();
    }

    /// <summary>Removes the run's staging folder; the run has nothing left to do.</summary>
    public void Finish()
    {
        if (Directory.Exists(context.StagingFolder)) Directory.Delete(context.StagingFolder, recursive: true);
    }
}
