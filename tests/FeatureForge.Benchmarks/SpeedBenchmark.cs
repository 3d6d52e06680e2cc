// What the training step and extraction cost beside the bare model: same network, same precision, same process, synthetic tensors.
//   speed [training] [extraction] [--pictures N]        (recipe image-tiny on N, 6,000, of the cifar10 pictures; both when none is named)
// Ours reads batches, makes views, steps the flat optimiser; bare takes one fixed tensor and TorchSharp's own AdamW. Both alternate,
// and ratios are of medians, so that a busy machine slows both sides alike.
using System.Diagnostics;
using System.Globalization;
using FeatureForge.Data;
using FeatureForge.Learning;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Benchmarks;

internal static class SpeedBenchmark
{
    private const int Rounds = 5;
    private const int StepsPerRound = 8;

    internal static async Task<int> RunAsync(string[] arguments, TextWriter output)
    {
        var pictures = arguments.Number("--pictures", 6_000);
        var halves = arguments.Intersect(["training", "extraction"]).ToList();
        var scratch = Directory.CreateTempSubdirectory("featureforge-speed-");
        try
        {
            var set = LabelledSet.All.First(found => found.Name == "cifar10");
            var folder = Path.Combine(scratch.FullName, "store");
            var files = await set.UnpackAsync(Path.Combine(scratch.FullName, "files"));
            foreach (var file in Directory.EnumerateFiles(files, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Skip(pictures).ToList()) File.Delete(file);
            await FeatureForgeProcess.RunAsync(folder, "ingest", files, "--corpus", "pictures");
            await FeatureForgeProcess.RunAsync(folder, "train", "--corpus", "pictures", "--encoder", "tiny", "--steps", "1");
            var store = Store.Open(folder);
            var manifest = store.Encoder("tiny");
            using var corpus = PreparedCorpus.Open(store, "pictures", manifest.Preparation);
            await output.WriteLineAsync("| measure | ours, items/s | bare, items/s | ratio |\n|---|---:|---:|---:|");
            if (halves.Count == 0 || halves.Contains("extraction"))
            {
                foreach (Grain[] grains in (Grain[][])[[Grain.Item], [Grain.Item, Grain.Segment]])
                {
                    var (extracted, bareForward) = await ExtractionAsync(store, manifest, corpus, grains);
                    await WriteAsync($"extraction of low, mid, high by {string.Join(" and ", grains).ToLowerInvariant()} into Parquet, against forward passes", extracted, bareForward);
                }
            }
            if (halves.Count > 0 && !halves.Contains("training")) return 0;
            var (steps, bareSteps, waited) = Training(store, manifest, corpus);
            await WriteAsync("training steps of 256 items in two views", steps, bareSteps);
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"\ndata_wait {waited:P1} of the training time"));
            return 0;

            Task WriteAsync(string what, double ours, double bare) => output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {what} | {ours:F0} | {bare:F0} | {ours / bare:F2} |"));
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static (double Ours, double Bare, double Waited) Training(Store store, EncoderManifest manifest, PreparedCorpus corpus)
    {
        using var scope = NewDisposeScope();
        using var ours = EncoderFile.Load(store, manifest, CPU);
        using var bare = EncoderFile.Load(store, manifest, CPU);
        var recipe = ours.Recipe;
        using var step = new TrainingStep(ours, manifest.Preparation, seed: 0, _ => { });
        using var reader = new BatchReader(corpus, ours, recipe.BatchSize, 0, 0, long.MaxValue - 1);
        using var objective = recipe.Objectives[0].Build(bare.Shape);
        using var optimiser = optim.AdamW(bare.parameters().Concat(objective.parameters()), recipe.LearningRate, weight_decay: recipe.WeightDecay);
        var views = randn(2 * recipe.BatchSize, 3, 32, 32);
        bare.train();
        objective.train();

        var (oursSeconds, bareSeconds, waited, number) = (new List<double>(), new List<double>(), 0.0, 0L);
        for (var round = -1; round < Rounds; round++)
        {
            var clock = Stopwatch.StartNew();
            var wait = new Stopwatch();
            for (var i = 0; i < StepsPerRound; i++)
            {
                wait.Start();
                var batch = reader.Next(default);
                wait.Stop();
                step.Run(number++, long.MaxValue, batch, recipe.LearningRate);
            }
            _ = step.PeekLoss();
            var taken = clock.Elapsed.TotalSeconds;
            clock.Restart();
            for (var i = 0; i < StepsPerRound; i++) BareStep(bare, objective, optimiser, views, step.PrecisionType, recipe.BatchSize);
            if (round < 0) continue; // the first round touches memory for the first time
            oursSeconds.Add(taken);
            bareSeconds.Add(clock.Elapsed.TotalSeconds);
            waited += wait.Elapsed.TotalSeconds;
        }
        double PerSecond(List<double> seconds) => StepsPerRound * recipe.BatchSize / Median(seconds);
        return (PerSecond(oursSeconds), PerSecond(bareSeconds), waited / oursSeconds.Sum());
    }

    private static void BareStep(Encoder encoder, Objective objective, optim.Optimizer optimiser, Tensor views, ScalarType precision, int items)
    {
        using var scope = NewDisposeScope();
        optimiser.zero_grad();
        Tensor loss;
        using (precision == ScalarType.Float32 ? null : new Autocast(CPU, precision))
        {
            var features = encoder.Encode(views).Pooled.to(ScalarType.Float32).view(2, items, -1);
            loss = objective.Loss(new() { Features = features, GlobalViews = 2, Random = new StepRandom(0, 0, DrawPurpose.Objective) });
        }
        loss.backward();
        optimiser.step();
    }

    private static async Task<(double Ours, double Bare)> ExtractionAsync(Store store, EncoderManifest manifest, PreparedCorpus corpus, Grain[] grains)
    {
        var (ours, bare) = (new List<double>(), new List<double>());
        for (var round = -1; round < 3; round++)
        {
            var clock = Stopwatch.StartNew();
            await ExtractRun.ExecuteAsync(
                new() { Corpus = manifest.Corpus, Encoder = manifest.Name, Set = $"set{grains.Length}-{round + 1}", Levels = Level.Learned, Grains = grains, Device = "cpu" },
                new RunContext(store, $"extract{grains.Length}-{round + 1}", () => { }, new SilentReporter(), TimeProvider.System), default);
            var taken = clock.Elapsed.TotalSeconds;
            clock.Restart();
            Forward(store, manifest, corpus.Count);
            if (round < 0) continue;
            ours.Add(taken);
            bare.Add(clock.Elapsed.TotalSeconds);
        }
        return (corpus.Count / Median(ours), corpus.Count / Median(bare));
    }

    private static void Forward(Store store, EncoderManifest manifest, int items)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var encoder = EncoderFile.Load(store, manifest, CPU);
        encoder.eval();
        var views = randn(128, 3, 32, 32);
        for (var from = 0; from < items; from += 128)
        {
            using var inner = NewDisposeScope();
            _ = encoder.Encode(views);
            if (encoder.Recipe.Encoder.Mirror) _ = encoder.Encode(views.flip(3));
        }
    }
}
