// What every format turns its file into, and what every format is written from: one label of one item.
using FeatureForge.Data;

namespace FeatureForge.Labelling;

/// <summary>The formats labels are brought in and written in.</summary>
public static class LabelFormats
{
    public static IReadOnlyList<string> All { get; } = ["parquet", "csv", "jsonl", "label-studio", "coco"];

    /// <summary>The format of a file by its name: .parquet, .csv, .jsonl or .ndjson; .json is looked into (COCO has "images", Label Studio is a list).</summary>
    /// <exception cref="BadRequestException">Nothing of that name or kind.</exception>
    public static string Of(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".parquet" => "parquet",
        ".csv" => "csv",
        ".jsonl" or ".ndjson" => "jsonl",
        ".json" => File.Exists(path) && FirstCharacter(path) == '{' ? "coco" : "label-studio",
        var other => throw new BadRequestException($"{path}: the format cannot be told from '{other}'; say --format {string.Join("|", All)}."),
    };

    private static int FirstCharacter(string path)
    {
        using var reader = new StreamReader(path);
        int read;
        do read = reader.Read(); while (read >= 0 && char.IsWhiteSpace((char)read));
        return read;
    }
}

/// <summary>A label on its way in or out. <paramref name="Item"/> is an id, a path or a URL; <paramref name="Where"/> says where in the file it stands.</summary>
internal sealed record Exchanged(string Item, string Name, string? Author, float? Confidence, DateTimeOffset? At, LabelRegion? Region, string Where)
{
    /// <summary>Sizes in percent become pixels when the item's size is known.</summary>
    internal Func<KnownItem, LabelRegion?>? RegionOf { get; init; }
    internal LabelSource? Source { get; init; }
    internal string? Cluster { get; init; }
    internal string? Clustering { get; init; }
}

/// <summary>What an import did.</summary>
/// <param name="Unmatched">Labels of items that this store does not hold, and at most 20 of them by name.</param>
public sealed record LabelImportResult(string LabelSet, string Format, int Added, int AlreadyThere, int Unmatched, IReadOnlyList<string> UnmatchedNames, string Batch);

/// <summary>What an export wrote.</summary>
public sealed record LabelExportResult(string LabelSet, string Format, string Path, int Labels, int Items, IReadOnlyList<string> LeftOut);
