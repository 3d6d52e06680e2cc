// What the demo asks for: first ingest every source, then, for every corpus and modality that came out, train, extract,
// cluster, map. Both are ordinary pipelines on the ledger, so a killed demo goes on where it was.
using System.Text.Json;
using FeatureForge.Clustering;
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.Learning;

namespace FeatureForge.Cli;

internal static class DemoPlan
{
    /// <summary>Minutes of training of all three together.</summary>
    internal const double DefaultMinutes = 4.8;

    /// <summary>Minutes of training that make three modalities end within ten minutes on two cores.</summary>
    private static double Minutes(Modality modality) => modality switch
    {
        Modality.Audio => 2.4,
        Modality.Image => 1.8,
        _ => 0.6,
    };

    /// <summary>Ingest everything.</summary>
    internal static PipelineSpec Ingest(IEnumerable<DemoSource> sources) => new()
    {
        Name = "demo: ingest",
        Stages = [.. sources.Select(source => Stage($"{source.Corpus}-ingest", RunKind.Ingest,
            new IngestSpec { Sources = [source.Source], Corpus = source.Corpus, Modality = source.Modality }))],
    };

    /// <summary>Train, extract, cluster and map each modality of each corpus, one after the other.</summary>
    internal static PipelineSpec Learn(Store store, IEnumerable<DemoSource> sources, double speed)
    {
        var stages = new List<PipelineStage>();
        foreach (var corpus in sources.Select(source => store.Corpus(source.Corpus)))
            foreach (var modality in corpus.Items.Where(items => items.Value > 0).Select(items => items.Key).Order())
                stages.AddRange(Stages(corpus.Name, Name(corpus, modality), modality, speed));
        return new() { Name = "demo: learn", Stages = stages };
    }

    /// <summary>The name of a corpus's encoder, set and clustering: its own, or with the modality when it holds several.</summary>
    internal static string Name(CorpusManifest corpus, Modality modality) =>
        corpus.Items.Count(items => items.Value > 0) == 1 ? corpus.Name : $"{corpus.Name}-{modality.ToString().ToLowerInvariant()}";

    private static IEnumerable<PipelineStage> Stages(string corpus, string name, Modality modality, double speed) =>
    [
        Stage($"{name}-train", RunKind.Train, new TrainSpec { Corpus = corpus, Encoder = name, Modality = modality, Minutes = Minutes(modality) * speed }),
        Stage($"{name}-extract", RunKind.Extract, new ExtractSpec { Corpus = corpus, Encoder = name, Set = name }),
        Stage($"{name}-cluster", RunKind.Cluster, new ClusterSpec { Set = name, Clustering = name }),
        Stage($"{name}-map", RunKind.Map, new MapSpec { Set = name, Clustering = name }),
    ];

    private static PipelineStage Stage<TSpec>(string name, RunKind kind, TSpec spec) =>
        new() { Name = name, Kind = kind, Spec = JsonSerializer.SerializeToElement(spec, SpecJson.Line) };
}
