// Only one server may serve a store with an embedded ledger: its pages, schedules and workers would otherwise be there twice. The
// operating system drops the lock when the process ends, however it ends.
namespace FeatureForge.Data;

/// <summary>The right to serve a store; held until disposal. Servers that share a PostgreSQL ledger may be many.</summary>
public sealed class StoreServing : IDisposable
{
    private readonly FileStream? _lock;

    private StoreServing(FileStream? held) => _lock = held;

    /// <exception cref="BadRequestException">Another server of this store runs on this machine.</exception>
    public static StoreServing Begin(Store store)
    {
        if (store.Ledger is not null) return new(null);
        var path = store.PathOf("server.lock");
        try
        {
            var held = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            // Beside it, because what is locked cannot be read.
            File.WriteAllText(NoteOf(path), ProcessIdentity.Current.ToString());
            return new(held);
        }
        catch (IOException)
        {
            throw new BadRequestException($"Store {store.Address} is already served ({WhoIn(path)}). Use that server, stop it first, or give both a PostgreSQL ledger (--ledger) to share the work.");
        }
    }

    public void Dispose() => _lock?.Dispose();

    private static string NoteOf(string path) => path + ".txt";

    private static string WhoIn(string path)
    {
        try { return File.ReadAllText(NoteOf(path)) is { Length: > 0 } who ? $"by {who}" : "by another process"; }
        catch (IOException) { return "by another process"; }
    }
}
