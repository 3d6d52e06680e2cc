// The clustering of the same name that a run replaces: its tables, copied into the run's staging folder before anything is
// published, so that a run killed while publishing compares with the same tables when it starts again.
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Clustering;

internal sealed record PreviousClustering(ClusteringManifest Manifest, IReadOnlyList<ClusterRow> Clusters, IReadOnlyList<MembershipRow> Memberships, IReadOnlyList<ClusterEditRow> Edits)
{
    /// <summary>The numbers that other runs' files may have taken already.</summary>
    internal int NextEditPart => Manifest.EditParts.Count;

    /// <summary>Null when there is none.</summary>
    internal static async Task<PreviousClustering?> LoadAsync(RunContext context, string name, CancellationToken stop)
    {
        var copy = Path.Combine(context.StagingFolder, "previous");
        if (!File.Exists(Path.Combine(copy, "clustering.json")))
        {
            if (context.Store.FindClustering(name) is not { } now) return null;
            var folder = context.Store.ClusteringFolder(name);
            foreach (var part in now.ClusterParts.Concat(now.MembershipParts).Concat(now.EditParts))
            {
                var target = Path.Combine(copy, part.Path);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(context.Store.FileOf(folder, part), target, overwrite: true);
            }
            DurableFile.WriteAllText(Path.Combine(copy, "clustering.json"), JsonSerializer.Serialize(now, SpecJson.Readable));
        }
        string InCopy(PartFile part) => Path.Combine(copy, part.Path);
        var manifest = JsonSerializer.Deserialize<ClusteringManifest>(await File.ReadAllTextAsync(Path.Combine(copy, "clustering.json"), stop), SpecJson.Readable)!;
        return new(manifest,
            await ReadAsync(InCopy, manifest.ClusterParts, ClustersTable.ReadAsync, stop),
            await ReadAsync(InCopy, manifest.MembershipParts, MembershipsTable.ReadAsync, stop),
            await ReadAsync(InCopy, manifest.EditParts, ClusterEditsTable.ReadAsync, stop));
    }

    /// <summary>All rows of some parts.</summary>
    internal static async Task<List<TRow>> ReadAsync<TRow>(Func<PartFile, string> place, IReadOnlyList<PartFile> parts, Func<string, CancellationToken, IAsyncEnumerable<TRow>> read, CancellationToken stop)
    {
        var rows = new List<TRow>();
        foreach (var part in parts)
            await foreach (var row in read(place(part), stop)) rows.Add(row);
        return rows;
    }

    /// <summary>The membership of every row of <paramref name="vectors"/>; null where it was not clustered then.</summary>
    internal MembershipRow?[] Of(SetVectors vectors)
    {
        var places = new Dictionary<(string, int), MembershipRow>(Memberships.Count);
        foreach (var row in Memberships) places[(row.ItemId, row.SpanIndex)] = row;
        return [.. Enumerable.Range(0, vectors.Rows).Select(row => places.GetValueOrDefault((vectors.ItemIds[row], vectors.SpanIndex[row])))];
    }
}
