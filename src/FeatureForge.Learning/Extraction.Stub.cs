using FeatureForge.Data;
namespace FeatureForge.Learning;
public static class ExtractRun
{
    public static Task<ExtractResult> ExecuteAsync(ExtractSpec spec, RunContext context, CancellationToken stop) => throw new NotImplementedException();
}
public static class EvaluateRun
{
    public static Task<EvaluateResult> ExecuteAsync(EvaluateSpec spec, RunContext context, CancellationToken stop) => throw new NotImplementedException();
}
