// What an export wrote, and where exports write: a folder appears whole, by renaming, or not at all.
using FeatureForge.Data;

namespace FeatureForge.Cli;

/// <param name="Path">The file or folder.</param>
/// <param name="LeftOut">Items whose bytes the store does not hold.</param>
/// <param name="Files">Relative to the folder; one for a file.</param>
internal sealed record Exported(string Path, long Rows, long LeftOut, IReadOnlyList<string> Files);

internal static class ExportFolder
{
    /// <summary>Fills a folder beside the wanted one and renames it.</summary>
    /// <exception cref="BadRequestException">The folder is in use.</exception>
    internal static async Task<Exported> WriteAsync(string folder, Func<string, Task<(long Rows, long LeftOut)>> fill)
    {
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
            throw new BadRequestException($"{folder} is not empty; name a new folder, so that nothing is written over.");
        var temporary = $"{folder}.{Environment.ProcessId}.tmp";
        Directory.CreateDirectory(temporary);
        try
        {
            var (rows, leftOut) = await fill(temporary);
            var files = Directory.EnumerateFiles(temporary, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList();
            foreach (var file in files) DurableFile.Flush(file);
            if (Directory.Exists(folder)) Directory.Delete(folder);
            Directory.Move(temporary, folder);
            return new(folder, rows, leftOut, [.. files.Select(file => Path.GetRelativePath(temporary, file).Replace('\\', '/'))]);
        }
        finally { if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true); }
    }
}
