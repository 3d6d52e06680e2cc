// [ImportRun] a checkpoint of another program, or an exported encoder -> encoders/NAME. Read top to bottom.
// What the checkpoint does not bring (raw features, the levels' centre and scale) is fitted on a corpus when one is named; else the
// scale is the identity and the raw level is closed form with a fixed random dictionary (pictures) or projection (text).
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Publishes an encoder that was made elsewhere.</summary>
public static class ImportRun
{
    private sealed record Imported(string EncoderId, string PreprocessingId, Recipe Recipe, PreparationSpec Preparation, IReadOnlyList<EncoderLevel> Levels, long Parameters, string Family,
        IReadOnlyList<string> LeftOut, EncoderManifest? Before);

    /// <exception cref="BadRequestException">The request or the checkpoint cannot be used; nothing was published.</exception>
    public static async Task<ImportResult> ExecuteAsync(ImportSpec spec, RunContext context, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        var request = JsonSerializer.SerializeToElement(spec, SpecJson.Line);
        var source = CheckpointSource.Find(spec.Source, spec.Config, spec.Vocabulary);
        if (context.Store.FindEncoder(spec.Encoder) is { } existing)
        {
            if (existing.RunId != context.RunId && !JsonElement.DeepEquals(existing.Training, request))
                throw new BadRequestException($"Encoder '{spec.Encoder}' exists, made by another request (run {existing.RunId}). Choose another name.");
            new Publication(context).Finish();
            return ResultOf(existing, []);
        }
        var imported = await TorchThread.RunAsync("import", () => Import(spec, source, context, stop), context.Warning).ConfigureAwait(false);
        return ResultOf(Publish(spec, request, source, imported, context), imported.LeftOut);
    }

    /// <summary>The prepared form that the encoder to be imported will read.</summary>
    /// <exception cref="BadRequestException">The checkpoint cannot be used.</exception>
    public static PreparationSpec PreparationOf(ImportSpec spec)
    {
        _ = TorchLibrary.Report;
        BadRequestException.ThrowIfAny(spec.Problems());
        var source = CheckpointSource.Find(spec.Source, spec.Config, spec.Vocabulary);
        using var scope = NewDisposeScope();
        using var file = CheckpointSource.Open(source.Weights);
        return IsOwn(file) ? Manifest(spec, source).Preparation : Preparation(source.Read(file));
    }

    private static Imported Import(ImportSpec spec, CheckpointSource source, RunContext context, CancellationToken stop)
    {
        _ = TorchLibrary.Report;
        using var scope = NewDisposeScope();
        using var file = CheckpointSource.Open(source.Weights);
        return IsOwn(file) ? ImportOwn(spec, source, context) : ImportForeign(spec, source, file, context, stop);
    }

    private static bool IsOwn(SafetensorsFile file) => file.Metadata.GetValueOrDefault("format") == EncoderFile.Format;

    private static Imported ImportForeign(ImportSpec spec, CheckpointSource source, SafetensorsFile file, RunContext context, CancellationToken stop)
    {
        var network = source.Read(file);
        if (spec.Architecture != "auto" && spec.Architecture != network.Family)
            throw new BadRequestException($"--architecture {spec.Architecture}: {source.Weights} is of family {network.Family}.");
        context.Information($"Importing {network.Family} from {Path.GetFileName(source.Weights)}: {network.Encoder.Transformer!.Depth} blocks of width {network.Encoder.Transformer.Width}.");
        if (network.LeftOut.Count > 0) context.Information($"Left out, as an encoder has no use for them: {string.Join("; ", network.LeftOut)}.");
        var (recipe, preparation) = (RecipeOf(network), Preparation(network));
        using var encoder = EncoderFile.Build(recipe, preparation, network.Modality == Modality.Text ? System.Text.Encoding.UTF8.GetBytes(string.Join('\n', source.VocabularyLines())) : null, seed: 0);
        Fill(encoder, network, fitted: spec.Corpus is not null);
        if (spec.Corpus is not null)
        {
            using var corpus = PreparedCorpus.Open(context.Store, spec.Corpus, preparation);
            encoder.Fit(corpus, 0, stop);
            // The checkpoint's own mean and deviation, not the corpus's.
            Fill(encoder, network, fitted: true);
            EncoderScaling.Fit(encoder, corpus, stop);
        }
        var preprocessingId = EncoderFile.PreprocessingId(recipe, preparation);
        EncoderFile.Save(Staged(context), encoder, preprocessingId);
        return new(EncoderFile.EncoderId(encoder, preprocessingId), preprocessingId, recipe, preparation, encoder.Levels, encoder.parameters().Sum(parameter => parameter.numel()), network.Family, network.LeftOut, null);
    }

