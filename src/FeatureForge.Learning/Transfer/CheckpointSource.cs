// Where a checkpoint lies: a .safetensors file, or a folder as Hugging Face lays it out, with its JSON files and vocabulary beside it.
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Learning;

/// <summary>The files of one checkpoint.</summary>
internal sealed class CheckpointSource
{
    /// <summary>The families that can be read, as --architecture names them.</summary>
    public static IReadOnlyList<string> Families { get; } = ["vit", "dinov2", "wav2vec2", "hubert", "bert"];

    private readonly string? _config;
    private readonly string? _preprocessor;
    private readonly string? _tokenizer;
    private readonly string? _vocabulary;

    private CheckpointSource(string weights, string? config, string? vocabulary)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(weights))!;
        string? Beside(string name) => File.Exists(Path.Combine(folder, name)) ? Path.Combine(folder, name) : null;
        Weights = weights;
        _config = config ?? Beside("config.json");
        _preprocessor = Beside("preprocessor_config.json");
        _tokenizer = Beside("tokenizer_config.json");
        _vocabulary = vocabulary ?? Beside("vocab.txt");
        OwnManifest = Beside("encoder.json");
        Card = Beside("README.md");
    }

    /// <summary>The .safetensors file.</summary>
    public string Weights { get; }

    /// <summary>encoder.json of an exported encoder of ours; null when there is none.</summary>
    public string? OwnManifest { get; }

    /// <summary>README.md beside it; null when there is none.</summary>
    public string? Card { get; }

    /// <summary>Finds the files.</summary>
    /// <param name="source">A file or a folder.</param>
    /// <exception cref="BadRequestException">There is no single .safetensors file, or a named file is missing; pickled files are told how to convert.</exception>
    public static CheckpointSource Find(string source, string? config, string? vocabulary)
    {
        var problems = new List<string>();
        foreach (var path in new[] { config, vocabulary }) if (path is not null && !File.Exists(path)) problems.Add($"{path} does not exist.");
        BadRequestException.ThrowIfAny(problems);
        if (File.Exists(source)) return new(source, config, vocabulary);
        if (!Directory.Exists(source)) throw new BadRequestException($"{source} does not exist: expected a .safetensors file or a folder with one.");
        var usual = Path.Combine(source, "model.safetensors");
        if (File.Exists(usual)) return new(usual, config, vocabulary);
        var found = Directory.GetFiles(source, "*.safetensors");
        if (found.Length == 1) return new(found[0], config, vocabulary);
        if (found.Length > 1) throw new BadRequestException($"{source} holds {found.Length} .safetensors files; join the parts into one, or name the one to read.");
        // Opening says what to do about it.
        if (Directory.EnumerateFiles(source).FirstOrDefault(path => Path.GetExtension(path) is ".bin" or ".pt" or ".pth") is { } pickled) Open(pickled).Dispose();
        throw new BadRequestException($"{source} holds no .safetensors file.");
    }

    /// <exception cref="BadRequestException">The file is broken, pickled, or something else.</exception>
    public static SafetensorsFile Open(string path)
    {
        try { return SafetensorsFile.Open(path); }
        catch (InvalidDataException error) { throw new BadRequestException(error.Message); }
    }

    /// <summary>The checkpoint in our terms.</summary>
    /// <exception cref="BadRequestException">No known family, or something is missing, unexpected or cannot be built.</exception>
    public ImportedNetwork Read(SafetensorsFile file)
    {
        var taker = new TensorTaker(file);
        var config = new CheckpointConfig(Json(_config), Json(_preprocessor));
        if (SpeechCheckpoint.Fits(taker)) return SpeechCheckpoint.Read(taker, config);
        if (TextCheckpoint.Fits(taker)) return TextCheckpoint.Read(taker, config, Pieces(), VocabularyLines().Count);
        if (VisionCheckpoint.Fits(taker)) return VisionCheckpoint.Read(taker, config);
        var names = file.Entries.Values.Take(5).Select(entry => $"{entry.Name} {entry}");
        throw new BadRequestException($"{Weights} is of no family that can be imported ({string.Join(", ", Families)}); it begins with {string.Join("; ", names)}.");
    }

    /// <summary>Lines of vocab.txt; a last empty one does not count.</summary>
    /// <exception cref="BadRequestException">There is none.</exception>
    public IReadOnlyList<string> VocabularyLines()
    {
        if (_vocabulary is null) throw new BadRequestException($"A text encoder needs its vocabulary: put vocab.txt beside {Weights}, or name it with --vocabulary.");
        var lines = File.ReadAllText(_vocabulary).ReplaceLineEndings("\n").Split('\n');
        return lines[^1].Length == 0 ? lines[..^1] : lines;
    }

    private WordPieceSpec Pieces()
    {
        var tokenizer = Json(_tokenizer);
        bool? Flag(string name) => tokenizer is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null;
        // Without a word from the checkpoint: a vocabulary without capitals is one for lower case.
        var lines = VocabularyLines();
        var lowerCase = Flag("do_lower_case") ?? !lines.Any(line => !line.StartsWith('[') && line.Any(char.IsAsciiLetterUpper));
        return WordPieceSpec.Of(lines, lowerCase, Flag("strip_accents") ?? lowerCase);
    }

    private static JsonElement? Json(string? path)
    {
        if (path is null) return null;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return document.RootElement.Clone();
        }
        catch (JsonException error) { throw new BadRequestException($"{path} is not JSON: {error.Message}"); }
    }
}
