// Selections: selections/NAME/selection.json and, written before it, items/part-NNNNN.parquet with the number of the version. A change writes the
// table anew; readers of the version before find it until the manifest says otherwise.
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FeatureForge.Data;

/// <summary>selections/NAME/selection.json</summary>
public sealed record SelectionManifest
{
    public required string Name { get; init; }
    public required string Corpus { get; init; }
    /// <summary>Grows by one with every change.</summary>
    public required int Version { get; init; }
    /// <summary>Who changed it last.</summary>
    public required string Author { get; init; }
    /// <summary>What it is for, or where it came from; may be empty.</summary>
    public required string Note { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }
    /// <summary>items/part-NNNNN.parquet, sorted by item_id.</summary>
    public required IReadOnlyList<PartFile> ItemParts { get; init; }

    [JsonIgnore]
    public long Items => ItemParts.Sum(part => part.Rows);
}

/// <summary>What is done with the items of a <see cref="SelectionRequest"/>.</summary>
public enum SelectionChange
{
    /// <summary>They become a new selection; refused when the name is taken.</summary>
    Create,
    /// <summary>They take the place of those it has.</summary>
    Replace,
    /// <summary>They come to those it has.</summary>
    Add,
    /// <summary>They leave it.</summary>
    Remove,
}

/// <summary>Items to put together under a name.</summary>
public sealed record SelectionRequest
{
    public required string Name { get; init; }
    public required string Corpus { get; init; }
    public required IReadOnlyCollection<string> ItemIds { get; init; }
    public SelectionChange Change { get; init; }
    public required string Author { get; init; }
    /// <summary>Null: as before.</summary>
    public string? Note { get; init; }

    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (Names.Problem("selection", Name) is { } name) problems.Add(name);
        if (Names.Problem("corpus", Corpus) is { } corpus) problems.Add(corpus);
        if (string.IsNullOrWhiteSpace(Author)) problems.Add("A selection needs an author.");
        if (Note is { Length: > 1000 }) problems.Add($"The note has {Note.Length} characters; expected at most 1000.");
        if (ItemIds.Count == 0) problems.Add("No item was named; a selection holds at least one.");
        problems.AddRange(ItemIds.Where(id => id is not { Length: 32 } || !id.All(char.IsAsciiHexDigitLower)).Take(5).Select(id => $"'{id}' is no item id; expected 32 hexadecimal digits."));
        return problems;
    }
}

/// <summary>Makes, changes and removes selections.</summary>
public sealed class SelectionDesk(Store store, TimeProvider time)
{
    private const int MostRowsPerPart = 1_000_000;
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    /// <summary>The ids of a selection's items, those that have been removed from the corpus since included.</summary>
    public static ItemIdSet ReadIds(Store store, SelectionManifest selection) => ItemIdSet.Read(selection.ItemParts.Select(part => store.FileOf(store.SelectionFolder(selection.Name), part)));

    /// <summary>Carries a request out; after return it survives power loss.</summary>
    /// <exception cref="BadRequestException">The request is wrong, names items that the corpus lacks, or would leave nothing.</exception>
    public async Task<SelectionManifest> ChangeAsync(SelectionRequest request, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(request.Problems());
        var corpus = store.Corpus(request.Corpus);
        var asked = ItemIdSet.Of(request.ItemIds);
        if (request.Change != SelectionChange.Remove) await CheckAsync(corpus, asked, stop);
        using var alone = await LockAsync(stop);
        var before = store.FindSelection(request.Name);
        if (before is not null && request.Change == SelectionChange.Create)
            throw new BadRequestException($"Selection '{request.Name}' exists already ({before.Items} items); choose another name, or add to it.");
        if (before is not null && before.Corpus != request.Corpus) throw new BadRequestException($"Selection '{request.Name}' is of corpus '{before.Corpus}', not of '{request.Corpus}'; choose another name.");
        if (before is null && request.Change == SelectionChange.Remove) throw new BadRequestException($"There is no selection '{request.Name}' to take items from.");
        var had = before is null || request.Change == SelectionChange.Replace ? ItemIdSet.None : ReadIds(store, before);
        var ids = request.Change == SelectionChange.Remove ? had.Ids.Where(id => !asked.Contains(id)) : ItemIdSet.Of(had.Ids.Concat(asked.Ids)).Ids;
        return await WriteAsync(request, before, [.. ids.Select(id => new SelectionRow(id))], stop);
    }

