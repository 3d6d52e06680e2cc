// [TrainRun] prepared corpus -> encoders/NAME: read top to bottom. Tensor work is on one thread of its own.
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Trains an encoder without labels and publishes it. Started again with the same run id it continues.</summary>
public static class TrainRun
{
    private sealed record Plan(long Steps);

    /// <summary>What the training thread hands to the publishing part.</summary>
    private sealed record Trained(string EncoderId, string PreprocessingId, IReadOnlyList<EncoderLevel> Levels, long Parameters, double FinalLoss,
        IReadOnlyDictionary<string, double> Scores, IReadOnlyList<MetricRow> Metrics, double Seconds, double CpuSeconds, double DataWait, string Device);

    /// <exception cref="BadRequestException">The request cannot be carried out; nothing was started.</exception>
    /// <exception cref="InvalidOperationException">The loss became non-finite or the encoder collapsed.</exception>
    public static async Task<TrainResult> ExecuteAsync(TrainSpec spec, RunContext context, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        var corpus = context.Store.Corpus(spec.Corpus);
        var recipe = ChooseRecipe(spec, corpus, context.Store);
        var request = JsonSerializer.SerializeToElement(spec, SpecJson.Line);
        if (context.Store.FindEncoder(spec.Encoder) is { } existing)
        {
            if (existing.RunId != context.RunId && !(JsonElement.DeepEquals(existing.Training, request) && existing.CorpusVersion == corpus.Version))
                throw new BadRequestException($"Encoder '{spec.Encoder}' exists, trained by another request (run {existing.RunId}, corpus {existing.Corpus} version {existing.CorpusVersion}). Choose another name; --from {spec.Encoder} continues from its weights.");
            new Publication(context).Finish();
            return ResultOf(existing, seconds: 0, alreadyDone: true);
        }
        using var prepared = PreparedCorpus.Open(context.Store, spec.Corpus, PreparationOf(spec, recipe, corpus, context.Store));
        if (prepared.Count < 2) throw new BadRequestException($"Corpus '{spec.Corpus}' holds {prepared.Count} {Word(recipe.Modality)} items; training needs at least 2, and some hundreds to learn anything.");
        if (prepared.Count < 500) context.Warning($"Corpus '{spec.Corpus}' holds only {prepared.Count} {Word(recipe.Modality)} items; below some 500 the raw level may well be better than anything learned.");

        Directory.CreateDirectory(context.StagingFolder);
        var trained = await TorchThread.RunAsync("train", () => Train(spec, recipe, prepared, context, stop), context.Warning).ConfigureAwait(false);

        var metricsPath = Path.Combine(context.StagingFolder, "metrics.parquet");
        await MetricsTable.WriteAsync(metricsPath, trained.Metrics, stop).ConfigureAwait(false);
        var manifest = Publish(spec, request, recipe, corpus, prepared, trained, context, metricsPath);
        return ResultOf(manifest, trained.Seconds, alreadyDone: false) with { FinalLoss = trained.FinalLoss, CpuSeconds = trained.CpuSeconds, DataWait = trained.DataWait };
    }

    private static Recipe ChooseRecipe(TrainSpec spec, CorpusManifest corpus, Store store)
    {
        var modalities = corpus.Preparations.Keys.ToList();
        var recipe = spec.From is null ? spec.Recipe is null ? null : Recipe.Read(spec.Recipe) : EncoderFile.RecipeToContinue(spec.From, spec.Recipe, store);
        var modality = spec.Modality ?? recipe?.Modality ?? (modalities.Count == 1 ? modalities[0]
            : throw new BadRequestException($"Corpus '{spec.Corpus}' holds items of {modalities.Count} modalities ({string.Join(", ", modalities.Select(Word))}); name one with --modality."));
        if (recipe is not null && recipe.Modality != modality)
            throw new BadRequestException($"Recipe '{recipe.Name}' is for {Word(recipe.Modality)}, the request for {Word(modality)}.");
        if (!modalities.Contains(modality))
            throw new BadRequestException($"Corpus '{spec.Corpus}' holds no {Word(modality)} items; it has {string.Join(", ", modalities.Select(Word))}.");
        return recipe ?? Recipe.DefaultFor(modality);
    }

