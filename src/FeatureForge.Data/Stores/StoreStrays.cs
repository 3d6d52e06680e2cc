// What lies in a store's folder and belongs to nothing: parts that no manifest lists, folders without a manifest, preparations that were
// not finished, files of a write that was cut off. Only names that the store itself gives are looked at.
namespace FeatureForge.Data;

/// <summary>Finds what `store verify` mentions and `store gc` removes.</summary>
internal static class StoreStrays
{
    internal static readonly string[] CorpusTables = ["items", "quarantine", "removals"];
    internal static readonly string[] EncoderTables = ["metrics"];
    internal static readonly string[] SetTables = ["data"];
    internal static readonly string[] ClusteringTables = ["clusters", "memberships", "map", "edits", "assignments"];
    internal static readonly string[] SelectionTables = ["items"];

    internal static IReadOnlyList<PartFile> PartsOf(CorpusManifest corpus) => [.. corpus.ItemParts, .. corpus.QuarantineParts, .. corpus.RemovalParts];

    internal static IReadOnlyList<PartFile> PartsOf(ClusteringManifest clustering) =>
        [.. clustering.ClusterParts, .. clustering.MembershipParts, .. clustering.MapParts, .. clustering.EditParts, .. clustering.AssignmentParts];

    /// <summary>Files called part-… below the table folders of <paramref name="folder"/> that <paramref name="known"/> (absolute paths) lacks.</summary>
    internal static IEnumerable<string> Unlisted(Store store, string folder, IReadOnlySet<string> known, IEnumerable<string> tableFolders) =>
        tableFolders.SelectMany(name => store.FilesBelow(Path.GetFullPath(Path.Combine(folder, name))))
            .Where(file => Path.GetFileName(file).StartsWith("part-", StringComparison.Ordinal) && !known.Contains(file));

    /// <summary>Files and folders, absolute, that belong to nothing. What is below a folder in the list is not listed itself.</summary>
    internal static IReadOnlyList<string> Find(Store store)
    {
        var strays = new List<string>();
        foreach (var corpus in store.Corpora())
        {
            strays.AddRange(Unlisted(store, store.CorpusFolder(corpus.Name), Known(store.CorpusFolder(corpus.Name), PartsOf(corpus)), CorpusTables));
            foreach (var folder in store.FoldersIn(Path.Combine(store.CorpusFolder(corpus.Name), "prepared")))
                if (PreparedCorpus.ReadManifest(store, folder) is { } prepared) strays.AddRange(Unlisted(store, folder, Known(folder, prepared.Parts), ["."]));
                else strays.Add(folder);
        }
        foreach (var encoder in store.Encoders()) strays.AddRange(Unlisted(store, store.EncoderFolder(encoder.Name), Known(store.EncoderFolder(encoder.Name), encoder.MetricParts), EncoderTables));
        foreach (var set in store.Sets()) strays.AddRange(Unlisted(store, store.SetFolder(set.Name), Known(store.SetFolder(set.Name), set.Tables.SelectMany(table => table.Parts)), SetTables));
        foreach (var clustering in store.Clusterings()) strays.AddRange(Unlisted(store, store.ClusteringFolder(clustering.Name), Known(store.ClusteringFolder(clustering.Name), PartsOf(clustering)), ClusteringTables));
        foreach (var selection in store.Selections()) strays.AddRange(Unlisted(store, store.SelectionFolder(selection.Name), Known(store.SelectionFolder(selection.Name), selection.ItemParts), SelectionTables));
        foreach (var (kind, manifest) in new[] { ("corpora", "corpus.json"), ("encoders", "encoder.json"), ("embeddings", "set.json"), ("clusterings", "clustering.json"), ("selections", "selection.json") })
            strays.AddRange(store.FoldersIn(store.PathOf(kind)).Where(folder => store.ReadText(Path.Combine(folder, manifest)) is null));
        strays.AddRange(Directory.EnumerateFiles(store.Root, "*.tmp", SearchOption.AllDirectories)
            .Where(file => !strays.Any(stray => file.StartsWith(stray + Path.DirectorySeparatorChar, StringComparison.Ordinal)) && !file.StartsWith(store.PathOf(".staging"), StringComparison.Ordinal)));
        return strays;
    }

    internal static HashSet<string> Known(string folder, IEnumerable<PartFile> parts) => parts.Select(part => Path.GetFullPath(Path.Combine(folder, part.Path))).ToHashSet(StringComparer.Ordinal);
}
