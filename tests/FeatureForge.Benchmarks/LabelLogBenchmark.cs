// A label log of many rows: what a person waits for who labels beside a million predictions.
//   labellog [ROWS]                                     (default 1,000,000 predictions, 200 labels by hand)
using System.Diagnostics;
using System.Globalization;
using FeatureForge.Data;
using FeatureForge.Labelling;

namespace FeatureForge.Benchmarks;

internal static class LabelLogBenchmark
{
    private const int ByHand = 200;
    private const int Vectors = 20_000;
    private const int Dimension = 64;

    internal static async Task<int> RunAsync(string[] arguments, TextWriter output)
    {
        var rows = arguments is [var given, ..] ? int.Parse(given, CultureInfo.InvariantCulture) : 1_000_000;
        var scratch = Directory.CreateTempSubdirectory("featureforge-labellog-");
        try
        {
            var store = Store.Open(Path.Combine(scratch.FullName, "store"));
            var log = LabelLog.Of(store, "labels");
            var ids = Enumerable.Range(0, Math.Max(rows, Vectors)).Select(i => ContentId.Of($"item {i}")).ToArray();
            var (batch, at) = (LabelLog.NewId(), new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero));
            LabelRow Label(int item, LabelSource source, string act) => new()
            {
                LabelId = LabelLog.NewId(),
                Target = LabelTarget.Item,
                TargetId = ids[item],
                Name = $"class {item % 10}",
                Source = source,
                Author = source == LabelSource.Person ? "ada" : "head",
                Confidence = 0.9f,
                At = at.AddSeconds(item),
                Batch = act,
            };
            await output.WriteLineAsync($"| with {rows:N0} predictions and {ByHand} labels by hand | seconds | times |\n|---|---:|---:|".Replace("\u00A0", ",", StringComparison.Ordinal));
            async Task TimeAsync(string what, int times, Func<int, Task> act)
            {
                var taken = new List<double>();
                for (var i = 0; i < times; i++)
                {
                    var clock = Stopwatch.StartNew();
                    await act(i);
                    taken.Add(clock.Elapsed.TotalSeconds);
                }
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {what} | {taken.Order().ElementAt(times / 2):F3} | {times} |"));
            }

            await TimeAsync("adding the predictions, one act", 1, _ => log.AppendAsync([.. Enumerable.Range(0, rows).Select(item => Label(item, LabelSource.Model, batch))], default));
            var predicted = await log.HashAsync(default);
            var random = new Random(1);
            var values = Enumerable.Range(0, Vectors * Dimension).Select(_ => (float)random.NextDouble() - 0.5f).ToArray();
            var vectors = new LabelVectors("s", "e", Level.High, Tensors.VectorMetric.Cosine, Dimension, ids[..Vectors], values);
            var queue = LabelQueue.Over(store, new() { LabelSet = "labels", Set = "s" }, TimeProvider.System, vectors);
            var (last, acts) = ("", new List<string>());
            await TimeAsync("one label by hand", ByHand, async i =>
            {
                var row = Label(i, LabelSource.Person, LabelLog.NewId());
                last = row.LabelId;
                acts.Add(row.Batch);
                await log.AppendAsync([row], default);
            });
            await TimeAsync("the log, read from disk", 1, async _ => await log.ReadAsync(default));
            await TimeAsync("the next question", 5, async _ => await queue.NextAsync("ada", 1, TimeSpan.FromMinutes(1), default));
            await TimeAsync("a label by hand and the next question", 5, async i =>
            {
                var row = Label(ByHand + i, LabelSource.Person, LabelLog.NewId());
                acts.Add(row.Batch);
                await log.AppendAsync([row], default);
                await queue.NextAsync("ada", 1, TimeSpan.FromMinutes(1), default);
            });
            await TimeAsync("taking one label back", 1, async _ => await log.UndoAsync([last], "ada", at, default));
            await TimeAsync("the summary", 1, async _ => await new LabelDesk(store, TimeProvider.System).SummaryAsync("labels", default));
            await TimeAsync("taking one act back", 5, async i => await log.UndoBatchAsync(acts[i], "ada", at, default));
            await log.UndoAsync([.. (await log.ReadGivenAsync(default)).Active.Select(row => row.LabelId)], "ada", at, default);
            if (await log.HashAsync(default) != predicted) throw new InvalidOperationException("What was taken back is not gone.");
            await TimeAsync("taking all predictions back", 1, async _ => await log.UndoBatchAsync(batch, "ada", at, default));
            if ((await log.HashAsync(default)).Rows != 0) throw new InvalidOperationException("Labels are left.");
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"\nThe process held {Environment.WorkingSet / 1_000_000} MB at the end."));
            return 0;
        }
        finally { scratch.Delete(recursive: true); }
    }
}
