// What a training run does unless told otherwise: read from Recipes/*.json, which also say command, hardware, time and score.
using System.Reflection;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Learning;

/// <summary>A recipe: architecture, views, objective, optimiser and budget of one modality.</summary>
internal sealed record Recipe
{
    public required string Name { get; init; }
    public required Modality Modality { get; init; }
    /// <summary>Header for people: the command line, the machine, the time and the score that was measured with it.</summary>
    public required string Command { get; init; }
    public required string Hardware { get; init; }
    public required string Time { get; init; }
    public required string ExpectedScore { get; init; }

    public required EncoderSpec Encoder { get; init; }
    public ImageViewSpec ImageViews { get; init; } = new();
    public AudioViewSpec AudioViews { get; init; } = new();
    public TextViewSpec TextViews { get; init; } = new();
    /// <summary>The losses, added up by their weights.</summary>
    public required IReadOnlyList<ObjectiveSpec> Objectives { get; init; }

    /// <summary>Items per step; fewer when the corpus is smaller.</summary>
    public int BatchSize { get; init; } = 256;
    public double LearningRate { get; init; } = 2e-3;
    public double WeightDecay { get; init; } = 0.05;
    /// <summary>Share of the steps in which the learning rate rises.</summary>
    public double Warmup { get; init; } = 0.05;
    /// <summary>Item visits when no budget is given: epochs = visits / items, between the two limits.</summary>
    public required long DefaultVisits { get; init; }
    public int FewestEpochs { get; init; } = 1;
    public int MostEpochs { get; init; } = 200;

    /// <summary>The built-in recipes' names.</summary>
    public static IReadOnlyList<string> BuiltIn { get; } = ["image-tiny", "audio-tiny", "text-tiny"];

    /// <summary>The recipe used when none is named.</summary>
    public static Recipe DefaultFor(Modality modality) => Read($"{modality.ToString().ToLowerInvariant()}-tiny");

    /// <summary>A built-in recipe by name, or a recipe file.</summary>
    /// <exception cref="BadRequestException">Neither exists, or the file is not a recipe; every problem of its objectives is listed.</exception>
    public static Recipe Read(string nameOrPath)
    {
        using var stream = BuiltIn.Contains(nameOrPath)
            ? Assembly.GetExecutingAssembly().GetManifestResourceStream($"FeatureForge.Learning.Recipes.{nameOrPath}.json")
            : File.Exists(nameOrPath) ? File.OpenRead(nameOrPath) : null;
        if (stream is null)
            throw new BadRequestException($"There is no recipe '{nameOrPath}': expected one of {string.Join(", ", BuiltIn)}, or the path of a recipe file.");
        try
        {
            using var json = JsonDocument.Parse(stream);
            if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("objectives", out var objectives))
                BadRequestException.ThrowIfAny(Of(nameOrPath, ObjectiveKinds.Misspelt(objectives)));
            var recipe = json.Deserialize<Recipe>(SpecJson.Strict)!;
            BadRequestException.ThrowIfAny(Of(nameOrPath, ObjectiveKinds.Problems(recipe.Objectives, recipe.Modality)));
            return recipe;
        }
        catch (JsonException error)
        {
            throw new BadRequestException($"Recipe {nameOrPath} cannot be read: {error.Message}");
        }
    }

    private static List<string> Of(string nameOrPath, IEnumerable<string> problems) => [.. problems.Select(problem => $"Recipe {nameOrPath}: {problem}")];

    /// <summary>Steps when no budget is given.</summary>
    public long DefaultSteps(int items) =>
        StepsFor(Math.Clamp((double)DefaultVisits / items, FewestEpochs, MostEpochs), items);

    /// <summary>Steps of that many passes over the corpus.</summary>
    public long StepsFor(double epochs, int items) =>
        Math.Max(1, (long)Math.Round(epochs * items / Math.Min(BatchSize, items)));
}

/// <summary>The architecture: enough, with the preparation, to build the modules that a weight file fills.</summary>
internal sealed record EncoderSpec
{
    /// <summary>Convolutional encoders: channels and stride of every block.</summary>
    public IReadOnlyList<int> Widths { get; init; } = [];
    public IReadOnlyList<int> Strides { get; init; } = [];
    /// <summary>Strides along the columns (audio: time) where they differ from those along the rows; null = the same.</summary>
    public IReadOnlyList<int>? TimeStrides { get; init; }

    internal IReadOnlyList<int> ColumnStrides => TimeStrides ?? Strides;

    /// <summary>After which block (1 = first) the levels are read.</summary>
    public int Low { get; init; }
    public int Mid { get; init; }
    public int High { get; init; }
    /// <summary>Image: pixels per side that the network sees, at most the prepared size.</summary>
    public int ImageSize { get; init; }
    /// <summary>Audio: bands and frames per second that the network sees.</summary>
    public int Bands { get; init; }
    public int FramesPerSecond { get; init; }

    /// <summary>Text: words of the vocabulary at most, and buckets for all others.</summary>
    public int Words { get; init; }
    public int Buckets { get; init; }
    /// <summary>Text: width of the word vectors and of the head's hidden layer.</summary>
    public int Width { get; init; }
    public int Hidden { get; init; }
    /// <summary>Text: dimensions of the latent semantic space of the raw level.</summary>
    public int RawWidth { get; init; }
}
