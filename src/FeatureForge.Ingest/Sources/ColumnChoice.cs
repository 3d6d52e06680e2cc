// Which columns of a table make its items: those that the spec names, else those that look like it.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal enum ColumnKind
{
    Text,
    Media,
    Url,
}

/// <param name="IsBinary">It holds bytes, or `{bytes, path}`; only Parquet says so.</param>
internal readonly record struct TableColumn(string Name, bool IsBinary);

internal sealed record ColumnChoice(ColumnKind Kind, IReadOnlyList<string> Names, string? Id)
{
    private static readonly string[] UsualTextColumns = ["text", "content", "body", "sentence", "document"];

    /// <param name="mayFollow">A table that was itself named as the source may lead to servers without --url-column.</param>
    /// <exception cref="MediaRejectedException">No column will do.</exception>
    public static ColumnChoice Of(IngestSpec spec, IReadOnlyList<TableColumn> columns, bool mayFollow)
    {
        var names = columns.Select(column => column.Name).ToList();
        var (kind, chosen) = spec switch
        {
            { TextColumns.Count: > 0 } => (ColumnKind.Text, spec.TextColumns),
            { MediaColumns.Count: > 0 } => (ColumnKind.Media, spec.MediaColumns),
            { UrlColumns.Count: > 0 } => (ColumnKind.Url, spec.UrlColumns),
            _ => Usual(spec.Modality, columns, mayFollow),
        };
        if (chosen.Count == 0)
            throw new MediaRejectedException(RejectionCode.MissingColumn, $"No column is called {string.Join(", ", UsualTextColumns)}; the table has: {string.Join(", ", names)}. Name one with --text-column, --media-column or --url-column.");
        var wanted = spec.IdColumn == null ? chosen : [.. chosen, spec.IdColumn];
        var missing = wanted.Where(column => !names.Contains(column)).ToList();
        if (missing.Count > 0) throw new MediaRejectedException(RejectionCode.MissingColumn, $"The table has no column '{string.Join("', '", missing)}'; it has: {string.Join(", ", names)}.");
        if (kind == ColumnKind.Text && spec.Modality is { } modality and not Modality.Text)
            throw new MediaRejectedException(RejectionCode.WrongModality, $"The table holds text in '{string.Join("', '", chosen)}'; the run takes {modality.ToString().ToLowerInvariant()} only. Name a column of files with --media-column or --url-column.");
        return new(kind, chosen, spec.IdColumn ?? names.Find(name => name.Equals("id", StringComparison.OrdinalIgnoreCase)));
    }

    private static (ColumnKind, IReadOnlyList<string>) Usual(Modality? modality, IReadOnlyList<TableColumn> columns, bool mayFollow)
    {
        var media = modality == Modality.Text ? [] : columns.Where(column => column.IsBinary).Select(column => column.Name).Take(1).ToList();
        if (media.Count > 0) return (ColumnKind.Media, media);
        var text = UsualTextColumns.Select(usual => columns.FirstOrDefault(column => column.Name.Equals(usual, StringComparison.OrdinalIgnoreCase)).Name).OfType<string>().Take(1).ToList();
        var url = mayFollow ? columns.Select(column => column.Name).Where(IsUrl).Take(1).ToList() : [];
        return url.Count > 0 && (text.Count == 0 || modality is Modality.Image or Modality.Audio) ? (ColumnKind.Url, url) : (ColumnKind.Text, text);
    }

    private static bool IsUrl(string name) => name.EndsWith("url", StringComparison.OrdinalIgnoreCase) || name.EndsWith("uri", StringComparison.OrdinalIgnoreCase);
}
