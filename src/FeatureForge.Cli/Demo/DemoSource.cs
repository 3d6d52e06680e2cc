// Where the demo's data comes from, in this order: the folder the user named; public sets already on this machine; public
// sets from the network; corpora made on the spot. It says which.
using FeatureForge.Data;

namespace FeatureForge.Cli;

/// <summary>One corpus of the demo.</summary>
/// <param name="Corpus">The corpus's name; encoder, embedding set and clustering get the same.</param>
/// <param name="Modality">Null = whatever the source holds.</param>
/// <param name="Source">A file or folder to ingest.</param>
/// <param name="Origin">For people: which data this is and where it was found.</param>
public sealed record DemoSource(string Corpus, Modality? Modality, string Source, string Origin);

/// <summary>Finds or makes the demo's data.</summary>
public sealed class DemoSources(string downloads, PublicDownload download, Action<string> say)
{
    private static readonly Dictionary<string, string> _corpora = new() { ["fsdd"] = "digits", ["fashion-mnist"] = "clothes", ["20newsgroups"] = "news" };

    /// <summary>The demo's corpora.</summary>
    /// <param name="folder">What `--data` named, or null.</param>
    /// <param name="stop">Stops; downloads continue next time where they ended.</param>
    /// <exception cref="BadRequestException">The folder does not exist.</exception>
    public async Task<IReadOnlyList<DemoSource>> FindAsync(string? folder, CancellationToken stop)
    {
        if (folder is not null) return OwnData(Path.GetFullPath(folder));
        var sources = new List<DemoSource>();
        var online = true;
        foreach (var set in PublicDatasets.All)
        {
            var corpus = _corpora[set.Name];
            if (PublicDatasets.FindLocal(set) is { } local)
            {
                sources.Add(new(corpus, set.Modality, local, $"{set.Title} ({set.Licence}), found through FEATUREFORGE_DATASETS"));
                continue;
            }
            var fetched = online ? await TryFetchAsync(set, stop) : null;
            online = fetched is not null;
            sources.Add(fetched is not null
                ? new(corpus, set.Modality, fetched, $"{set.Title} ({set.Licence}), downloaded from {set.Homepage}")
                : DemoSamples.Source(set.Modality, Path.Combine(downloads, "made-on-the-spot")));
        }
        return sources;
    }

    /// <summary>A folder of public sets counts as them; any other folder is ingested as it is, all modalities into one corpus.</summary>
    private static IReadOnlyList<DemoSource> OwnData(string folder)
    {
        if (!Path.Exists(folder)) throw new BadRequestException($"--data names {folder}, which does not exist.");
        var known = PublicDatasets.All.Select(set => (Set: set, Path: Path.Combine(folder, set.Local))).Where(found => Path.Exists(found.Path)).ToList();
        return known.Count > 0
            ? [.. known.Select(found => new DemoSource(_corpora[found.Set.Name], found.Set.Modality, found.Path, $"{found.Set.Title} ({found.Set.Licence}), from {folder}"))]
            : [new("mine", null, folder, $"your own files in {folder}")];
    }

    private async Task<string?> TryFetchAsync(PublicDataset set, CancellationToken stop)
    {
        say($"Fetching {set.Title} ({set.Licence}) from {set.Homepage} …");
        try
        {
            return await download.GetAsync(set, Path.Combine(downloads, set.Name), (_, _, _) => { }, stop);
        }
        catch (DownloadException error)
        {
            say($"{error.Message}\nGoing on with data made on the spot.");
            return null;
        }
    }
}
