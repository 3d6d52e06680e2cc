// What is out of date: made from an older corpus, from another encoder, or from a set that has changed since.
using System.Globalization;
using FeatureForge.Data;

namespace FeatureForge.Jobs;

/// <summary>Something that no longer matches what it was made from, and why.</summary>
/// <param name="Kind">set or clustering.</param>
public sealed record StaleThing(string Kind, string Name, string Reason)
{
    /// <summary>Its page.</summary>
    public string Address => $"/{Kind}s/{Name}";
}

/// <summary>Compares manifests.</summary>
public static class Staleness
{
    public static IReadOnlyList<StaleThing> Find(Store store)
    {
        var corpora = store.Corpora().ToDictionary(corpus => corpus.Name);
        var encoders = store.Encoders().ToDictionary(encoder => encoder.Name);
        var sets = store.Sets().ToDictionary(set => set.Name);
        var stale = new List<StaleThing>();
        foreach (var set in sets.Values)
            if (WhyStale(set, corpora.GetValueOrDefault(set.Corpus), encoders.GetValueOrDefault(set.Encoder)) is { } reason)
                stale.Add(new("set", set.Name, reason));
        foreach (var clustering in store.Clusterings())
            if (WhyStale(clustering, sets.GetValueOrDefault(clustering.Set)) is { } reason)
                stale.Add(new("clustering", clustering.Name, reason));
        return stale;
    }

    /// <summary>A sentence, or null when the set is up to date.</summary>
    public static string? WhyStale(SetManifest set, CorpusManifest? corpus, EncoderManifest? encoder)
    {
        if (corpus != null && set.CorpusVersion < corpus.Version)
            return $"Covers version {set.CorpusVersion} of corpus {set.Corpus}, which is now at version {corpus.Version}.";
        if (encoder != null && set.EncoderId != encoder.EncoderId)
            return $"Encoder {set.Encoder} has been trained again since.";
        return null;
    }

    /// <summary>A sentence, or null when the clustering is up to date.</summary>
    public static string? WhyStale(ClusteringManifest clustering, SetManifest? set)
    {
        if (set == null) return $"Embedding set {clustering.Set} is gone.";
        if (set.EncoderId != clustering.EncoderId) return $"Embedding set {set.Name} now comes from another encoder.";
        var table = set.Tables.FirstOrDefault(table => table.Level == clustering.Level && table.Grain == clustering.Grain);
        if (table == null) return $"Embedding set {set.Name} no longer has the {clustering.Level} level by {clustering.Grain.ToString().ToLowerInvariant()}.";
        return table.Rows != clustering.Vectors
            ? string.Create(CultureInfo.InvariantCulture, $"Covers {clustering.Vectors:N0} of the {table.Rows:N0} vectors that embedding set {set.Name} has now.")
            : null;
    }
}