    /// <summary>The prepared form that training will read: the recipe's, or that of the encoder to continue from, else the corpus's own.</summary>
    /// <exception cref="BadRequestException">The recipe does not fit the corpus.</exception>
    public static PreparationSpec PreparationOf(TrainSpec spec, Store store)
    {
        var corpus = store.Corpus(spec.Corpus);
        return PreparationOf(spec, ChooseRecipe(spec, corpus, store), corpus, store);
    }

    private static PreparationSpec PreparationOf(TrainSpec spec, Recipe recipe, CorpusManifest corpus, Store store)
    {
        if (spec.From is { } from && store.FindEncoder(from) is { } encoder) return encoder.Preparation;
        var usual = corpus.Preparations[recipe.Modality];
        return recipe.PreparedSize is { } size && usual.ImageSize is not null ? usual with { ImageSize = size } : usual;
    }

    private static Trained Train(TrainSpec spec, Recipe recipe, PreparedCorpus prepared, RunContext context, CancellationToken stop)
    {
        var (start, cpu) = (context.Time.GetTimestamp(), Environment.CpuUsage.TotalTime);
        using var scope = NewDisposeScope();
        var device = DeviceChoice.Select(spec.Device);
        context.Information($"Training '{spec.Encoder}' by recipe {recipe.Name} on {prepared.Count} {Word(recipe.Modality)} items, device {device.type.ToString().ToLowerInvariant()}.");
        using var encoder = spec.From is null ? EncoderFile.Fresh(recipe, prepared, spec.Seed, device, stop)
            : EncoderFile.Load(WeightsOf(spec.From, context.Store), recipe, prepared.Preparation, device);
        encoder.PrepareTraining(prepared, context.StagingFolder, stop);
        HeldCorpus.HoldIfItFits(encoder, prepared, context, stop);
        using var loop = new TrainingLoop(context, prepared, encoder, spec.Seed);
        var plan = PlanOf(spec, recipe, prepared, loop, context, start, stop);
        FreedScalar.Repeat(() => loop.Run(plan.Steps, stop), context.Warning);
        EncoderScaling.Fit(encoder, prepared, stop);

        var preprocessingId = EncoderFile.PreprocessingId(recipe, prepared.Preparation);
        EncoderFile.Save(Path.Combine(context.StagingFolder, "model.safetensors"), encoder, preprocessingId);
        return new(EncoderFile.EncoderId(encoder, preprocessingId), preprocessingId, encoder.Levels, encoder.parameters().Sum(parameter => parameter.numel()),
            loop.LastLoss, loop.Scores, loop.Metrics.Rows, context.Time.GetElapsedTime(start).TotalSeconds, (Environment.CpuUsage.TotalTime - cpu).TotalSeconds, loop.DataWait, device.type.ToString().ToLowerInvariant());
    }

    private static string WeightsOf(string from, Store store)
    {
        if (store.FindEncoder(from) is { } encoder) return store.FileOf(store.EncoderFolder(from), encoder.Weights);
        if (File.Exists(from)) return from;
        throw new BadRequestException($"--from '{from}' is neither an encoder of this store nor a file; encoders: {string.Join(", ", store.Encoders().Select(e => e.Name))}.");
    }

    // An encoder that took fewer updates is hardly better than a random one.
    private const int FewSteps = 50;

