// Stages that are more than one run of their own room: what must be there first is made in the same worker.
using FeatureForge.Data;
using FeatureForge.Learning;

namespace FeatureForge.Jobs;

internal static class StageSteps
{
    internal static Task<TrainResult> TrainAsync(TrainSpec spec, RunContext context, CancellationToken stop) => TrainRun.ExecuteAsync(spec, context, stop);

    internal static Task<ExtractResult> ExtractAsync(ExtractSpec spec, RunContext context, CancellationToken stop) => ExtractRun.ExecuteAsync(spec, context, stop);
}
