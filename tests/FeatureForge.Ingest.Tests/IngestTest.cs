// What most tests here have: a folder of files and a store to ingest them into, gone afterwards.
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

public abstract class IngestTest : IDisposable
{
    private protected readonly TemporaryStore _store = new();
    private protected readonly TemporaryFolder _source = new();

    public void Dispose()
    {
        _store.Dispose();
        _source.Dispose();
        GC.SuppressFinalize(this);
    }
}
