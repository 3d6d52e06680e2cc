// A new ledger over an old store: runs/RUN/run.json of every run that was ever taken up is read back, so that history, "already
// done" and unfinished work survive the loss of the database. Fencing tokens go on from where they were.
using System.Data.Common;
using System.Text.Json;

namespace FeatureForge.Data;

internal static class LedgerRebuild
{
    /// <returns>Runs read back.</returns>
    internal static int From(Store store, DbConnection connection)
    {
        var count = 0;
        foreach (var folder in store.FoldersIn(store.PathOf("runs")))
        {
            if (store.ReadText(Path.Combine(folder, "run.json")) is not { } text || RunFolder.Read(text) is not { } run) continue;
            // What was queued or running when the ledger was lost starts again from its staging folder.
            var state = run.IsEnded ? run.State : RunState.Queued;
            count += connection.Execute("""
                INSERT INTO runs (run_id, kind, spec, spec_hash, state, attempt, max_attempts, fencing_token, created_at, started_at, finished_at, error, failure, result, pipeline_id, stage, schedule_id)
                VALUES (@run, @kind, @spec, @hash, @state, @attempt, @max, @token, @created, @started, @finished, @error, @failure, @result, @pipeline, @stage, @schedule)
                ON CONFLICT (run_id) DO NOTHING
                """, ("@run", run.RunId), ("@kind", RunWords.Word(run.Kind)), ("@spec", run.Spec), ("@hash", run.SpecHash), ("@state", RunWords.Word(state)),
                ("@attempt", (long)run.Attempt), ("@max", (long)run.MaxAttempts), ("@token", run.FencingToken), ("@created", RunLedger.Milliseconds(run.CreatedAt)),
                ("@started", Milliseconds(run.StartedAt)), ("@finished", Milliseconds(run.FinishedAt)), ("@error", run.Error),
                ("@failure", run.Failure is { } failure ? RunWords.Word(failure) : null), ("@result", run.Result), ("@pipeline", run.PipelineId), ("@stage", run.Stage), ("@schedule", run.ScheduleId));
        }
        return count;

        static long? Milliseconds(DateTimeOffset? moment) => moment is { } at ? RunLedger.Milliseconds(at) : null;
    }
}
