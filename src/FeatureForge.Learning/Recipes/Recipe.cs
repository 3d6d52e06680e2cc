// What a training run does unless told otherwise: read from Recipes/*.json, which also say command, hardware, time and score.
using System.Reflection;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Learning;

/// <summary>A recipe: architecture, views, objective, optimiser and budget of one modality.</summary>
internal sealed record Recipe
{
    /// <summary>What the encoder's manifest and card call it.</summary>
    public required string Name { get; init; }
    /// <summary>audio, image or text.</summary>
    public required Modality Modality { get; init; }
    /// <summary>For people: the command line.</summary>
    public required string Command { get; init; }
    /// <summary>For people: the machine it is meant for.</summary>
    public required string Hardware { get; init; }
    /// <summary>For people: how long it takes there.</summary>
    public required string Time { get; init; }
    /// <summary>For people: what was measured with it.</summary>
    public required string ExpectedScore { get; init; }

    /// <summary>Transformers: the one dial. It gives heads, width = 64 heads, depth = 2 heads, and the levels at thirds of the depth; 0 = all are written out.</summary>
    public int Size { get; init; }
    /// <summary>The architecture.</summary>
    public required EncoderSpec Encoder { get; init; }
    /// <summary>Image: pixels per side of the prepared pictures; null = as the corpus has been prepared at ingest.</summary>
    public int? PreparedSize { get; init; }
    /// <summary>How pictures are altered into views.</summary>
    public ImageViewSpec ImageViews { get; init; } = new();
    /// <summary>How recordings are altered into views.</summary>
    public AudioViewSpec AudioViews { get; init; } = new();
    /// <summary>How documents are cut into views.</summary>
    public TextViewSpec TextViews { get; init; } = new();
    /// <summary>Large views of an item per step.</summary>
    public int GlobalViews { get; init; } = 2;
    /// <summary>Small crops or short stretches of an item per step.</summary>
    public int LocalViews { get; init; }

    internal int ViewCount => GlobalViews + LocalViews;

    /// <summary>The losses, added up by their weights.</summary>
    public required IReadOnlyList<ObjectiveSpec> Objectives { get; init; }

    /// <summary>Items per step; fewer when the corpus is smaller.</summary>
    public int BatchSize { get; init; } = 256;
    /// <summary>Highest learning rate; it falls along a half cosine after the warm-up.</summary>
    public double LearningRate { get; init; } = 2e-3;
    /// <summary>Decoupled weight decay of matrices; biases and norms have none.</summary>
    public double WeightDecay { get; init; } = 0.05;
    /// <summary>Share of the steps in which the learning rate rises.</summary>
    public double Warmup { get; init; } = 0.05;
    /// <summary>adamw, or lars for large batches.</summary>
    public string Optimiser { get; init; } = "adamw";
    /// <summary>Largest norm of all gradients together; larger ones are scaled down to it. 0 = never.</summary>
    public double ClipNorm { get; init; }
    /// <summary>Parts a batch is cut into, one after another, before the parameters move; halves memory at 2. Objectives that compare items see one part at a time.</summary>
    public int Accumulate { get; init; } = 1;
    /// <summary>float32, bfloat16 or float16 for the products of the forward and backward pass; auto = bfloat16 where the device computes with it, else float32.</summary>
    public string Precision { get; init; } = "auto";
    /// <summary>Share of the teacher (a running mean of the weights) that stays at each step, rising to 1 by the end; 0 = 0.99 when an objective asks for a teacher, else there is none.</summary>
    public double TeacherDecay { get; init; }
    /// <summary>True: the published weights are the teacher's.</summary>
    public bool PublishTeacher { get; init; }
    /// <summary>End early when that many probes in a row brought no better score; 0 = never.</summary>
    public int Patience { get; init; }
    /// <summary>Probes of label-free quality during training, evenly spaced.</summary>
    public int Probes { get; init; } = 4;
    /// <summary>Item visits when no budget is given: epochs = visits / items, between the two limits.</summary>
    public required long DefaultVisits { get; init; }
    /// <summary>Passes over the corpus at least when no budget is given.</summary>
    public int FewestEpochs { get; init; } = 1;
    /// <summary>Passes over the corpus at most when no budget is given.</summary>
    public int MostEpochs { get; init; } = 200;

