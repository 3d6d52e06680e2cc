// How two vectors are compared; the words are those of manifests and file key-values.
namespace FeatureForge.Tensors;

/// <summary>Cosine: 1 - cosine similarity, in [0,2]. L2: Euclidean distance.</summary>
public enum VectorMetric
{
    Cosine,
    L2,
}

/// <summary>The metric's word in manifests.</summary>
public static class VectorMetrics
{
    /// <exception cref="ArgumentException">Neither cosine nor l2.</exception>
    public static VectorMetric Parse(string word) => word switch
    {
        "cosine" => VectorMetric.Cosine,
        "l2" => VectorMetric.L2,
        _ => throw new ArgumentException($"Metric '{word}' is unknown; expected cosine or l2.", nameof(word)),
    };
}
