// Which stage a run executes and where it stands. Closed lists, written as lower-case words in the ledger and in JSON.
namespace FeatureForge.Data;

/// <summary>The stage that a run executes.</summary>
public enum RunKind
{
    Ingest,
    Prepare,
    Train,
    Extract,
    Cluster,
    Map,
    /// <summary>Puts new vectors into an existing tree of clusters.</summary>
    Assign,
    /// <summary>A person's rename, merge or split of clusters.</summary>
    Edit,
    /// <summary>A corpus balanced over a tree of clusters.</summary>
    Sample,
    /// <summary>A corpus without duplicates by meaning.</summary>
    Dedup,
    /// <summary>Takes items out of a corpus by tombstones, or brings them back.</summary>
    Remove,
    Evaluate,
    /// <summary>Brings an encoder made elsewhere into the store.</summary>
    Import,
    /// <summary>Spreads labels over the items that have none.</summary>
    Propagate,
    /// <summary>Fits a head on frozen vectors.</summary>
    Fit,
    /// <summary>Labels items with a head.</summary>
    Predict,
    /// <summary>Behaves as its spec says (sleep, fail, die); proves that supervision works on this machine.</summary>
    Selftest,
}

/// <summary>Where a run stands.</summary>
public enum RunState
{
    /// <summary>Waits for a worker, or for the runs it needs.</summary>
    Queued,
    /// <summary>Somebody holds its lease; when that lease has expired it is waiting to be taken over.</summary>
    Running,
    Succeeded,
    /// <summary>Its last attempt failed and no further one is due. Can be resumed by a person.</summary>
    Failed,
    /// <summary>Ended on request, or because a run it needs did not succeed. Can be resumed.</summary>
    Stopped,
}

/// <summary>Why a run failed.</summary>
public enum RunFailure
{
    /// <summary>The request cannot be carried out; the error says what to change.</summary>
    BadRequest,
    /// <summary>Something broke that would break again.</summary>
    Error,
    /// <summary>A signal ended the worker: a crash in native code, or somebody's kill.</summary>
    Signal,
    OutOfMemory,
}

internal static class RunWords
{
    internal static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();

    internal static T Parse<T>(string word) where T : struct, Enum => Enum.Parse<T>(word, ignoreCase: true);
}
