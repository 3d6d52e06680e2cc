// Which rows of the quarantine an ingest run takes up again: after a fix at the source, or with a changed limit.
using System.IO.Enumeration;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>A row is retried when its code and its path match. Empty lists match everything.</summary>
public sealed record RetrySelection
{
    public IReadOnlyList<RejectionCode> Codes { get; init; } = [];
    /// <summary>Globs over the whole path: `*` stands for any characters, `?` for one.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>The code of that name; null when there is none.</summary>
    public static RejectionCode? CodeOf(string name) => Enum.GetValues<RejectionCode>().Where(code => QuarantineTable.CodeName(code) == name).Select(code => (RejectionCode?)code).FirstOrDefault();

    public bool Matches(Rejection row) =>
        (Codes.Count == 0 || Codes.Contains(row.Code)) && (Paths.Count == 0 || Paths.Any(glob => FileSystemName.MatchesSimpleExpression(glob, row.Path, ignoreCase: false)));

    /// <summary>The request that retries rows of a corpus: the corpus's sources, read as its last ingest read them.</summary>
    public IngestSpec Of(CorpusManifest corpus)
    {
        var sources = corpus.Sources.Select(source => FileUri.PathOf(source) ?? source).ToList();
        var last = corpus.Request?.Deserialize<IngestSpec>(SpecJson.Readable) ?? new IngestSpec { Sources = sources, Corpus = corpus.Name };
        return last with { Sources = sources, Corpus = corpus.Name, MaxQuarantine = 1, Retry = this };
    }
}
