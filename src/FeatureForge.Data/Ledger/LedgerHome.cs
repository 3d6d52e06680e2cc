// A store on S3 whose runs are kept in a file has that file on one machine. ledger.json in the store names it, so that a second machine
// neither starts the first one's unfinished runs nor hands out the same fencing tokens.
using System.Text.Json;

namespace FeatureForge.Data;

/// <summary>Which machine keeps the runs of a store on S3.</summary>
public static class LedgerHome
{
    private sealed record Home(string Machine, string Id);

    /// <summary>Takes the store's runs for this machine if nobody has them.</summary>
    /// <exception cref="BadRequestException">Another machine has them.</exception>
    internal static void Claim(Store store)
    {
        if (!store.IsRemote) return;
        var mine = Mine(store);
        if (store.Read<Home>(PathIn(store)) is not { } there)
        {
            store.WriteManifest(PathIn(store), JsonSerializer.Serialize(mine, SpecJson.Readable));
            return;
        }
        if (there.Id != mine.Id)
            throw new BadRequestException($"The runs of store {store.Address} are kept on machine {there.Machine}. Name a PostgreSQL ledger with --ledger to share them; if that machine is gone, `featureforge store adopt` takes them over from what the store knows of them.");
    }

    /// <summary>Takes the store's runs for this machine, whoever had them.</summary>
    public static void Adopt(Store store)
    {
        if (!store.IsRemote) throw new BadRequestException($"Store {store.Address} is a folder: its runs are kept in it.");
        if (store.Ledger is not null) throw new BadRequestException("The runs are kept in PostgreSQL, which every machine can use; there is nothing to take over.");
        store.WriteText(PathIn(store), JsonSerializer.Serialize(Mine(store), SpecJson.Readable));
    }

    private static string PathIn(Store store) => store.PathOf("ledger.json");

    // Of the working folder, not of the machine: machines share names, and a folder that is lost takes the ledger with it.
    private static Home Mine(Store store)
    {
        var path = store.PathOf(".ledger-id");
        if (!File.Exists(path)) DurableFile.TryCreate(path, Guid.NewGuid().ToString("N"));
        return new(Environment.MachineName, File.ReadAllText(path));
    }
}