    /// <summary>Removes the selection; its items stay where they are.</summary>
    /// <exception cref="BadRequestException">There is none.</exception>
    public async Task RemoveAsync(string name, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(Names.Problem("selection", name) is { } problem ? [problem] : []);
        using var alone = await LockAsync(stop);
        store.Selection(name);
        // The manifest goes first: what is left, should this end here, belongs to nothing.
        store.Remove(Path.Combine(store.SelectionFolder(name), "selection.json"));
        store.Remove(store.SelectionFolder(name));
    }

    private async Task CheckAsync(CorpusManifest corpus, ItemIdSet asked, CancellationToken stop)
    {
        var removed = RemovedItems.Of(store, corpus);
        var found = new List<string>(asked.Count);
        foreach (var part in corpus.ItemParts)
            await foreach (var group in ItemsTable.ReadKeysAsync(store.FileOf(store.CorpusFolder(corpus.Name), part), stop))
                found.AddRange(group.Select(item => item.ItemId).Where(id => asked.Contains(id) && !removed.Contains(id)));
        var there = ItemIdSet.Of(found);
        if (there.Count < asked.Count)
            throw new BadRequestException($"Corpus '{corpus.Name}' lacks {asked.Count - there.Count} of the {asked.Count} items, for instance {string.Join(", ", asked.Ids.Where(id => !there.Contains(id)).Take(3))}.");
    }

    private async Task<SelectionManifest> WriteAsync(SelectionRequest request, SelectionManifest? before, SelectionRow[] rows, CancellationToken stop)
    {
        if (rows.Length == 0) throw new BadRequestException($"Nothing would be left in selection '{request.Name}'; remove it instead.");
        var (folder, version, at) = (store.SelectionFolder(request.Name), (before?.Version ?? 0) + 1, time.GetUtcNow());
        var scratch = ScratchFolder.Begin(store, $"selection-{Guid.NewGuid():N}");
        var parts = new List<PartFile>();
        try
        {
            foreach (var some in rows.Chunk(MostRowsPerPart))
            {
                var (staged, relative) = (Path.Combine(scratch, $"{parts.Count}.parquet"), $"items/part-{version:D5}{(parts.Count == 0 ? "" : $"-{parts.Count}")}.parquet");
                await SelectionsTable.WriteAsync(staged, some, stop);
                parts.Add(DurableFile.Describe(staged, relative, some.Length));
                store.Put(staged, Path.Combine(folder, relative));
            }
        }
        finally { store.Remove(scratch); }
        var manifest = new SelectionManifest
        {
            Name = request.Name,
            Corpus = request.Corpus,
            Version = version,
            Author = request.Author,
            Note = request.Note ?? before?.Note ?? "",
            CreatedAt = before?.CreatedAt ?? at,
            UpdatedAt = at,
            ItemParts = parts,
        };
        store.WriteManifest(Path.Combine(folder, "selection.json"), JsonSerializer.Serialize(manifest, SpecJson.Readable));
        store.RemoveUnlisted(folder, "items", parts);
        return manifest;
    }

    // Two people who add to one selection at once both get their items in. Between machines that share a store on S3 the manifest's condition decides.
    private async Task<FileStream> LockAsync(CancellationToken stop)
    {
        var start = time.GetTimestamp();
        Directory.CreateDirectory(store.PathOf("selections"));
        while (true)
        {
            try { return new FileStream(store.PathOf("selections", ".lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None); }
            catch (IOException) when (time.GetElapsedTime(start) < _patience) { await Task.Delay(TimeSpan.FromMilliseconds(20), time, stop); }
        }
    }
}
