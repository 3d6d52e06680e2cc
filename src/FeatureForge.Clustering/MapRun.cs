// The map stage: the vectors of a clustering's level and grain -> 2-D coordinates beside the clustering, whose manifest is
// written anew with the map in it. One unit of work: killed and started again it computes the same map once more.
using FeatureForge.Data;

namespace FeatureForge.Clustering;

/// <summary>Runs a <see cref="MapSpec"/>.</summary>
public static class MapRun
{
    /// <summary>Vectors that are laid out by their neighbour graph; others are placed between their nearest ones.</summary>
    internal const int Landmarks = 100_000;

    /// <summary>Makes or replaces the map of a clustering; everything else of the clustering stays.</summary>
    /// <exception cref="BadRequestException">The spec is wrong, or does not fit the store; nothing was changed.</exception>
    public static async Task<MapResult> ExecuteAsync(MapSpec spec, RunContext context, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        var started = context.Time.GetTimestamp();
        var clustering = Find(spec, context.Store);

        var (rows, trustworthiness) = await Task.Factory.StartNew(() => Compute(spec, clustering, context, stop), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        Directory.CreateDirectory(context.StagingFolder);
        var staged = Path.Combine(context.StagingFolder, "map.parquet");
        await MapTable.WriteAsync(staged, rows, stop);
        if (context.Store.FindClustering(clustering.Name)?.RunId != clustering.RunId)
            throw new InvalidOperationException($"Clustering '{clustering.Name}' was made anew by another run while its map was computed. Run the map again.");
        var folder = context.Store.ClusteringFolder(clustering.Name);
        var publication = new Publication(context);
        publication.Commit(Path.Combine(folder, "clustering.json"), clustering with
        {
            MapParts = [publication.Add(staged, folder, "map/part-00000.parquet", rows.Length)],
            Measures = new SortedDictionary<string, double>(clustering.Measures.ToDictionary(), StringComparer.Ordinal) { ["trustworthiness"] = trustworthiness },
        });
        publication.Finish();

        var seconds = context.Time.GetElapsedTime(started).TotalSeconds;
        context.Information($"Map of clustering '{clustering.Name}': {rows.Length} vectors, trustworthiness {trustworthiness:f3}.");
        return new(clustering.Name, rows.Length, trustworthiness, seconds);
    }

    private static ClusteringManifest Find(MapSpec spec, Store store)
    {
        var set = store.Set(spec.Set);
        var ofSet = store.Clusterings().Where(clustering => clustering.Set == spec.Set).ToList();
        var names = string.Join(", ", ofSet.Select(clustering => clustering.Name));
        if (ofSet.Count == 0) throw new BadRequestException($"Embedding set '{spec.Set}' has no clustering to map; make one first: featureforge cluster --set {spec.Set}.");
        if (spec.Clustering is null && ofSet.Count > 1) throw new BadRequestException($"Embedding set '{spec.Set}' has several clusterings; name one of: {names}.");
        var found = spec.Clustering is null ? ofSet[0] : ofSet.FirstOrDefault(clustering => clustering.Name == spec.Clustering)
            ?? throw new BadRequestException($"Embedding set '{spec.Set}' has no clustering '{spec.Clustering}'; it has: {names}.");
        if (found.EncoderId != set.EncoderId)
            throw new BadRequestException($"Clustering '{found.Name}' is of encoder {found.EncoderId}, embedding set '{spec.Set}' now of encoder {set.EncoderId}. Cluster the set again first.");
        return found;
    }

    private static (MapRow[] Rows, double Trustworthiness) Compute(MapSpec spec, ClusteringManifest clustering, RunContext context, CancellationToken stop)
    {
        var vectors = SetVectors.Read(context.Store, spec.Set, clustering.Level, clustering.Grain, stop, context.StagingFolder);
        if (vectors.Rows != clustering.Vectors)
            context.Warning($"Clustering '{clustering.Name}' covers {clustering.Vectors} vectors, embedding set '{spec.Set}' now holds {vectors.Rows}: the map shows all of them. Cluster the set again to cover them.");
        var landmarks = FitSample.Of(vectors, Landmarks, spec.Seed);
        if (landmarks.Count < vectors.Rows)
            context.Information($"{vectors.Rows} vectors: {landmarks.Count} are laid out, the others placed between their nearest ones.");
        var points = MapLayout.Of(vectors, landmarks, spec.Seed, spec.Device, new PhaseProgress(context).Report, stop);
        var rows = new MapRow[vectors.Rows];
        for (var row = 0; row < rows.Length; row++) rows[row] = new(vectors.ItemIds[row], vectors.SpanIndex[row], points[2 * row], points[2 * row + 1]);
        return (rows, Trustworthiness.Of(vectors, points, spec.Seed, stop));
    }
}
