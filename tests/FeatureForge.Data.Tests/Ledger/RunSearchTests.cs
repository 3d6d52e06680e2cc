// Searching runs by text: an index finds what looking at every run would find.
using System.Text.Json;
using FeatureForge.TestKit;
using Microsoft.Data.Sqlite;

namespace FeatureForge.Data.Tests;

public sealed class RunSearchTests
{
    private static readonly string[] Corpora =
    [
        "calls", "Calls", "calls-2026", "100% sure", "under_score", "underXscore", "a\"b", "it's", "back\\slash", "日本語の音声", "🐝🐝🐝 honey", "aaaaaaa", "aaabaaa", "AND", "OR NOT", "col:on", "x*", "(y)", "ein-sehr-langer-name-von-einem-korpus-der-nicht-enden-will-0001",
    ];

    private static readonly string[] Texts =
    [
        "calls", "Calls", "CALLS", "call", "c", "ca", "100%", "%", "%%%", "r_s", "r_sc", "rXs", "_", "a\\\"b", "\"", "\"\"\"", "it's", "'", "back\\\\slash", "本語の", "日本", "🐝🐝", "🐝🐝🐝", "🐝 h", "aaa", "aaaa", "aaabaaa", "baaa", "AND", "OR NOT", "col:", "x*", "(y)", "nothing of it",
        "ein-sehr-langer-name-von-einem-korpus-der-nicht-enden-will-0001", "ein-sehr-langer-name-von-einem-korpus-der-nicht-enden-will-0002", "\"corpus\":\"calls", "train", "\n", "x\ny", "\0",
    ];

    [Theory, EveryLedger]
    public void What_is_found_is_what_contains_the_text(string ledger)
    {
        using var place = TemporaryStore.On(ledger);
        using var runs = RunLedger.Open(place.Store, new FixedTimeProvider());
        var all = Corpora.Select((corpus, i) => runs.Create(new() { Kind = i % 2 == 0 ? RunKind.Train : RunKind.Extract, Spec = JsonSerializer.Serialize(new { corpus }, SpecJson.Line) })).ToList();

        foreach (var text in Texts.Concat(all.Take(3).Select(run => run.RunId)).Concat(all.Take(3).Select(run => run.RunId[3..^2])))
        {
            var expected = all.Where(run => run.RunId.Contains(text, StringComparison.Ordinal) || run.Spec.Contains(text, StringComparison.Ordinal)).Select(run => run.RunId).Order().ToList();

            var found = runs.List(new() { Text = text });
            var ofKind = runs.List(new() { Text = text, Kind = RunKind.Train });

            Assert.True(expected.SequenceEqual(found.Runs.Select(run => run.RunId).Order()) && found.Total == expected.Count, $"'{text}': expected {expected.Count}, found {found.Total}");
            Assert.Equal(all.Where(run => run.Kind == RunKind.Train && expected.Contains(run.RunId)).Select(run => run.RunId).Order(), ofKind.Runs.Select(run => run.RunId).Order());
        }
    }

    [Theory, EveryLedger]
    public void All_that_match_are_cancelled_and_queued_again_in_one_action(string ledger)
    {
        using var place = TemporaryStore.On(ledger);
        using var runs = RunLedger.Open(place.Store, new FixedTimeProvider());
        var all = Enumerable.Range(0, 1203).Select(i => runs.Create(new() { Kind = RunKind.Selftest, Spec = $$"""{"corpus":"{{(i % 3 == 0 ? "mine" : "others")}}","n":{{i}}}""" })).ToList();
        var mine = new RunFilter { Text = "mine" };
        runs.TryAcquire(all[0].RunId, ProcessIdentity.Current, TimeSpan.FromMinutes(1));

        var cancelled = runs.RequestCancel(mine);
        var (stopped, asked) = (runs.List(mine with { State = RunState.Stopped }).Total, runs.Get(all[0].RunId));
        var again = runs.RequestCancel(mine with { State = RunState.Queued });
        var resumed = runs.Resume(mine);

        Assert.Equal((401, 400, 0, 400), (cancelled, stopped, again, resumed));
        Assert.Equal((RunState.Running, true), (asked.State, asked.CancelRequested));
        Assert.Equal(1202, runs.List(new() { State = RunState.Queued }).Total);
    }

    [Theory, EveryLedger]
    public void What_waits_for_cancelled_runs_stops_and_comes_back_with_them(string ledger)
    {
        using var place = TemporaryStore.On(ledger);
        using var runs = RunLedger.Open(place.Store, new FixedTimeProvider());
        RunRow Create(string corpus, params string[] needs) => runs.Create(new() { Kind = RunKind.Selftest, Spec = $$"""{"corpus":"{{corpus}}"}""", Needs = needs });
        var (first, other) = (Create("mine"), Create("others"));
        var second = Create("mine", first.RunId);
        var third = Create("theirs", second.RunId, other.RunId);

        var cancelled = runs.RequestCancel(new RunFilter { Text = "mine" });
        var stopped = (RunRow[])[runs.Get(first.RunId), runs.Get(second.RunId), runs.Get(third.RunId), runs.Get(other.RunId)];
        var resumed = runs.Resume(new RunFilter { Text = "mine" });

        Assert.Equal((3, 3), (cancelled, resumed));
        Assert.Equal([RunState.Stopped, RunState.Stopped, RunState.Stopped, RunState.Queued], stopped.Select(run => run.State));
        Assert.Equal(("Cancelled before it was taken up.", $"Run {first.RunId}, which this one needs, stopped; resume that run."), (stopped[0].Error, stopped[1].Error));
        Assert.Equal(4, runs.List(new() { State = RunState.Queued }).Total);
    }

    [Fact]
    public void An_older_ledger_becomes_searchable_when_it_is_opened()
    {
        using var place = new TemporaryStore();
        string id;
        using (var before = RunLedger.Open(place.Store, TimeProvider.System)) id = before.Create(new() { Kind = RunKind.Train, Spec = """{"corpus":"calls"}""" }).RunId;
        using (var connection = new SqliteConnection($"Data Source={place.Store.CatalogPath};Pooling=false"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "DROP TRIGGER runs_become_searchable; DROP TABLE run_search; DROP TABLE run_texts; DROP TABLE users; DROP TABLE secrets; DROP TABLE audit; DROP TABLE form_keys; DROP TABLE queue_leases; DROP TABLE queue_answers; ALTER TABLE runs DROP COLUMN usage; ALTER TABLE runs DROP COLUMN cost; ALTER TABLE runs DROP COLUMN budget; PRAGMA user_version=2;";
            command.ExecuteNonQuery();
        }

        using var ledger = RunLedger.Open(place.Store, TimeProvider.System);

        Assert.Equal([id], ledger.List(new() { Text = "calls" }).Runs.Select(run => run.RunId));
    }
}
