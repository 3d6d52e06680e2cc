// A staging folder of work that is no run (a label appended, an index built): the note in it says which process writes there, so that
// what a killed one left behind can be told from what a living one is about to publish.
using System.Text.Json;

namespace FeatureForge.Data;

/// <summary>Staging folders that belong to a process rather than to a run.</summary>
public static class ScratchFolder
{
    /// <summary>The note's file name: it is not part of what the folder is for.</summary>
    public const string Note = "owner.json";

    // A folder without a note is another program version's; nobody works that long on one.
    private static readonly TimeSpan _patience = TimeSpan.FromDays(1);

    /// <summary>Makes `.staging/NAME`. Whoever makes it removes it.</summary>
    public static string Begin(Store store, string name)
    {
        var folder = store.StagingFolder(name);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, Note), JsonSerializer.Serialize(ProcessIdentity.Current, SpecJson.Line));
        return folder;
    }

    internal static bool IsAbandoned(string folder, DateTimeOffset? leftByOthers, DateTimeOffset now)
    {
        // Another machine's: its note is there.
        if (!Directory.Exists(folder) && leftByOthers is { } written)
            return RunLedger.IsRunId(Path.GetFileName(folder)) || now - written > _patience;
        try { return JsonSerializer.Deserialize<ProcessIdentity>(File.ReadAllText(Path.Combine(folder, Note)), SpecJson.Line) is { } owner && owner.IsKnownDead; }
        catch (JsonException) { return true; }
        catch (FileNotFoundException) { return RunLedger.IsRunId(Path.GetFileName(folder)) || now - Directory.GetLastWriteTimeUtc(folder) > _patience; }
        catch (DirectoryNotFoundException) { return false; }
    }
}
