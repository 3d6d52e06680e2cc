// Names of archive entries: what is harmless, and what climbs out of the archive.
namespace FeatureForge.Ingest;

internal static class EntryName
{
    /// <summary>The name with `/` separators and without a leading "./", or why it is unsafe.</summary>
    public static (string Name, string? Problem) Check(string name)
    {
        var tidy = name.Replace('\\', '/');
        while (tidy.StartsWith("./", StringComparison.Ordinal)) tidy = tidy[2..];
        if (tidy.Length == 0) return (name, "The entry has no name.");
        if (tidy[0] == '/' || (tidy.Length > 1 && tidy[1] == ':' && char.IsAsciiLetter(tidy[0])))
            return (tidy, $"The entry name '{name}' is an absolute path; expected a path inside the archive.");
        if (tidy.Split('/').Contains("..")) return (tidy, $"The entry name '{name}' climbs out of the archive with '..'.");
        if (tidy.Any(char.IsControl)) return (new(tidy.Select(c => char.IsControl(c) ? '\uFFFD' : c).ToArray()), "The entry name holds control characters.");
        return (tidy, null);
    }
}
