// One training as an MLflow file store (mlruns/): experiment and run meta.yaml, a file per parameter and tag, a file per metric with lines
// "milliseconds value step", and the model's files as artifacts. `mlflow ui --backend-store-uri FOLDER` shows it.
using System.Globalization;
using System.Text;
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Learning;

namespace FeatureForge.Cli;

internal static class MlflowExport
{
    private const string Experiment = "0";

    internal static Task<Exported> WriteAsync(Store store, string name, string folder, CancellationToken stop)
    {
        var encoder = store.Encoder(name);
        var target = Path.GetFullPath(folder);
        return ExportFolder.WriteAsync(folder, async staging =>
        {
            var runId = ContentId.Of(encoder.RunId);
            var run = Path.Combine(staging, Experiment, runId);
            var ended = encoder.CreatedAt;
            var started = ended - TimeSpan.FromSeconds(encoder.Seconds ?? 0);
            Directory.CreateDirectory(Path.Combine(run, "artifacts"));
            Text(Path.Combine(staging, Experiment, "meta.yaml"), ("artifact_location", Uri(target, Experiment)), ("creation_time", Milliseconds(started)), ("experiment_id", $"'{Experiment}'"), ("last_update_time", Milliseconds(ended)), ("lifecycle_stage", "active"), ("name", "Default"));
            Text(Path.Combine(run, "meta.yaml"), ("artifact_uri", Uri(target, $"{Experiment}/{runId}/artifacts")), ("end_time", Milliseconds(ended)), ("entry_point_name", "''"), ("experiment_id", $"'{Experiment}'"), ("lifecycle_stage", "active"), ("run_id", runId), ("run_name", Quoted(name)), ("run_uuid", runId),
                ("source_name", "''"), ("source_type", "4"), ("source_version", "''"), ("start_time", Milliseconds(started)), ("status", "3"), ("tags", "[]"), ("user_id", "featureforge"));
            foreach (var (key, value) in Parameters(encoder)) Save(Path.Combine(run, "params", key), value);
            foreach (var (key, value) in (IEnumerable<(string, string)>)[("mlflow.runName", name), ("mlflow.source.name", "featureforge"), ("featureforge.encoder_id", encoder.EncoderId), ("featureforge.run_id", encoder.RunId)]) Save(Path.Combine(run, "tags", key), value);
            var rows = await WriteMetricsAsync(store, encoder, Path.Combine(run, "metrics"), started, stop);
            EncoderExport.Write(store, name, Path.Combine(run, "artifacts", "encoder"));
            return (rows, 0);
        });
    }

    // A metric name of ours, "retrieval.high", is a valid file name and a valid MLflow key.
    private static async Task<long> WriteMetricsAsync(Store store, EncoderManifest encoder, string folder, DateTimeOffset started, CancellationToken stop)
    {
        var lines = new Dictionary<string, StringBuilder>();
        var rows = 0L;
        foreach (var part in encoder.MetricParts)
            await foreach (var row in MetricsTable.ReadAsync(store.FileOf(store.EncoderFolder(encoder.Name), part), stop))
            {
                if (!lines.TryGetValue(row.Name, out var text)) lines[row.Name] = text = new();
                text.Append(CultureInfo.InvariantCulture, $"{Milliseconds(started)} {row.Value:R} {row.Step}\n");
                rows++;
            }
        foreach (var (name, text) in lines) Save(Path.Combine(folder, name), text.ToString());
        return rows;
    }

    private static IEnumerable<(string Key, string Value)> Parameters(EncoderManifest encoder) =>
    [
        ("modality", encoder.Modality.ToString().ToLowerInvariant()), ("recipe", encoder.Recipe), ("device", encoder.Device), ("steps", $"{encoder.Steps}"), ("parameters", $"{encoder.Parameters}"),
        .. encoder.Training.ValueKind == JsonValueKind.Object ? encoder.Training.EnumerateObject().Where(field => field.Value.ValueKind is JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False).Select(field => ($"request.{field.Name}", field.Value.ToString())) : [],
    ];

    private static string Uri(string folder, string below) => Quoted(new Uri(Path.Combine(folder, below)).AbsoluteUri);

    private static string Quoted(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static string Milliseconds(DateTimeOffset moment) => moment.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture);

    private static void Text(string path, params (string Key, string Value)[] lines) => Save(path, string.Concat(lines.Select(line => $"{line.Key}: {line.Value}\n")));

    private static void Save(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
