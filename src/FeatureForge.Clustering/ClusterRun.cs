using FeatureForge.Data;
namespace FeatureForge.Clustering;
public static class ClusterRun
{
    public static Task<ClusterResult> ExecuteAsync(ClusterSpec spec, RunContext context, CancellationToken stop) => throw new NotImplementedException();
}
