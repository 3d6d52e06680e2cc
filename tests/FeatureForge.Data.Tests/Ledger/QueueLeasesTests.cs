// Leases of the labelling queue on both ledgers: nobody gets what another holds, whoever asks from wherever.
using FeatureForge.TestKit;

namespace FeatureForge.Data.Tests.Ledger;

public sealed class QueueLeasesTests
{
    private static readonly TimeSpan _lease = TimeSpan.FromMinutes(30);

    [Theory]
    [EveryLedger]
    public async Task Many_who_ask_at_once_share_the_targets(string ledger)
    {
        using var place = TemporaryStore.On(ledger);
        var time = new FixedTimeProvider();
        string[] targets = [.. Enumerable.Range(0, 60).Select(i => $"t{i:D2}")];

        var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(person => Task.Run(() =>
        {
            // Each with a ledger of its own, as servers have.
            using var leases = QueueLeases.Open(place.Store, "labels", time);
            return leases.Take(targets, $"person {person}", 10, _lease);
        })));

        var all = taken.SelectMany(some => some).ToList();
        Assert.Equal((60, 60), (all.Count, all.Distinct().Count()));
        using var other = QueueLeases.Open(place.Store, "others", time);
        Assert.Empty(other.Held());
        Assert.Equal(["t00"], other.Take(targets, "anna", 1, _lease));
    }

    [Theory]
    [EveryLedger]
    public void Leases_run_out_answers_stay_and_labelled_targets_are_given_back(string ledger)
    {
        using var place = TemporaryStore.On(ledger);
        var time = new FixedTimeProvider();
        using var leases = QueueLeases.Open(place.Store, "labels", time);
        leases.Take(["a", "b", "c"], "anna", 3, _lease);
        leases.Answer("a", "anna", QueueAnswer.Skip);
        leases.Answer("b", "anna", QueueAnswer.Defer, time.GetUtcNow().AddHours(1));
        leases.Answer("b", "anna", QueueAnswer.Defer, time.GetUtcNow().AddHours(2));

        Assert.Equal(["c"], leases.Held().Keys);
        Assert.Equal([("a", QueueAnswer.Skip), ("b", QueueAnswer.Defer)], leases.Answers().Select(row => (row.TargetId, row.Answer)));
        Assert.Empty(leases.Take(["c"], "ben", 1, _lease));
        time.Advance(_lease);
        Assert.Equal(["c"], leases.Take(["c"], "ben", 1, _lease));
        QueueLeases.Release(place.Store, "labels", time, ["c"]);
        Assert.Empty(leases.Held());
        time.Advance(TimeSpan.FromHours(2));
        Assert.Equal(["a"], leases.Answers().Select(row => row.TargetId));
    }

    [Theory]
    [EveryLedger]
    public void Leases_of_an_open_ledger_are_the_same_and_leave_it_open(string ledger)
    {
        using var place = TemporaryStore.On(ledger);
        var time = new FixedTimeProvider();
        using var own = QueueLeases.Open(place.Store, "labels", time);
        own.Take(["a", "b"], "anna", 2, _lease);
        using var open = RunLedger.Open(place.Store, time);

        using (var leases = open.Queue("labels")) leases.Release(["a"]);

        Assert.Equal(["b"], own.Held().Keys);
        using (var leases = open.Queue("labels")) Assert.Equal(["b"], leases.Held().Keys);
        Assert.Throws<BadRequestException>(() => open.Queue("../labels"));
    }
}
