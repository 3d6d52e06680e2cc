// Stopping many runs and queueing many again, in a few statements however many there are.
using System.Data.Common;

namespace FeatureForge.Data;

internal static class RunTurns
{
    /// <summary>Statements that end a lease with the run.</summary>
    internal const string NoLease = "lease_owner = NULL, lease_until = NULL";

    // Of this expression SQLite knows no index: it would rather walk through all runs in a state, once for each turn, than look up the few that are named.
    private const string State = "(state || '')";

    /// <summary>Stops those that nobody works on, with the runs that wait for them; asks the others' supervisors to stop.</summary>
    /// <param name="isLeaseBroken">Whether nobody works on a run that says it is running.</param>
    /// <returns>How many were stopped or asked to stop.</returns>
    internal static int Cancel(DbConnection connection, IReadOnlyList<string> runIds, long now, Func<RunRow, bool> isLeaseBroken)
    {
        var all = Among("run_id", runIds);
        var atWork = connection.Query($"SELECT * FROM runs WHERE state = 'running' AND {all.Condition}", RunReader.Row, all.Values).Where(run => !isLeaseBroken(run)).Select(run => run.RunId).ToHashSet();
        var asked = 0;
        if (atWork.Count > 0)
        {
            var busy = Among("run_id", [.. atWork]);
            asked = connection.Execute($"UPDATE runs SET cancel_requested = 1 WHERE state = 'running' AND {busy.Condition}", busy.Values);
        }
        List<string> idle = [.. runIds.Where(run => !atWork.Contains(run))];
        return idle.Count == 0 ? asked : asked + Stop(connection, idle, now);
    }

    private static int Stop(DbConnection connection, IReadOnlyList<string> runIds, long now)
    {
        var (runs, needed) = (Among("run_id", runIds), Among("needs", runIds));
        var waitedFor = connection.Query($"SELECT * FROM runs WHERE {State} IN ('queued', 'running') AND run_id IN (SELECT needs FROM run_needs WHERE {needed.Condition}) ORDER BY created_at, run_id", RunReader.Row, needed.Values);
        // The runs that wait first: they say what they waited for.
        return waitedFor.Sum(run => StopDependants(connection, run, RunState.Stopped, now)) + connection.Execute(
            $"UPDATE runs SET state = 'stopped', cancel_requested = 1, error = 'Cancelled before it was taken up.', finished_at = @now, fencing_token = fencing_token + 1, {NoLease} WHERE {runs.Condition} AND {State} IN ('queued', 'running')",
            [("@now", now), .. runs.Values]);
    }

    /// <summary>Stops what waits for a run that has ended without success, however many runs lie between.</summary>
    internal static int StopDependants(DbConnection connection, RunRow run, RunState state, long now) => connection.Execute(
        $"UPDATE runs SET state = 'stopped', error = @error, finished_at = @now WHERE {State} = 'queued' AND run_id IN ({Dependants("needs = @run")})",
        ("@run", run.RunId), ("@now", now), ("@error", $"{(run.Stage is null ? "Run" : $"Stage '{run.Stage}', run")} {run.RunId}, which this one needs, {RunWords.Word(state)}; resume that run."));

    /// <summary>Queues those that failed or were stopped again, with the stopped ones that wait for them.</summary>
    /// <returns>How many were queued.</returns>
    internal static int Requeue(DbConnection connection, IReadOnlyList<string> runIds)
    {
        var (runs, needed) = (Among("run_id", runIds), Among("needs", runIds));
        return connection.Execute($"""
            UPDATE runs SET state = 'queued', cancel_requested = 0, failed_attempts = 0, offered_until = NULL, error = NULL, failure = NULL, finished_at = NULL
            WHERE ({runs.Condition} AND {State} IN ('failed', 'stopped')) OR ({State} = 'stopped' AND run_id IN ({Dependants(needed.Condition)}))
            """, runs.Values);
    }

    private static string Dependants(string condition) => $"""
        WITH RECURSIVE dependant(run_id) AS (
            SELECT run_id FROM run_needs WHERE {condition}
            UNION SELECT run_needs.run_id FROM run_needs JOIN dependant ON run_needs.needs = dependant.run_id)
        SELECT run_id FROM dependant
        """;

    // The same names of values whatever the column, so that a statement may ask twice.
    private static (string Condition, (string Name, object? Value)[] Values) Among(string column, IReadOnlyList<string> runIds)
    {
        (string Name, object? Value)[] values = [.. runIds.Select((run, i) => ($"@r{i}", (object?)run))];
        return ($"{column} IN ({string.Join(", ", values.Select(value => value.Name))})", values);
    }
}
