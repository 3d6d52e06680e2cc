// Manifests as small as they get: a test says `with` what it is about.
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.TestKit;

public static class SampleManifests
{
    /// <summary>A tree of one leaf over one vector, without tables.</summary>
    public static ClusteringManifest Clustering { get; } = new()
    {
        Name = "c",
        Set = "s",
        EncoderId = "e",
        Level = Level.High,
        Grain = Grain.Item,
        Method = "tree",
        Spec = JsonSerializer.SerializeToElement(new { }),
        Vectors = 1,
        Clusters = 1,
        Leaves = 1,
        Measures = new Dictionary<string, double>(),
        ClusterParts = [],
        MembershipParts = [],
        MapParts = [],
        RunId = "r",
        CreatedAt = DateTimeOffset.UnixEpoch,
    };
}
