// runs/RUN/run.json and log.txt: what is left of a run for people and for rebuilding the ledger, written when it is taken up and when it ends.
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace FeatureForge.Data;

internal static class RunFolder
{
    /// <param name="log">Null: the run goes on, only run.json is written.</param>
    internal static void Write(Store store, RunRow run, RunJournal? log)
    {
        var folder = store.PathOf("runs", run.RunId);
        var (path, text) = (Path.Combine(folder, "run.json"), JsonSerializer.Serialize(Document(run), SpecJson.Readable));
        if (log is null)
        {
            store.WriteTextSoon(path, text);
            return;
        }
        try
        {
            store.WriteText(Path.Combine(folder, "log.txt"), LogOf(run, log));
            store.WriteText(path, text);
        }
        catch (IOException) when (store.IsRemote) { } // The ledger has it; the run's outcome does not hang on this copy.
    }

    /// <summary>The run as its run.json has it, or null when that is not one (a file somebody else put there, or half of one).</summary>
    internal static RunRow? Read(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            return new()
            {
                RunId = root.GetProperty("run_id").GetString()!,
                Kind = RunWords.Parse<RunKind>(root.GetProperty("kind").GetString()!),
                State = RunWords.Parse<RunState>(root.GetProperty("state").GetString()!),
                Spec = JsonSerializer.Serialize(root.GetProperty("spec"), SpecJson.Line),
                SpecHash = root.GetProperty("spec_hash").GetString()!,
                Attempt = root.GetProperty("attempt").GetInt32(),
                FailedAttempts = 0,
                MaxAttempts = root.TryGetProperty("max_attempts", out var most) ? most.GetInt32() : 3,
                FencingToken = root.GetProperty("fencing_token").GetInt64(),
                CancelRequested = false,
                CreatedAt = root.GetProperty("created_at").GetDateTimeOffset(),
                StartedAt = Moment("started_at"),
                FinishedAt = Moment("finished_at"),
                Error = Text("error"),
                Failure = Text("failure") is { } failure ? RunWords.Parse<RunFailure>(failure.Replace("_", "", StringComparison.Ordinal)) : null,
                Result = root.TryGetProperty("result", out var result) ? JsonSerializer.Serialize(result, SpecJson.Line) : null,
                Stage = Text("stage"),
                ScheduleId = Text("schedule_id"),
            };

            string? Text(string name) => root.TryGetProperty(name, out var value) ? value.GetString() : null;
            DateTimeOffset? Moment(string name) => root.TryGetProperty(name, out var value) ? value.GetDateTimeOffset() : null;
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or ArgumentException or FormatException) { return null; }
    }

    private static string LogOf(RunRow run, RunJournal journal)
    {
        var log = new StringBuilder();
        long last = 0;
        while (journal.ReadLog(run.RunId, last) is { Count: > 0 } lines)
        {
            foreach (var line in lines)
                log.Append(CultureInfo.InvariantCulture, $"{line.At.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff}Z {line.Level,-11} {line.Message}\n");
            last = lines[^1].Sequence;
        }
        return log.ToString();
    }

    private static object Document(RunRow run) => new
    {
        run.RunId,
        run.Kind,
        run.State,
        Spec = Element(run.Spec),
        run.SpecHash,
        run.Attempt,
        run.MaxAttempts,
        run.FencingToken,
        run.CreatedAt,
        run.StartedAt,
        run.FinishedAt,
        run.Error,
        run.Failure,
        Result = run.Result is null ? (JsonElement?)null : Element(run.Result),
        run.PipelineId,
        run.Stage,
        run.ScheduleId,
    };

    private static JsonElement Element(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
