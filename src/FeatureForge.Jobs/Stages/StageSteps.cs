// Stages that are more than one run of their own room: what must be there first is made in the same worker.
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.Learning;

namespace FeatureForge.Jobs;

internal static class StageSteps
{
    internal static async Task<TrainResult> TrainAsync(TrainSpec spec, RunContext context, CancellationToken stop)
    {
        await PrepareAsync(spec.Corpus, TrainRun.PreparationOf(spec, context.Store), context, stop);
        return await TrainRun.ExecuteAsync(spec, context, stop);
    }

    internal static async Task<ExtractResult> ExtractAsync(ExtractSpec spec, RunContext context, CancellationToken stop)
    {
        await PrepareAsync(spec.Corpus, context.Store.Encoder(spec.Encoder).Preparation, context, stop);
        return await ExtractRun.ExecuteAsync(spec, context, stop);
    }

    internal static async Task<ImportResult> ImportAsync(ImportSpec spec, RunContext context, CancellationToken stop)
    {
        // Which preparation the checkpoint wants is known only when it has been read.
        if (spec.Corpus is not null && ImportRun.PreparationOf(spec) is { } preparation) await PrepareAsync(spec.Corpus, preparation, context, stop);
        return await ImportRun.ExecuteAsync(spec, context, stop);
    }

    // Ingest prepares for the modality's usual encoders; other preparations, and parts that are missing, are made here.
    private static async Task PrepareAsync(string corpus, PreparationSpec preparation, RunContext context, CancellationToken stop)
    {
        var items = context.Store.Corpus(corpus).Items.GetValueOrDefault(preparation.Modality);
        var prepared = PreparedCorpus.FindManifest(context.Store, corpus, preparation)?.Parts.Sum(part => part.Rows) ?? 0;
        if (items == prepared) return;
        // Its own staging folder: a finished preparation must not take the stage's own work with it.
        await PrepareRun.ExecuteAsync(new() { Corpus = corpus, Preparation = preparation }, context with { RunId = $"{context.RunId}-prepare" }, stop);
    }
}