    /// <summary>How many steps in all; decided once and kept in staging, so that a resumed run has the same schedule.</summary>
    private static Plan PlanOf(TrainSpec spec, Recipe recipe, PreparedCorpus prepared, TrainingLoop loop, RunContext context, long start, CancellationToken stop)
    {
        var path = Path.Combine(context.StagingFolder, "plan.json");
        if (File.Exists(path)) return JsonSerializer.Deserialize<Plan>(File.ReadAllText(path), SpecJson.Strict)!;
        var steps = spec.Steps ?? (spec.Epochs is { } epochs ? recipe.StepsFor(epochs, prepared.Count) : recipe.DefaultSteps(prepared.Count));
        if (spec.Minutes is { } minutes)
        {
            var perStep = loop.SecondsPerStep(minutes * 60 / 10, stop);
            // Fitting is over by now; probes and the last pass over the corpus take about as long as 30 steps.
            var left = minutes * 60 - context.Time.GetElapsedTime(start).TotalSeconds - 30 * perStep;
            steps = Math.Max(1, (long)(left / perStep));
            context.Information($"Measured {perStep:0.000} s per step: {steps} steps fill {minutes} minutes.");
            if (steps < FewSteps)
                context.Warning($"{minutes} minutes are enough for {steps} steps alone, too few to learn much: allow more with --minutes, or take a smaller recipe. Programs that share the processor with this run slow it down many times over, because its threads wait for one another.");
        }
        var plan = new Plan(steps);
        DurableFile.WriteAllText(path, JsonSerializer.Serialize(plan, SpecJson.Strict));
        context.Store.KeepStaged(path);
        return plan;
    }

    private static EncoderManifest Publish(TrainSpec spec, JsonElement request, Recipe recipe, CorpusManifest corpus, PreparedCorpus prepared, Trained trained, RunContext context, string metricsPath)
    {
        var folder = context.Store.EncoderFolder(spec.Encoder);
        var publication = new Publication(context);
        var steps = trained.Metrics.Count == 0 ? 0 : trained.Metrics[^1].Step;
        var manifest = new EncoderManifest
        {
            Name = spec.Encoder,
            EncoderId = trained.EncoderId,
            PreprocessingId = trained.PreprocessingId,
            Modality = recipe.Modality,
            Recipe = recipe.Name,
            Corpus = spec.Corpus,
            CorpusVersion = corpus.Version,
            Preparation = prepared.Preparation,
            Levels = trained.Levels,
            Architecture = JsonSerializer.SerializeToElement(recipe, SpecJson.Line),
            Training = request,
            Parameters = trained.Parameters,
            Steps = steps,
            Device = trained.Device,
            Seconds = trained.Seconds,
            CpuSeconds = trained.CpuSeconds,
            Origin = spec.From is null ? null : context.Store.FindEncoder(spec.From)?.Origin,
            Probes = trained.Scores,
            RecommendedLevel = LevelChoice.Recommended(trained.Scores),
            Weights = publication.Add(Path.Combine(context.StagingFolder, "model.safetensors"), folder, "model.safetensors", 0),
            MetricParts = [publication.Add(metricsPath, folder, "metrics/part-00000.parquet", trained.Metrics.Count)],
            RunId = context.RunId,
            CreatedAt = context.Time.GetUtcNow(),
        };
        var card = Path.Combine(context.StagingFolder, "README.md");
        DurableFile.WriteAllText(card, ModelCard.Write(manifest, recipe, prepared.Count, trained.FinalLoss));
        publication.Add(card, folder, "README.md", 0);
        publication.Commit(Path.Combine(folder, "encoder.json"), manifest);
        publication.Finish();
        context.Information($"Published encoder '{spec.Encoder}' ({trained.EncoderId}) after {steps} steps in {trained.Seconds:0} s.");
        return manifest;
    }

    private static TrainResult ResultOf(EncoderManifest manifest, double seconds, bool alreadyDone) => new()
    {
        Encoder = manifest.Name,
        EncoderId = manifest.EncoderId,
        Modality = manifest.Modality,
        Recipe = manifest.Recipe,
        Steps = manifest.Steps,
        Seconds = seconds,
        FinalLoss = double.NaN,
        Device = manifest.Device,
        Probes = manifest.Probes,
        RecommendedLevel = manifest.RecommendedLevel,
        AlreadyDone = alreadyDone,
    };

    private static string Word(Modality modality) => modality.ToString().ToLowerInvariant();
}
