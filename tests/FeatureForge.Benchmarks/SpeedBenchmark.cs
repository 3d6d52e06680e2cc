// What the training step and extraction cost beside the bare model: same network, same precision, same process, synthetic tensors.
//   speed [training] [extraction] [--pictures N]        (recipe image-tiny on N, 6,000, of the cifar10 pictures; both when none is named)
// Extraction is set beside two forward passes: the network by LibTorch's operations alone, and by the encoder's own kernels.
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
            if (halves.Count == 0 || halves.Contains("extraction"))
            {
                await output.WriteLineAsync("| extraction of low, mid, high into Parquet by | items/s | forward passes by operations of LibTorch, items/s | ratio | by the encoder, items/s | ratio |\n|---|---:|---:|---:|---:|---:|");
                foreach (Grain[] grains in (Grain[][])[[Grain.Item], [Grain.Item, Grain.Segment]])
                {
                    var (ours, plain, bare) = await ExtractionAsync(store, manifest, corpus, grains);
                    await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {string.Join(" and ", grains).ToLowerInvariant()} | {ours:F0} | {plain:F0} | {ours / plain:F2} | {bare:F0} | {ours / bare:F2} |"));
                }
            }
            if (halves.Count > 0 && !halves.Contains("training")) return 0;
            var (steps, bareSteps, waited) = Training(store, manifest, corpus);
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"\n| measure | ours, items/s | bare, items/s | ratio |\n|---|---:|---:|---:|\n| training steps of 256 items in two views | {steps:F0} | {bareSteps:F0} | {steps / bareSteps:F2} |"));
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"\ndata_wait {waited:P1} of the training time"));
            return 0;
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

    private static async Task<(double Ours, double Plain, double Bare)> ExtractionAsync(Store store, EncoderManifest manifest, PreparedCorpus corpus, Grain[] grains)
    {
        var (ours, plain, bare) = (new List<double>(), new List<double>(), new List<double>());
        for (var round = -1; round < 3; round++)
        {
            var clock = Stopwatch.StartNew();
            await ExtractRun.ExecuteAsync(
                new() { Corpus = manifest.Corpus, Encoder = manifest.Name, Set = $"set{grains.Length}-{round + 1}", Levels = Level.Learned, Grains = grains, Device = "cpu" },
                new RunContext(store, $"extract{grains.Length}-{round + 1}", () => { }, new SilentReporter(), TimeProvider.System), default);
            var taken = clock.Elapsed.TotalSeconds;
            clock.Restart();
            Forward(store, manifest, corpus.Count, Plain);
            var plainTaken = clock.Elapsed.TotalSeconds;
            clock.Restart();
            Forward(store, manifest, corpus.Count, (encoder, views) => encoder.Encode(views).Pooled);
            if (round < 0) continue;
            ours.Add(taken);
            plain.Add(plainTaken);
            bare.Add(clock.Elapsed.TotalSeconds);
        }
        return (corpus.Count / Median(ours), corpus.Count / Median(plain), corpus.Count / Median(bare));
    }

    private static void Forward(Store store, EncoderManifest manifest, int items, Func<Encoder, Tensor, Tensor> pass)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var encoder = EncoderFile.Load(store, manifest, CPU);
        encoder.eval();
        var views = randn(128, 3, 32, 32);
        for (var from = 0; from < items; from += 128)
        {
            using var inner = NewDisposeScope();
            _ = pass(encoder, views);
            if (encoder.Recipe.Encoder.Mirror) _ = pass(encoder, views.flip(3));
        }
    }

    /// <summary>What anyone would write who has the weights: the dictionary, convolutions, norms and pooling as LibTorch has them.</summary>
    private static Tensor Plain(Encoder encoder, Tensor views)
    {
        var (state, spec) = (encoder.State(), encoder.Recipe.Encoder);
        var dictionary = encoder.modules().OfType<PatchDictionary>().Single();
        var map = dictionary.MapByTensors(views * state["deviation"] + state["mean"]) * 3;
        for (var block = 0; block < spec.Widths.Count; block++)
        {
            Tensor Of(string name) => state[$"network.blocks.{block}.{name}"];
            var kernel = spec.Kernel(block);
            map = nn.functional.conv2d(map, Of("convolution.weight"), null, [spec.Strides[block], spec.Strides[block]], [kernel / 2, kernel / 2]);
            map = nn.functional.relu(nn.functional.batch_norm(map, Of("norm.running_mean"), Of("norm.running_var"), Of("norm.weight"), Of("norm.bias"), training: false));
        }
        var mean = map.mean([2, 3]);
        return cat([mean, ((map * map).mean([2, 3]) - mean * mean).clamp_min(0).add(1e-5).sqrt()], 1);
    }
}
