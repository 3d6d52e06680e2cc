using FeatureForge.Data;
namespace FeatureForge.Clustering;
public static class MapRun
{
    public static Task<MapResult> ExecuteAsync(MapSpec spec, RunContext context, CancellationToken stop) => throw new NotImplementedException();
}