    /// <summary>The built-in recipes' names.</summary>
    public static IReadOnlyList<string> BuiltIn { get; } =
    [
        "image-tiny", "image-small", "image-base", "audio-tiny", "audio-small", "audio-base", "text-tiny", "text-small", "text-base",
    ];

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
            var recipe = json.Deserialize<Recipe>(SpecJson.Strict)!.Sized();
            BadRequestException.ThrowIfAny(Of(nameOrPath, ObjectiveKinds.Problems(recipe.Objectives, recipe.Modality).Concat(recipe.Encoder.Problems())));
            if (recipe.Encoder.Transformer is { } transformer) BadRequestException.ThrowIfAny(Of(nameOrPath, transformer.Problems(ofGrids: recipe.Modality != Modality.Text && recipe.Encoder.Speech is null)));
            return recipe;
        }
        catch (JsonException error)
        {
            throw new BadRequestException($"Recipe {nameOrPath} cannot be read: {error.Message}");
        }
    }

    private Recipe Sized()
    {
        if (Size == 0 || Encoder.Transformer is not { } transformer) return this;
        var sized = transformer with { Heads = Size, Width = 64 * Size, Depth = 2 * Size };
        return this with { Encoder = ImportedNetwork.WithLevels(Encoder with { Transformer = sized }, sized.Depth) };
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
    /// <summary>Convolutional encoders: channels of every block.</summary>
    public IReadOnlyList<int> Widths { get; init; } = [];
    /// <summary>Convolutional encoders: stride of every block.</summary>
    public IReadOnlyList<int> Strides { get; init; } = [];
    /// <summary>Strides along the columns (audio: time) where they differ from those along the rows; null = the same.</summary>
    public IReadOnlyList<int>? TimeStrides { get; init; }

    internal IReadOnlyList<int> ColumnStrides => TimeStrides ?? Strides;

    /// <summary>A transformer instead of convolutions (grids) or of the bag of words (text); null = none.</summary>
    public TransformerSpec? Transformer { get; init; }
    /// <summary>Audio: the network sees the samples themselves, through these convolutions; null = log-mel spectrograms.</summary>
    public SpeechSpec? Speech { get; init; }

    /// <summary>Image: the network sees the activations of the raw level's dictionary of patches, at half the side, instead of pixels.</summary>
    public bool DictionaryStem { get; init; }
    /// <summary>Image: vectors are the mean of the picture's and its mirror image's; twice the time of extraction.</summary>
    public bool Mirror { get; init; }
    /// <summary>Side of every block's kernel; empty = 3 throughout.</summary>
    public IReadOnlyList<int> Kernels { get; init; } = [];
    /// <summary>Which blocks are residual pairs of convolutions; empty = none.</summary>
    public IReadOnlyList<bool> Residual { get; init; } = [];

    internal int Kernel(int block) => Kernels.Count == 0 ? 3 : Kernels[block];

    internal bool IsResidual(int block) => Residual.Count > 0 && Residual[block];

    /// <summary>Convolutional encoders: widths of fully connected blocks on the pooled last block. They count on as blocks; objectives see the last one.</summary>
    public IReadOnlyList<int> Head { get; init; } = [];

    /// <summary>After which blocks (1 = first) the level low is read; the vectors of several blocks stand side by side.</summary>
    public IReadOnlyList<int> Low { get; init; } = [];
    /// <summary>The same for mid.</summary>
    public IReadOnlyList<int> Mid { get; init; } = [];
    /// <summary>The same for high.</summary>
    public IReadOnlyList<int> High { get; init; } = [];

    /// <summary>Levels whose vectors leave the encoder with all directions about equally wide, not only all dimensions.</summary>
    public IReadOnlyList<string> Whitened { get; init; } = [];
    /// <summary>How far whitening stops short: what is added to every direction's variance, as a share of their mean. More helps clusters, less neighbours.</summary>
    public double WhiteningLift { get; init; } = 0.05;

    /// <summary>Every problem of the parts that go beyond blocks and words, each a sentence.</summary>
    internal IEnumerable<string> Problems()
    {
        if (Head.Any(width => width < 1)) yield return $"encoder head has widths {string.Join(", ", Head)}; expected at least 1 each.";
        if (Head.Count > 0 && Widths.Count == 0) yield return "encoder head follows convolutions; this encoder has no widths of them.";
        if (!(RawShare >= 0) || !double.IsFinite(RawShare)) yield return $"encoder raw_share is {RawShare}; expected 0 or more.";
        if (RawShare > 0 && (Transformer is not null || Widths.Count > 0)) yield return "encoder raw_share is for the bag of words; this encoder is another one.";
    }

    internal IReadOnlyList<int> BlocksOf(string level) => level switch
    {
        Level.Low => Low,
        Level.Mid => Mid,
        Level.High => High,
        _ => throw new ArgumentException($"Level '{level}' is not one of {string.Join(", ", Level.All)}."),
    };

    /// <summary>Image: pixels per side that the network sees, at most the prepared size.</summary>
    public int ImageSize { get; init; }
    /// <summary>Audio: mel bands that the network sees.</summary>
    public int Bands { get; init; }
    /// <summary>Audio: frames per second that the network sees.</summary>
    public int FramesPerSecond { get; init; }

    /// <summary>Text: words of the vocabulary at most.</summary>
    public int Words { get; init; }
    /// <summary>Text: buckets for words outside the vocabulary.</summary>
    public int Buckets { get; init; }
    /// <summary>Text: width of the word vectors.</summary>
    public int Width { get; init; }
    /// <summary>Text: width of the hidden layer of the head.</summary>
    public int Hidden { get; init; }
    /// <summary>Text, transformer: tokens that the network sees at once at most.</summary>
    public int Longest { get; init; }
    /// <summary>Text, transformer: the vocabulary is one of word pieces; null = words of the corpus.</summary>
    public WordPieceSpec? WordPieces { get; init; }
    /// <summary>Text: word vectors start at random values instead of at the latent semantic space; for comparisons.</summary>
    public bool RandomWords { get; init; }
    /// <summary>Text: dimensions of the latent semantic space of the raw level.</summary>
    public int RawWidth { get; init; }
    /// <summary>Text, bag of words: how much of the raw level stands beside the learned vector at high, as a share of its length; 0 = nothing.</summary>
    public double RawShare { get; init; }
}
