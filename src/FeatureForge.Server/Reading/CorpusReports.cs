// Reports on corpora for pages and the API: one pass over a corpus, kept until it has another version.
using FeatureForge.Data;
using FeatureForge.Ingest;

namespace FeatureForge.Server;

/// <summary>What corpora hold and what is wrong with it. Thread-safe.</summary>
public sealed class CorpusReports(Store store)
{
    private readonly BoundedCache<(string Corpus, string RunId, int Version), CorpusReport> _reports = new(32, _ => 1);

    /// <summary>The report by the usual thresholds.</summary>
    public Task<CorpusReport> ReadAsync(CorpusManifest corpus, CancellationToken stop) =>
        _reports.GetAsync((corpus.Name, corpus.RunId, corpus.Version), () => CorpusReport.ReadAsync(store, corpus, new(), CancellationToken.None), stop);
}