    private static void Fill(Encoder encoder, ImportedNetwork network, bool fitted)
    {
        using var noGradient = no_grad();
        var state = encoder.State();
        foreach (var (name, value) in network.Tensors) state["network." + name].copy_(value);
        if (network.Modality == Modality.Image)
        {
            state["mean"].copy_(HostCopies.ToTensor(network.Mean, [3, 1, 1], CPU));
            state["deviation"].copy_(HostCopies.ToTensor(network.Deviation, [3, 1, 1], CPU));
        }
        foreach (var name in new[] { "dictionary.entries", "projection" })
            if (!fitted && state.TryGetValue(name, out var random)) Randomise(random);
        encoder.AfterLoad();
    }

    // Random directions keep distances about as they are (Johnson, Lindenstrauss 1984; Achlioptas 2003).
    private static void Randomise(Tensor rows)
    {
        var draws = new CounterRandom(1);
        var values = new float[rows.numel()];
        var scale = 1 / Math.Sqrt(rows.size(1));
        for (var i = 0; i < values.Length; i++) values[i] = (float)(scale * draws.Normal(i));
        rows.copy_(HostCopies.ToTensor(values, rows.shape, CPU));
    }

    private static PreparationSpec Preparation(ImportedNetwork network) => new()
    {
        Modality = network.Modality,
        ImageSize = network.Modality == Modality.Image ? network.Encoder.ImageSize : null,
        SampleRate = network.Modality == Modality.Audio ? LogMel.SampleRate : null,
    };

    // How to train on is the modality's default; the architecture is the checkpoint's.
    private static Recipe RecipeOf(ImportedNetwork network)
    {
        var recipe = Recipe.DefaultFor(network.Modality);
        return recipe with
        {
            Name = $"imported-{network.Family}",
            Command = "featureforge train --corpus CORPUS --encoder NAME --from ENCODER",
            Hardware = "not measured: needs a GPU",
            Time = "not measured",
            ExpectedScore = "not measured: weights made elsewhere",
            Encoder = network.Encoder,
            LearningRate = 1e-4,
            BatchSize = 64,
            TextViews = recipe.TextViews with { Longest = network.Encoder.Longest > 0 ? Math.Min(recipe.TextViews.Longest, network.Encoder.Longest - 2) : recipe.TextViews.Longest },
        };
    }

    private static Imported ImportOwn(ImportSpec spec, CheckpointSource source, RunContext context)
    {
        var manifest = Manifest(spec, source);
        if (spec.Corpus is not null) throw new BadRequestException("--corpus: an exported encoder brings its own statistics; leave it out.");
        using var encoder = EncoderFile.Load(source.Weights, EncoderFile.RecipeOf(manifest), manifest.Preparation, CPU);
        var id = EncoderFile.EncoderId(encoder, manifest.PreprocessingId);
        if (id != manifest.EncoderId)
            throw new BadRequestException($"{source.Weights} does not belong to {source.OwnManifest}: its encoder_id is {id}, the file says {manifest.EncoderId}. Export it again.");
        File.Copy(source.Weights, Staged(context), overwrite: true);
        return new(id, manifest.PreprocessingId, EncoderFile.RecipeOf(manifest), manifest.Preparation, encoder.Levels, manifest.Parameters, "featureforge", [], manifest);
    }

