// Columns that line up, for lists on a terminal.
namespace FeatureForge.Cli;

internal static class TextTable
{
    /// <summary>Header and rows, each column as wide as its widest cell, the last one unpadded.</summary>
    internal static string Format(IReadOnlyList<string> header, IEnumerable<IReadOnlyList<string>> rows)
    {
        var all = rows.Prepend(header).ToList();
        var widths = header.Select((_, column) => all.Max(row => row[column].Length)).ToList();
        return string.Join('\n', all.Select(row => string.Join("  ", row.Select((cell, column) => column == row.Count - 1 ? cell : cell.PadRight(widths[column]))).TrimEnd()));
    }
}
