// Makes encoders: fresh from a recipe, from another encoder's weights, or from the store; and writes their weight files.
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal static class EncoderFile
{
    /// <summary>What weight files of this program call themselves in their metadata.</summary>
    public const string Format = "featureforge-encoder";

    private const int PreprocessingRevision = 2;
    private const string VocabularyTensor = "vocabulary";

    /// <summary>A new encoder with fitted statistics and random weights drawn from the seed.</summary>
    public static Encoder Fresh(Recipe recipe, PreparedCorpus corpus, int seed, torch.Device device, CancellationToken stop)
    {
        var vocabulary = recipe.Modality == Modality.Text ? Vocabulary.Fit(corpus, recipe.Encoder.Words, recipe.Encoder.Buckets, stop).ToBytes() : null;
        var encoder = Build(recipe, corpus.Preparation, vocabulary, seed);
        encoder.MoveTo(device);
        encoder.Fit(corpus, seed, stop);
        return encoder;
    }

    /// <summary>An encoder with the weights and statistics of a file.</summary>
    /// <param name="randomSeed">When given, only the statistics are taken, and the network is random from this seed.</param>
    /// <exception cref="BadRequestException">The file does not fit the recipe's architecture.</exception>
    public static Encoder Load(string path, Recipe recipe, PreparationSpec preparation, torch.Device device, int? randomSeed = null)
    {
        using var scope = NewDisposeScope();
        var (tensors, _) = Safetensors.Read(path);
        byte[]? vocabulary = null;
        if (recipe.Modality == Modality.Text)
        {
            if (!tensors.TryGetValue(VocabularyTensor, out var words)) throw new BadRequestException($"{path} has no tensor '{VocabularyTensor}': not the weights of a text encoder.");
            vocabulary = HostCopies.ToArray<byte>(words);
        }
        var encoder = Build(recipe, preparation, vocabulary, randomSeed ?? 0);
        foreach (var tensor in encoder.State().Values) tensor.DetachFromDisposeScope();
        encoder.LoadState(tensors, path, statisticsOnly: randomSeed is not null);
        encoder.MoveTo(device);
        return encoder;
    }

    /// <summary>The encoder of a manifest.</summary>
    public static Encoder Load(Store store, EncoderManifest manifest, torch.Device device, int? randomSeed = null) =>
        Load(store.FileOf(store.EncoderFolder(manifest.Name), manifest.Weights), RecipeOf(manifest), manifest.Preparation, device, randomSeed);

    /// <summary>A second encoder of the same shape with the same values.</summary>
    public static Encoder Twin(Encoder encoder, PreparationSpec preparation)
    {
        using var scope = NewDisposeScope();
        var state = encoder.State();
        var vocabulary = state.TryGetValue(VocabularyTensor, out var words) ? HostCopies.ToArray<byte>(words) : null;
        var twin = Build(encoder.Recipe, preparation, vocabulary, seed: 0);
        foreach (var tensor in twin.State().Values) tensor.DetachFromDisposeScope();
        twin.MoveTo(encoder.Device);
        twin.LoadState(state, "its twin");
        return twin;
    }

    public static Recipe RecipeOf(EncoderManifest manifest) =>
        manifest.Architecture.Deserialize<Recipe>(SpecJson.Readable) ?? throw new InvalidDataException($"Encoder {manifest.Name} has no architecture in its manifest.");

    /// <summary>How to go on training: the architecture is always that of the weights, all else the named recipe's or, without one, that of the encoder.</summary>
    /// <param name="from">An encoder of the store, or a weight file of this program.</param>
    /// <exception cref="BadRequestException">Neither, or recipe and weights are of different modalities.</exception>
    public static Recipe RecipeToContinue(string from, string? recipe, Store store)
    {
        var named = recipe is null ? null : Recipe.Read(recipe);
        var (modality, own, architecture) = Before(from, store);
        if (named is not null && named.Modality != modality)
            throw new BadRequestException($"Recipe '{recipe}' is for {named.Modality.ToString().ToLowerInvariant()}, '{from}' an encoder for {modality.ToString().ToLowerInvariant()}.");
        return (named ?? own ?? Recipe.DefaultFor(modality)) with { Encoder = architecture };
    }

    private static (Modality Modality, Recipe? Recipe, EncoderSpec Architecture) Before(string from, Store store)
    {
        if (store.FindEncoder(from) is { } manifest) return (manifest.Modality, RecipeOf(manifest), RecipeOf(manifest).Encoder);
        if (!File.Exists(from)) throw new BadRequestException($"--from '{from}' is neither an encoder of this store nor a file; encoders: {string.Join(", ", store.Encoders().Select(e => e.Name))}.");
        using var file = CheckpointSource.Open(from);
        if (file.Metadata.GetValueOrDefault("format") != Format || !file.Metadata.TryGetValue("architecture", out var text) || !Enum.TryParse<Modality>(file.Metadata.GetValueOrDefault("modality"), ignoreCase: true, out var modality))
            throw new BadRequestException($"{from} was not written by this program. Bring it into the store first: featureforge import-encoder {from} --name NAME; then continue with --from NAME.");
        try { return (modality, null, JsonSerializer.Deserialize<EncoderSpec>(text, SpecJson.Line)!); }
        catch (JsonException error) { throw new BadRequestException($"{from} describes its architecture in a way that cannot be read: {error.Message}"); }
    }

    /// <summary>The modules of an encoder, random from the seed. <paramref name="vocabulary"/>: text only, one entry a line.</summary>
    public static Encoder Build(Recipe recipe, PreparationSpec preparation, byte[]? vocabulary, int seed)
    {
        _ = TorchLibrary.Report;
        manual_seed(seed);
        return recipe.Modality switch
        {
            Modality.Image => new ImageEncoder(recipe, preparation),
            Modality.Audio => recipe.Encoder.Speech is null ? new AudioEncoder(recipe, preparation) : new SpeechEncoder(recipe, preparation),
            _ => recipe.Encoder.Transformer is null
                ? new TextEncoder(recipe, Vocabulary.FromBytes(vocabulary!, recipe.Encoder.Buckets))
                : new TokenEncoder(recipe, TextTokens.FromBytes(vocabulary!, recipe.Encoder)),
        };
    }

    public static void Save(string path, Encoder encoder, string preprocessingId) =>
        Safetensors.Write(path, encoder.State(), new Dictionary<string, string>
        {
            ["format"] = Format,
            ["modality"] = encoder.Recipe.Modality.ToString().ToLowerInvariant(),
            ["architecture"] = JsonSerializer.Serialize(encoder.Recipe.Encoder, SpecJson.Line),
            ["preprocessing_id"] = preprocessingId,
        });

    /// <summary>Hash of how items become numbers: preparation and the front end's sizes. Fitted statistics belong to the weights.</summary>
    public static string PreprocessingId(Recipe recipe, PreparationSpec preparation) => ContentId.Of(JsonSerializer.Serialize(
        new { preparation, revision = PreprocessingRevision, recipe.Encoder.ImageSize, recipe.Encoder.Bands, recipe.Encoder.FramesPerSecond, recipe.Encoder.Words, recipe.Encoder.Buckets }, SpecJson.Line));

    /// <summary>Hash of tensor contents, architecture and preprocessing: identical training gives the identical id.</summary>
    public static string EncoderId(Encoder encoder, string preprocessingId)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(encoder.Recipe.Encoder, SpecJson.Line) + preprocessingId));
        foreach (var (name, tensor) in encoder.State().OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            using var scope = NewDisposeScope();
            hash.AppendData(Encoding.UTF8.GetBytes($"{name}:{tensor.dtype}:{string.Join(',', tensor.shape)};"));
            var host = tensor.detach().cpu().contiguous();
            if (host.numel() > 0) hash.AppendData(host.bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }
}
