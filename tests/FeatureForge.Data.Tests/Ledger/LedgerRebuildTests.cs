// A ledger that was lost is read back from the store's run folders.
using FeatureForge.TestKit;

namespace FeatureForge.Data.Tests;

public sealed class LedgerRebuildTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(30);

    [Theory, EveryLedger]
    public void A_lost_ledger_comes_back_with_its_history_and_its_unfinished_runs(string ledger)
    {
        using var place = TemporaryStore.On("sqlite");
        string done, unfinished;
        using (var before = RunLedger.Open(place.Store, TimeProvider.System))
        {
            done = before.Create(Request("""{"name":"done"}""")).RunId;
            unfinished = before.Create(Request("""{"name":"unfinished"}""")).RunId;
            before.Succeed(before.TryAcquire(done, ProcessIdentity.Current, Lease)!, """{"items":3}""");
            before.TryAcquire(unfinished, ProcessIdentity.Current, Lease);
        }
        foreach (var file in Directory.EnumerateFiles(place.Store.Root, "catalog.db*")) File.Delete(file);

        var found = Store.Open(place.Store.Root, ledger == "postgres" ? PostgresServer.Shared.NewSchema() : null);
        using var after = RunLedger.Open(found, TimeProvider.System);

        Assert.Equal("""{"items":3}""", after.FindSucceeded(Request("""{"name":"done"}""").SpecHash)!.Result);
        Assert.Equal(unfinished, Assert.Single(after.Claimable()).RunId);
        Assert.Equal(2, after.TryAcquire(unfinished, ProcessIdentity.Current, Lease)!.Token);
    }

    [Fact]
    public void A_file_that_is_no_record_of_a_run_is_passed_over()
    {
        using var place = TemporaryStore.On("sqlite");
        var folder = Directory.CreateDirectory(place.Store.PathOf("runs", "strange")).FullName;
        File.WriteAllText(Path.Combine(folder, "run.json"), """{"run_id": "strange", "kind": """);

        using var ledger = RunLedger.Open(place.Store, TimeProvider.System);

        Assert.Empty(ledger.List(new()).Runs);
    }

    private static RunRequest Request(string spec) => new() { Kind = RunKind.Selftest, Spec = spec };
}
