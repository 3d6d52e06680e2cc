// The quarantine rows that a run retries: which findings belong to them, how often they were tried, and what became of those
// that the sources no longer have.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal sealed class RetriedRows(IReadOnlyList<Rejection> rows)
{
    private readonly Dictionary<string, Rejection> _byKey = rows.GroupBy(KeyOf).ToDictionary(group => group.Key, group => group.Last(), StringComparer.Ordinal);
    private readonly HashSet<string> _uris = [.. rows.Select(row => row.SourceUri)];
    // A whole file that was bad may now be an archive or a table: then everything in it belongs to the row.
    private readonly HashSet<string> _wholeFiles = [.. rows.Where(IsWholeFile).Select(row => row.SourceUri)];

    public int Count => rows.Count;

    /// <summary>Whether a file can hold anything that is retried.</summary>
    public bool WantsFile(string sourceUri) => _uris.Contains(sourceUri);

    public bool Wants(Finding finding)
    {
        var uri = finding.Candidate?.SourceUri ?? finding.Rejection!.SourceUri;
        return _wholeFiles.Contains(uri) || _byKey.ContainsKey(StagedPart.KeyOf(finding));
    }

    /// <summary>The row with its earlier attempts counted.</summary>
    public Rejection Counted(Rejection rejection) => _byKey.TryGetValue(KeyOf(rejection), out var before) ? rejection with { Attempts = before.Attempts + 1 } : rejection;

    public bool Has(Rejection row) => _byKey.ContainsKey(KeyOf(row));

    /// <summary>Rows whose file or entry was not met, with the new reason.</summary>
    public IEnumerable<Rejection> Gone(IEnumerable<UInt128> met, DateTimeOffset at)
    {
        var found = met.ToHashSet();
        return _byKey.Where(row => !found.Contains(StagedPart.ShortKey(row.Key)) && !(IsWholeFile(row.Value) && FileUri.PathOf(row.Value.SourceUri) is { } path && File.Exists(path)))
            .Select(row => row.Value with
            {
                Code = RejectionCode.NotFound,
                Stage = "source",
                Reason = "The corpus's sources no longer hold it. Put it back and retry, or ingest it from where it is now.",
                Attempts = row.Value.Attempts + 1,
                At = at,
            });
    }

    private static string KeyOf(Rejection row) => $"{row.SourceUri}\n{row.Path}";

    private static bool IsWholeFile(Rejection row) => FileUri.PathOf(row.SourceUri) is { } path && Path.GetFileName(path) == row.Path[(row.Path.LastIndexOf('/') + 1)..];
}
