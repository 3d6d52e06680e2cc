// The vector of a file or a text that is in no corpus: the same ingest, preparation and extraction as for a corpus, in a store of
// its own that is thrown away, so that a query is read exactly as the set's items were.
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.Learning;

namespace FeatureForge.Cli;

internal static class QueryVector
{
    private const string Name = "query";

    /// <exception cref="BadRequestException">The file cannot be read as the set's modality, or the encoder is not in the store or has changed.</exception>
    internal static async Task<float[]> OfAsync(Store store, SetManifest set, string level, string? file, string? text, CancellationToken stop)
    {
        if (file is not null && !File.Exists(file)) throw new BadRequestException($"--file {file} does not exist.");
        if (text is not null && set.Modality != Modality.Text) throw new BadRequestException($"Embedding set '{set.Name}' holds {set.Modality.ToString().ToLowerInvariant()} vectors: --text needs a set of texts. Use --file.");
        var encoder = store.EncoderOf(set);
        var scratch = Directory.CreateTempSubdirectory("featureforge-query-");
        try
        {
            var folder = Path.Combine(scratch.FullName, "store");
            var own = Store.Open(folder);
            Directory.CreateDirectory(own.EncoderFolder(set.Encoder));
            foreach (var part in new[] { store.FileOf(store.EncoderFolder(set.Encoder), encoder.Weights), Path.Combine(store.EncoderFolder(set.Encoder), "encoder.json") })
                File.CreateSymbolicLink(Path.Combine(own.EncoderFolder(set.Encoder), Path.GetFileName(part)), part);
            if (text is not null) await File.WriteAllTextAsync(file = Path.Combine(scratch.FullName, "query.txt"), text, stop);
            await IngestRun.ExecuteAsync(new() { Sources = [file!], Corpus = Name, Modality = set.Modality }, Context(own, "ingest"), stop);
            if (own.FindCorpus(Name) is not { TotalItems: > 0 })
                throw new BadRequestException($"{file} could not be read as {set.Modality.ToString().ToLowerInvariant()}{await ReasonAsync(own, stop)}");
            await ExtractRun.ExecuteAsync(new() { Corpus = Name, Encoder = set.Encoder, Set = Name, Grains = [Grain.Item], Levels = [level], Device = "cpu" }, Context(own, "extract"), stop);
            var table = own.Set(Name).Tables.Single(table => table.Level == level && table.Grain == Grain.Item);
            return EmbeddingTable.Read(own.FileOf(own.SetFolder(Name), table.Parts[0])).First().Vectors[..table.Dimension];
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static async Task<string> ReasonAsync(Store store, CancellationToken stop)
    {
        foreach (var part in store.FindCorpus(Name)?.QuarantineParts ?? [])
            await foreach (var rejection in QuarantineTable.ReadAsync(store.FileOf(store.CorpusFolder(Name), part), stop)) return $": {rejection.Reason}";
        return ".";
    }

    private static RunContext Context(Store store, string run) => new(store, run, () => { }, new Nobody(), TimeProvider.System);

    private sealed class Nobody : IRunReporter
    {
        public void Progress(RunProgress progress) { }
        public void Log(string level, string message) { }
        public void Metric(long step, string name, double value) { }
        public void RewindMetrics(long step) { }
    }
}
