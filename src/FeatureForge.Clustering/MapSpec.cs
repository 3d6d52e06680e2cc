// The request of a map run and what it gives back.
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>Lay the vectors of a clustering out in two dimensions; the coordinates go beside the clustering.</summary>
public sealed record MapSpec
{
    public required string Set { get; init; }
    /// <summary>The clustering whose level and grain are mapped; null = the set's only clustering.</summary>
    public string? Clustering { get; init; }
    public int Seed { get; init; }
    /// <summary>auto, cpu or cuda.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Every problem of the request that can be seen without the store.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        void Check(string? problem) { if (problem is not null) problems.Add(problem); }
        Check(Names.Problem("embedding set", Set));
        if (Clustering is not null) Check(Names.Problem("clustering", Clustering));
        Check(DeviceChoice.Problem(Device));
        return problems;
    }
}

/// <summary>What a map run made.</summary>
/// <param name="Trustworthiness">In [0,1]: how far the map's 10 nearest neighbours are near in the vectors too, over a sample.</param>
public sealed record MapResult(string Clustering, long Vectors, double Trustworthiness, double Seconds);
