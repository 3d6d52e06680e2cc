// Opening a store that must be there already: a notebook that names the wrong folder hears so instead of getting an empty store.
using FeatureForge.Data;

namespace FeatureForge.Notebooks;

/// <summary>Stores to read from.</summary>
public static class ExistingStore
{
    /// <summary>The store at <paramref name="path"/>. Null: FEATUREFORGE_STORE, else ./featureforge-store, as the program has it.</summary>
    /// <exception cref="BadRequestException">There is no store there.</exception>
    public static Store Open(string? path = null)
    {
        path ??= Environment.GetEnvironmentVariable("FEATUREFORGE_STORE") is { Length: > 0 } named ? named : "featureforge-store";
        return Store.Exists(path) ? Store.Open(path)
            : throw new BadRequestException($"There is no store at {(Store.IsRemoteAddress(path) ? path : Path.GetFullPath(path))}; set FEATUREFORGE_STORE, or make one with `featureforge demo --no-serve`.");
    }
}
