// How deep in the encoder a vector was read. Names, not an enum: recipes may add levels.
namespace FeatureForge.Data;

/// <summary>The levels every encoder has, from nothing learned to deepest.</summary>
public static class Level
{
    /// <summary>Closed-form features; nothing learned.</summary>
    public const string Raw = "raw";
    public const string Low = "low";
    public const string Mid = "mid";
    public const string High = "high";

    /// <summary>The levels that a network makes, shallow to deep.</summary>
    public static IReadOnlyList<string> Learned { get; } = [Low, Mid, High];

    /// <summary>All standard levels, shallow to deep.</summary>
    public static IReadOnlyList<string> All { get; } = [Raw, .. Learned];
}
