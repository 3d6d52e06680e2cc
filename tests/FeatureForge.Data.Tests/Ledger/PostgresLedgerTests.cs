// What only a database server can do to a ledger: restart, belong to somebody else, be wrongly addressed.
using FeatureForge.TestKit;

namespace FeatureForge.Data.Tests;

public sealed class PostgresLedgerTests
{
    [NeedsToolFact("pg")]
    public async Task A_server_that_crashes_and_comes_back_is_waited_for()
    {
        using var server = new PostgresServer();
        using var place = new TemporaryStore(server.NewSchema());
        using var ledger = RunLedger.Open(place.Store, TimeProvider.System);
        var run = ledger.Create(Request());
        var lease = ledger.TryAcquire(run.RunId, ProcessIdentity.Current, TimeSpan.FromMinutes(1))!;
        Task<bool>? beat = null;

        server.Crash(whileDown: () => beat = Task.Run(() => ledger.Heartbeat(lease, TimeSpan.FromMinutes(1), new("work", 3, 10, "items", 1, null))));

        Assert.False(await beat!);
        Assert.Equal(3, ledger.Get(run.RunId).Progress!.Done);
    }

    [NeedsToolFact("pg")]
    public void A_ledger_of_another_store_is_refused_and_both_are_named()
    {
        var address = PostgresServer.Shared.NewSchema();
        using var first = new TemporaryStore(address);
        RunLedger.Open(first.Store, TimeProvider.System).Dispose();
        using var second = new TemporaryStore(address);

        var error = Assert.Throws<BadRequestException>(() => RunLedger.Open(second.Store, TimeProvider.System));

        Assert.Contains(first.Store.Id, error.Message);
        Assert.Contains(second.Store.Id, error.Message);
    }

    [NeedsToolFact("pg")]
    public async Task Of_many_that_open_a_new_ledger_at_once_all_find_it_ready()
    {
        using var place = new TemporaryStore(PostgresServer.Shared.NewSchema());
        using var start = new Barrier(6);

        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Factory.StartNew(() =>
        {
            start.SignalAndWait();
            using var own = RunLedger.Open(place.Store, TimeProvider.System);
            own.Create(Request());
        }, TaskCreationOptions.LongRunning)));

        using var ledger = RunLedger.Open(place.Store, TimeProvider.System);
        Assert.Equal(6, ledger.List(new()).Total);
    }

    [Fact]
    public void An_address_that_nobody_answers_is_a_bad_request_without_the_password()
    {
        using var place = new TemporaryStore("Host=127.0.0.1;Port=1;Database=nowhere;Username=me;Password=secret");

        var error = Assert.Throws<BadRequestException>(() => RunLedger.Open(place.Store, TimeProvider.System));

        Assert.Contains("nowhere", error.Message);
        Assert.DoesNotContain("secret", error.Message);
    }

    [Fact]
    public void Both_usual_spellings_of_an_address_mean_the_same()
    {
        var words = PostgresAddress.Parse("Host=db;Port=5433;Database=forge;Username=me;Password=p%25/ss");
        var uri = PostgresAddress.Parse("postgresql://me:p%2525%2Fss@db:5433/forge");

        Assert.True(words.EquivalentTo(uri), uri.ConnectionString);
    }

    private static RunRequest Request() => new() { Kind = RunKind.Selftest, Spec = "{}" };
}
