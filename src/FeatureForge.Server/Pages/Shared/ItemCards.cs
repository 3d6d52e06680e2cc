// What the _Items partial shows.
using FeatureForge.Data;

namespace FeatureForge.Server.Pages;

/// <summary>Items of one corpus as cards.</summary>
public sealed record ItemCards(string Corpus, IReadOnlyList<ItemRow> Items)
{
    /// <summary>A word about some of the items, by id.</summary>
    public IReadOnlyDictionary<string, string> Notes { get; init; } = new Dictionary<string, string>();
    /// <summary>The embedding set in which what is like an item can be found; null offers no such link.</summary>
    public string? SimilarIn { get; init; }
}

/// <summary>What the _Pager partial shows: which part of a list this is, and the addresses of its neighbours.</summary>
/// <param name="First">Number of the first row shown, from 0.</param>
/// <param name="Shown">Rows on this page.</param>
/// <param name="Total">Rows in the list, or null when unknown.</param>
public sealed record PageOfList(long First, int Shown, long? Total, string What, string? Previous, string? Next);
