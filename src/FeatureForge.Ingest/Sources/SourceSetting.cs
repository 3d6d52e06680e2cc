// What sources need to know of the run that reads them.
namespace FeatureForge.Ingest;

internal sealed record SourceSetting
{
    /// <summary>Left out of folders wherever it appears.</summary>
    public required string StoreFolder { get; init; }
    /// <summary>A folder of the run's own for downloads, links and archives inside archives; kept until the run has ended.</summary>
    public required string ScratchFolder { get; init; }
    /// <summary>Bounds what is read and not yet consumed.</summary>
    public required MemoryGate Gate { get; init; }
    public required TimeProvider Time { get; init; }
    /// <summary>Whether an earlier attempt at the run has settled this key (<see cref="StagedPart.KeyOf"/>): it need not be downloaded again.</summary>
    public Func<string, bool> IsSettled { get; init; } = _ => false;
    /// <summary>Whether this run decodes the finding of this key; the bytes of others are not read.</summary>
    public Func<string, bool> IsMine { get; init; } = _ => true;
    /// <summary>Whether anything in the file of this URI can matter to the run; others are not opened.</summary>
    public Func<string, bool> IsWanted { get; init; } = _ => true;
    /// <summary>Whether the corpus has this item id.</summary>
    public Func<string, bool> IsKnownItem { get; init; } = _ => false;
    /// <summary>Whether this path and SHA-256 is in quarantine already.</summary>
    public Func<string, string?, bool> IsKnownBad { get; init; } = (_, _) => false;
    /// <summary>Where is kept what servers said of resources that are settled; null: nowhere, and they are downloaded again.</summary>
    public string? MemoryOfServers { get; init; }
}
