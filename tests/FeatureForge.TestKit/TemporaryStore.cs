// A store of one test's own, with the context a stage needs to run in it.
using FeatureForge.Data;

namespace FeatureForge.TestKit;

/// <summary>A new store in a temporary folder; gone after disposal.</summary>
public sealed class TemporaryStore : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private int _runs;

    public TemporaryStore(string? ledger = null) => Store = Store.Open(System.IO.Path.Combine(_folder.Path, "store"), ledger);

    /// <summary>A new store whose ledger is "sqlite" or "postgres"; see <see cref="EveryLedgerAttribute"/>.</summary>
    public static TemporaryStore On(string ledger) => new(ledger == "postgres" ? PostgresServer.Shared.NewSchema() : null);

    public Store Store { get; }

    /// <summary>A folder beside the store, for source files and the like.</summary>
    public string Beside(string name) => Directory.CreateDirectory(System.IO.Path.Combine(_folder.Path, name)).FullName;

    /// <summary>
    /// The context of one attempt at a run. A run id given twice is the same run resumed; without one, each call is a new run.
    /// </summary>
    public RunContext Context(string? runId = null, IRunReporter? reporter = null, Action? checkFence = null, TimeProvider? time = null) =>
        new(Store, runId ?? $"run-{++_runs}", checkFence ?? (() => { }), reporter ?? new RecordingReporter(), time ?? new FixedTimeProvider());

    public void Dispose() => _folder.Dispose();
}
