// What is measured of an item in the pass that decodes it.
namespace FeatureForge.Ingest;

/// <param name="Scores">Scores by name, as the items table keeps them; <see cref="QualityThresholds"/> says what they mean.</param>
/// <param name="Signature">What near duplicates share; null when the item says too little to be compared.</param>
internal sealed record Measured(IReadOnlyDictionary<string, float> Scores, byte[]? Signature)
{
    /// <summary>For decoding that only wants the data.</summary>
    public static Measured Nothing { get; } = new(new Dictionary<string, float>(), null);

    /// <summary>The same and one more score.</summary>
    public Measured With(string score, float value) => this with { Scores = new Dictionary<string, float>(Scores) { [score] = value } };
}
