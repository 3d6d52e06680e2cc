// How good are the embeddings? For each labelled set and seed: train on the train split alone, embed everything, and let `evaluate`
// compare every level with a random encoder and with closed-form features. Labels reach nothing but `evaluate`.
//   quality [set ...] [--seeds N] [--first-seed S] [--minutes M] [--recipe FILE] [--log FILE]        without minutes: the recipe's own number of steps;
//   the log gets a line of JSON for every training and every evaluation as it ends, so that a stopped run has lost nothing
using System.Globalization;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Benchmarks;

internal static class QualityBenchmark
{
    /// <summary>Scores of one kind of features in one run, fractions; NaN where a score does not apply.</summary>
    private sealed record Row(string Features, double Knn, double Linear, double Accuracy, double Nmi);

    /// <summary>Label-free scores of one training, fractions: by level, before the first step (random) and of the published weights; raw beside.</summary>
    private sealed record LabelFree(string Features, double RankMe, double Retrieval, double Neighbours);

    internal static async Task<int> RunAsync(string[] arguments, TextWriter output)
    {
        var seeds = int.Parse(arguments.Text("--seeds") ?? "1", CultureInfo.InvariantCulture);
        var first = int.Parse(arguments.Text("--first-seed") ?? "0", CultureInfo.InvariantCulture);
        string[] budget = [.. arguments.Text("--minutes") is { } minutes ? ["--minutes", minutes] : Array.Empty<string>(), .. arguments.Text("--recipe") is { } recipe ? ["--recipe", recipe] : Array.Empty<string>()];
        var log = arguments.Text("--log");
        var sets = LabelledSet.All.Where(set => arguments.Contains(set.Name)).ToList() is { Count: > 0 } chosen ? chosen : [.. LabelledSet.All];
        var scratch = Directory.CreateTempSubdirectory("featureforge-quality-");
        try
        {
            foreach (var set in sets) await MeasureAsync(set, Path.Combine(scratch.FullName, set.Name), [.. Enumerable.Range(first, seeds)], budget, log, output);
            return 0;
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static async Task MeasureAsync(LabelledSet set, string scratch, IReadOnlyList<int> seeds, string[] budget, string? log, TextWriter output)
    {
        var whole = await set.UnpackAsync(Path.Combine(scratch, "whole"));
        var store = Path.Combine(scratch, "store");
        await FeatureForgeProcess.RunAsync(store, "ingest", whole, "--corpus", "whole");
        var (rows, free, cpu) = (new List<(string Question, Row Row)>(), new List<LabelFree>(), new List<double>());
        foreach (var seed in seeds)
        {
            var questions = set.Questions(seed, scratch);
            var train = set.LinkTrainSplit(questions[0].Labels, whole, Path.Combine(scratch, $"train-{seed}"));
            string[] run = ["--seed", seed.ToString(CultureInfo.InvariantCulture), "--json"];
            await FeatureForgeProcess.RunAsync(store, "ingest", train, "--corpus", $"train-{seed}");
            var trained = await FeatureForgeProcess.RunAsync(store, ["train", "--corpus", $"train-{seed}", "--encoder", $"e{seed}", .. budget, .. run]);
            await NoteAsync(log, $"{set.Name} seed {seed} trained", trained);
            free.AddRange(await LabelFreeAsync(Store.Open(store), $"e{seed}"));
            cpu.Add(Result(trained).GetProperty("cpu_seconds").GetDouble());
            await FeatureForgeProcess.RunAsync(store, "extract", "--corpus", "whole", "--encoder", $"e{seed}", "--set", $"s{seed}", "--grains", "item");
            foreach (var question in questions)
            {
                var scores = await FeatureForgeProcess.RunAsync(store, ["evaluate", "--set", $"s{seed}", "--labels", question.Labels, .. run]);
                await NoteAsync(log, $"{set.Name} seed {seed} {question.Name}", scores);
                rows.AddRange(Result(scores).GetProperty("scores").EnumerateArray().Select(score => (question.Name, RowOf(score))));
            }
        }
        await output.WriteLineAsync($"\n### {set.Name}: {seeds.Count} seeds, {string.Join(", ", cpu.Select(seconds => seconds.ToString("F0", CultureInfo.InvariantCulture)))} CPU seconds of training\n");
        await output.WriteLineAsync("| about | vectors | kNN-20 | linear | k-means accuracy | NMI |\n|---|---|---:|---:|---:|---:|");
        foreach (var group in rows.GroupBy(row => (row.Question, row.Row.Features)))
        {
            string Mean(Func<Row, double> score) => group.Average(row => score(row.Row)) is var mean && double.IsNaN(mean) ? "" : (100 * mean).ToString("F1", CultureInfo.InvariantCulture);
            await output.WriteLineAsync($"| {group.Key.Question} | {group.Key.Features} | {Mean(row => row.Knn)} | {Mean(row => row.Linear)} | {Mean(row => row.Accuracy)} | {Mean(row => row.Nmi)} |");
        }
        await output.WriteLineAsync("\n| without labels, training items | RankMe / width | view retrieval | common neighbours |\n|---|---:|---:|---:|");
        foreach (var group in free.GroupBy(row => row.Features))
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {group.Key} | {group.Average(row => row.RankMe):F3} | {100 * group.Average(row => row.Retrieval):F1} | {100 * group.Average(row => row.Neighbours):F1} |"));
        foreach (var group in rows.Where(row => row.Row.Features == "trained high").GroupBy(row => row.Question))
            await output.WriteLineAsync($"\nSeeds of `high` about {group.Key}, kNN-20 / linear / accuracy / NMI: {string.Join("; ", group.Select(row => string.Create(CultureInfo.InvariantCulture, $"{100 * row.Row.Knn:F1} / {100 * row.Row.Linear:F1} / {100 * row.Row.Accuracy:F1} / {100 * row.Row.Nmi:F1}")))}");
        await output.FlushAsync();
    }

    private static async Task<IReadOnlyList<LabelFree>> LabelFreeAsync(Store store, string encoder)
    {
        var manifest = store.Encoder(encoder);
        var random = new Dictionary<string, double>();
        await foreach (var row in MetricsTable.ReadAsync(Path.Combine(store.EncoderFolder(encoder), manifest.MetricParts[0].Path), default))
            if (row.Step == 0) random[row.Name] = row.Value;
        LabelFree Of(string features, IReadOnlyDictionary<string, double> scores, string level) => new(features, scores[$"rankme_ratio.{level}"], scores[$"retrieval.{level}"], scores[$"neighbours.{level}"]);
        return [Of("raw", manifest.Probes, Level.Raw), .. Level.Learned.Select(level => Of($"trained {level}", manifest.Probes, level)), .. Level.Learned.Select(level => Of($"random {level}", random, level))];
    }

    private static async Task NoteAsync(string? log, string what, string json)
    {
        if (log is not null) await File.AppendAllTextAsync(log, $"{what}\t{JsonSerializer.Serialize(Result(json))}\n");
    }

    private static JsonElement Result(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.GetProperty("result").Clone();
    }

    private static Row RowOf(JsonElement score)
    {
        double Number(string name) => score.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : double.NaN;
        return new($"{score.GetProperty("encoder").GetString()} {score.GetProperty("level").GetString()}", Number("knn"), Number("linear"), Number("accuracy"), Number("nmi"));
    }
}
