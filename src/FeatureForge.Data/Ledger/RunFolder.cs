// runs/RUN/run.json and log.txt: what is left of a run for people and for rebuilding the ledger, written when it ends.
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace FeatureForge.Data;

internal static class RunFolder
{
    internal static void Write(Store store, RunRow run, RunJournal journal)
    {
        var folder = store.PathOf("runs", run.RunId);
        var log = new StringBuilder();
        long last = 0;
        while (journal.ReadLog(run.RunId, last) is { Count: > 0 } lines)
        {
            foreach (var line in lines)
                log.Append(CultureInfo.InvariantCulture, $"{line.At.UtcDateTime:yyyy-MM-dd HH:mm:ss.fff}Z {line.Level,-11} {line.Message}\n");
            last = lines[^1].Sequence;
        }
        DurableFile.WriteAllText(Path.Combine(folder, "log.txt"), log.ToString());
        DurableFile.WriteAllText(Path.Combine(folder, "run.json"), JsonSerializer.Serialize(Document(run), SpecJson.Readable));
    }

    private static object Document(RunRow run) => new
    {
        run.RunId,
        run.Kind,
        run.State,
        Spec = Element(run.Spec),
        run.SpecHash,
        run.Attempt,
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
