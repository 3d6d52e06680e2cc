// Search for pages and the API: by an item of the set, by a text, by a file. Tables stay open between searches, bounded in memory.
using FeatureForge.Clustering;
using FeatureForge.Data;
using FeatureForge.Jobs;

namespace FeatureForge.Server;

/// <summary>What is looked for, by exactly one of Item, Text and File.</summary>
public sealed record SearchRequest
{
    public required string Set { get; init; }
    public string? Item { get; init; }
    public string? Text { get; init; }
    /// <summary>Bytes of a media file; base64 in JSON.</summary>
    public byte[]? File { get; init; }
    public string Level { get; init; } = Data.Level.High;
    public Grain Grain { get; init; } = Grain.Item;
    public int Top { get; init; } = 24;
    /// <summary>COLUMN OP VALUE, joined by and / or, as in `search --where`.</summary>
    public string? Where { get; init; }
    /// <summary>Compare with every vector, index or not.</summary>
    public bool Exact { get; init; }

    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (Names.Problem("embedding set", Set) is { } name) problems.Add(name);
        if (new object?[] { Item, Text, File }.Count(given => given is not null) != 1) problems.Add("Say what to search for by exactly one of an item's id, a text and a file.");
        if (Top is < 1 or > 1000) problems.Add($"{Top} neighbours were asked for; expected 1 to 1000.");
        return problems;
    }
}

/// <summary>A neighbour and where its item lies.</summary>
public sealed record FoundItem(string ItemId, int SpanIndex, float Distance, string? Path);

/// <summary>Neighbours, nearest first.</summary>
/// <param name="Recall">Share of the true neighbours that such a search finds, measured when the index was built; 1 when every vector was compared.</param>
public sealed record FoundItems(string Set, string Corpus, string Level, IReadOnlyList<FoundItem> Neighbours, double Recall, long Compared, double Milliseconds);

/// <summary>Searches embedding sets. Thread-safe.</summary>
public sealed class SearchDesk(Store store, ItemReader items, InferenceHost inference)
{
    private const long MostBytes = 512L << 20;

    private readonly BoundedCache<TableKey, OpenTable> _tables = new(MostBytes, table => table.Weight);

    /// <exception cref="BadRequestException">The request is wrong, or there is no such set, item, level or file of that kind.</exception>
    /// <exception cref="InferenceUnavailableException">The query could not be embedded now.</exception>
    public async Task<FoundItems> FindAsync(SearchRequest request, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(request.Problems());
        var set = store.Set(request.Set);
        if (request.Where is { Length: > 0 } where) ItemFilter.Parse(where);
        var table = await _tables.GetAsync(KeyOf(set, request), () => Task.FromResult(OpenTable.Open(store, set.Name, request.Level, request.Grain, MostBytes, CancellationToken.None)), stop);
        var query = request.Item is { } id
            ? table.VectorOf(id) ?? throw new BadRequestException($"Embedding set '{set.Name}' holds no vector of item '{id}' at level {request.Level}.")
            : await EmbeddedAsync(set, request, stop);
        var corpus = store.FindCorpus(set.Corpus);
        var allowed = corpus is null ? null : await items.FilterAsync(corpus, request.Where, stop);
        // The item itself is no neighbour: one more is asked for.
        var answer = table.Search(query, request.Top + (request.Item is null ? 0 : 1), request.Exact, allowed);
        var hits = answer.Hits.Where(hit => hit.ItemId != request.Item || hit.SpanIndex != 0).Take(request.Top).ToList();
        var found = corpus is null ? [] : (await items.FindAllAsync(corpus, hits.Select(hit => hit.ItemId).Distinct(), stop)).ToDictionary(row => row.ItemId, row => row.Path);
        return new(set.Name, set.Corpus, request.Level, [.. hits.Select(hit => new FoundItem(hit.ItemId, hit.SpanIndex, hit.Distance, found.GetValueOrDefault(hit.ItemId)))], answer.Recall, answer.Compared, answer.Milliseconds);
    }

    private async Task<float[]> EmbeddedAsync(SetManifest set, SearchRequest request, CancellationToken stop)
    {
        if (request.Text is not null && set.Modality != Modality.Text) throw new BadRequestException($"Embedding set '{set.Name}' holds {set.Modality.ToString().ToLowerInvariant()} vectors: a text finds nothing in it. Give an item or a file.");
        var encoder = store.EncoderOf(set);
        var vectors = await inference.EmbedAsync(encoder, [request.Level], [request.Text is { } text ? InferenceInput.OfText(text) : InferenceInput.OfFile(request.File!)], stop);
        return vectors[0].Values;
    }

    // A table is opened anew when the set, its index or what was removed from its corpus has changed.
    private TableKey KeyOf(SetManifest set, SearchRequest request) => new(set.Name, set.RunId, request.Level, request.Grain,
        store.ChangedAt(SearchIndex.ManifestPath(store, set.Name, request.Level, request.Grain)),
        store.ChangedAt(Path.Combine(store.CorpusFolder(set.Corpus), "corpus.json")));

    private sealed record TableKey(string Set, string RunId, string Level, Grain Grain, DateTime Index, DateTime Corpus);
}