    private static EncoderManifest Manifest(ImportSpec spec, CheckpointSource source)
    {
        var path = spec.Config ?? source.OwnManifest
            ?? throw new BadRequestException($"{source.Weights} was exported by this program, but its encoder.json is not beside it; copy it there or name it with --config.");
        try
        {
            return JsonSerializer.Deserialize<EncoderManifest>(File.ReadAllText(path), SpecJson.Readable)!;
        }
        catch (JsonException error) { throw new BadRequestException($"{path} is no encoder.json: {error.Message}"); }
    }

    // Made when there is something to stage: a refused checkpoint leaves nothing behind.
    private static string Staged(RunContext context) => Path.Combine(Directory.CreateDirectory(context.StagingFolder).FullName, "model.safetensors");

    private static EncoderManifest Publish(ImportSpec spec, JsonElement request, CheckpointSource source, Imported imported, RunContext context)
    {
        var folder = context.Store.EncoderFolder(spec.Encoder);
        var publication = new Publication(context);
        var corpus = spec.Corpus is null ? null : context.Store.FindCorpus(spec.Corpus);
        var origin = new EncoderOrigin(imported.Family, Path.GetFileName(source.Weights), DurableFile.Describe(source.Weights, "", 0).Sha256, CheckpointLicence.Of(source.Card));
        var manifest = new EncoderManifest
        {
            Name = spec.Encoder,
            EncoderId = imported.EncoderId,
            PreprocessingId = imported.PreprocessingId,
            Modality = imported.Recipe.Modality,
            Recipe = imported.Recipe.Name,
            Corpus = imported.Before?.Corpus ?? corpus?.Name ?? "",
            CorpusVersion = imported.Before?.CorpusVersion ?? corpus?.Version ?? 0,
            Preparation = imported.Preparation,
            Levels = imported.Levels,
            Architecture = JsonSerializer.SerializeToElement(imported.Recipe, SpecJson.Line),
            Training = request,
            Parameters = imported.Parameters,
            Steps = imported.Before?.Steps ?? 0,
            Device = imported.Before?.Device ?? "elsewhere",
            Probes = imported.Before?.Probes ?? new Dictionary<string, double>(),
            RecommendedLevel = imported.Before?.RecommendedLevel,
            Seconds = imported.Before?.Seconds,
            CpuSeconds = imported.Before?.CpuSeconds,
            // Weights that came through another store keep their first origin.
            Origin = imported.Before?.Origin ?? origin,
            Weights = publication.Add(Staged(context), folder, "model.safetensors", 0),
            MetricParts = [],
            RunId = context.RunId,
            CreatedAt = context.Time.GetUtcNow(),
        };
        var card = Path.Combine(context.StagingFolder, "README.md");
        DurableFile.WriteAllText(card, ExportCard.Write(manifest, imported.Recipe, items: null));
        publication.Add(card, folder, "README.md", 0);
        publication.Commit(Path.Combine(folder, "encoder.json"), manifest);
        publication.Finish();
        context.Information($"Published encoder '{spec.Encoder}' ({manifest.EncoderId}) from {origin.File}.");
        return manifest;
    }

    private static ImportResult ResultOf(EncoderManifest manifest, IReadOnlyList<string> leftOut) => new()
    {
        Encoder = manifest.Name,
        EncoderId = manifest.EncoderId,
        Modality = manifest.Modality,
        Family = manifest.Origin?.Family ?? "featureforge",
        Parameters = manifest.Parameters,
        Levels = manifest.Levels,
        LeftOut = leftOut,
    };
}

/// <summary>The licence that a model card's front matter names.</summary>
internal static class CheckpointLicence
{
    /// <summary>The value of "license:" between the card's first two lines of dashes; null when there is none.</summary>
    public static string? Of(string? card)
    {
        if (card is null) return null;
        var lines = File.ReadLines(card).Take(200).ToList();
        if (lines.Count == 0 || lines[0].Trim() != "---") return null;
        var line = lines.Skip(1).TakeWhile(text => text.Trim() != "---").FirstOrDefault(text => text.StartsWith("license:", StringComparison.OrdinalIgnoreCase));
        var value = line?["license:".Length..].Trim().Trim('"', '\'');
        return string.IsNullOrEmpty(value) ? null : value;
    }
}
