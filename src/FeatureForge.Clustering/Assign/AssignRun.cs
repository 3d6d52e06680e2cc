// The assign stage: new vectors -> leaves of an existing tree, with strength, novelty and a place on its map, in
// clusterings/NAME/assignments/set=SET. One unit of work: killed and started again it computes the same table once more.
using FeatureForge.Data;

namespace FeatureForge.Clustering;

/// <summary>Runs an <see cref="AssignSpec"/>.</summary>
public static class AssignRun
{
    /// <summary>Assigns the vectors of a set; a table made of the same set before is replaced.</summary>
    /// <exception cref="BadRequestException">The spec is wrong, or the set is of another encoder; nothing was changed.</exception>
    public static async Task<AssignResult> ExecuteAsync(AssignSpec spec, RunContext context, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        var started = context.Time.GetTimestamp();
        var clustering = context.Store.Clustering(spec.Clustering);
        foreach (var set in new[] { context.Store.Set(spec.Set), context.Store.Set(clustering.Set) })
            if (set.EncoderId != clustering.EncoderId)
                throw new BadRequestException($"Clustering '{clustering.Name}' is of encoder {clustering.EncoderId}, embedding set '{set.Name}' of encoder {set.EncoderId}; vectors of different encoders cannot be compared. Extract the items with the clustering's encoder.");
        var folder = context.Store.ClusteringFolder(clustering.Name);
        var memberships = await PreviousClustering.ReadAsync(part => context.Store.FileOf(folder, part), clustering.MembershipParts, MembershipsTable.ReadAsync, stop);
        var clusters = await PreviousClustering.ReadAsync(part => context.Store.FileOf(folder, part), clustering.ClusterParts, ClustersTable.ReadAsync, stop);
        var map = await PreviousClustering.ReadAsync(part => context.Store.FileOf(folder, part), clustering.MapParts, MapTable.ReadAsync, stop);

        var rows = await Task.Factory.StartNew(() => Compute(spec, clustering, clusters, memberships, map, context, stop), stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);

        if (spec.Shard is not null)
        {
            new Publication(context).Finish();
            return new(clustering.Name, spec.Set, 0, 0, 0, "", context.Time.GetElapsedTime(started).TotalSeconds);
        }
        Directory.CreateDirectory(context.StagingFolder);
        var staged = Path.Combine(context.StagingFolder, "assignments.parquet");
        await AssignmentsTable.WriteAsync(staged, rows, stop);
        if (context.Store.FindClustering(clustering.Name)?.RunId != clustering.RunId)
            throw new InvalidOperationException($"Clustering '{clustering.Name}' was made anew by another run meanwhile. Run the assignment again.");
        var relative = $"assignments/set={spec.Set}/part-00000.parquet";
        var publication = new Publication(context);
        var part = publication.Add(staged, folder, relative, rows.Length);
        publication.Commit(Path.Combine(folder, "clustering.json"), clustering with { AssignmentParts = [.. clustering.AssignmentParts.Where(other => other.Path != relative), part] });
        publication.Finish();
        UnitsOf(spec, clustering, context)?.Remove();

        var unknown = rows.Count(row => row.OutOfDistribution);
        context.Information($"{rows.Length} vectors of set '{spec.Set}' put into clustering '{clustering.Name}'; {unknown} are out of distribution.");
        return new(clustering.Name, spec.Set, rows.Length, unknown, rows.Where(row => !row.OutOfDistribution).Select(row => (double)row.Strength).DefaultIfEmpty(0).Average(),
            Path.Combine("clusterings", clustering.Name, relative), context.Time.GetElapsedTime(started).TotalSeconds);
    }

    // Of the vectors and the tree as they are now.
    private static NeighbourUnits? UnitsOf(AssignSpec spec, ClusteringManifest clustering, RunContext context)
    {
        if (spec.Shards is not { } shards) return null;
        var state = new[] { spec.Set, clustering.Set }.Select(context.Store.Set).Select(set => $"{set.Name} {set.RunId} {set.UpdatedAt:O} {context.Store.FindCorpus(set.Corpus)?.Version}");
        return NeighbourUnits.Of(context, "assign", $"{clustering.Name} {clustering.RunId} {shards} {string.Join(' ', state)}", shards, spec.Shard);
    }

    private static AssignmentRow[] Compute(AssignSpec spec, ClusteringManifest clustering, List<ClusterRow> clusters, List<MembershipRow> memberships, List<MapRow> map, RunContext context, CancellationToken stop)
    {
        var fresh = SetVectors.Read(context.Store, spec.Set, clustering.Level, clustering.Grain, stop, context.StagingFolder);
        fresh.SayWhatIsLeftOut(context);
        var known = spec.Set == clustering.Set ? fresh : SetVectors.Read(context.Store, clustering.Set, clustering.Level, clustering.Grain, stop, context.StagingFolder);
        var leafOf = memberships.ToDictionary(row => (row.ItemId, row.SpanIndex));
        if (spec.Set == clustering.Set)
        {
            fresh = fresh.Of([.. Enumerable.Range(0, fresh.Rows).Where(row => !leafOf.ContainsKey((fresh.ItemIds[row], fresh.SpanIndex[row])))]);
            if (fresh.Rows == 0) context.Information($"Clustering '{clustering.Name}' holds every vector of set '{spec.Set}' already.");
        }
        var members = Enumerable.Range(0, known.Rows).Where(row => leafOf.TryGetValue((known.ItemIds[row], known.SpanIndex[row]), out var membership) && membership.ClusterId is not null).ToArray();
        if (members.Length == 0)
            throw new BadRequestException($"Embedding set '{clustering.Set}' no longer holds a member of clustering '{clustering.Name}'. Cluster the set again first.");
        if (fresh.Rows == 0) return [];
        var tree = new KnownLeaves(known.Of(members), Array.ConvertAll(members, row => leafOf[(known.ItemIds[row], known.SpanIndex[row])]), clusters, map);
        var (units, progress) = (UnitsOf(spec, clustering, context), new PhaseProgress(context));
        if (spec.Shard is null) return tree.Assign(fresh, spec.Device, units, progress.Report, stop);
        tree.MakeUnits(fresh, spec.Device, units!, progress.Report, stop);
        units!.LetGo();
        return [];
    }
}
