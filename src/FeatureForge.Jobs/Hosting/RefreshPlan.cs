// What it takes to bring a store up to date: the runs that are missing, in order, and nothing else.
using System.Text.Json;
using FeatureForge.Clustering;
using FeatureForge.Data;
using FeatureForge.Learning;

namespace FeatureForge.Jobs;

/// <summary>The runs that bring a store up to date.</summary>
/// <param name="Stages">In order; empty when there is nothing to do.</param>
/// <param name="Left">What is stale and stays so, with what a person would have to do.</param>
public sealed record RefreshPlan(IReadOnlyList<PipelineStage> Stages, IReadOnlyList<StaleThing> Left)
{
    public static RefreshPlan Nothing { get; } = new([], []);

    /// <summary>Sets get the items that their corpus has gained; clusterings of such sets, and those that their set has outgrown, are made again as they were asked for, with their map.</summary>
    public static RefreshPlan Of(Store store)
    {
        var (stages, left, refreshed) = (new List<PipelineStage>(), new List<StaleThing>(), new Dictionary<string, string>(StringComparer.Ordinal));
        foreach (var set in store.Sets())
        {
            var (corpus, encoder) = (store.FindCorpus(set.Corpus), store.FindEncoder(set.Encoder));
            if (Staleness.WhyStale(set, corpus, encoder) is not { } reason) continue;
            if (encoder?.EncoderId != set.EncoderId) left.Add(new("set", set.Name, $"{reason} Vectors of two encoders do not mix: extract into a set of another name."));
            else stages.Add(Stage(refreshed[set.Name] = $"extract-{set.Name}", RunKind.Extract, [], new ExtractSpec
            {
                Corpus = set.Corpus,
                Encoder = set.Encoder,
                Set = set.Name,
                Levels = [.. set.Tables.Select(table => table.Level).Distinct()],
                Grains = [.. set.Tables.Select(table => table.Grain).Distinct()],
                Dtype = set.Dtype,
            }));
        }
        foreach (var clustering in store.Clusterings())
        {
            var set = store.FindSet(clustering.Set);
            var reason = Staleness.WhyStale(clustering, set);
            var needs = refreshed.GetValueOrDefault(clustering.Set);
            if (reason is null && needs is null) continue;
            if (set is null || set.EncoderId != clustering.EncoderId || !set.Tables.Any(table => table.Level == clustering.Level && table.Grain == clustering.Grain))
            {
                left.Add(new("clustering", clustering.Name, $"{reason} Cluster another set under this name, or leave it as it is."));
                continue;
            }
            var name = $"cluster-{clustering.Name}";
            stages.Add(new() { Name = name, Kind = RunKind.Cluster, Spec = clustering.Spec, Needs = needs is null ? [] : [needs] });
            if (clustering.MapParts.Count > 0) stages.Add(Stage($"map-{clustering.Name}", RunKind.Map, [name], new MapSpec { Set = clustering.Set, Clustering = clustering.Name }));
        }
        return new(stages, left);
    }

    /// <summary>As a pipeline; null when there is nothing to do.</summary>
    public PipelineSpec? ToPipeline() => Stages.Count == 0 ? null : new() { Name = "bring up to date", Stages = Stages };

    private static PipelineStage Stage<TSpec>(string name, RunKind kind, string[] needs, TSpec spec) =>
        new() { Name = name, Kind = kind, Spec = JsonSerializer.SerializeToElement(spec, SpecJson.Line), Needs = needs };
}
