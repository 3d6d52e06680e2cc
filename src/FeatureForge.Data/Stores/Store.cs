// A store: a folder laid out as design says, or the same layout as objects on an S3-compatible server with a working folder on this
// machine. Here it is made and opened; StoreFiles.cs is what is done with its files, StoreManifests.cs what is where in it.
using System.Text.Json;

namespace FeatureForge.Data;

/// <summary>
/// A store. Finished tables lie beside a manifest that was written last; whatever has no manifest does not exist. Paths are below
/// <see cref="Root"/> in either case; what is read at one comes from <see cref="FileOf(string, PartFile)"/>, <see cref="FilesBelow"/> or <see cref="ReadText"/>.
/// </summary>
public sealed partial class Store
{
    /// <summary>Environment variable with the address of the ledger's database; workers inherit it.</summary>
    public const string LedgerVariable = "FEATUREFORGE_LEDGER";

    /// <summary>Environment variable with the folder that holds the working folders of stores on S3; default: featureforge/stores in the user's data folder.</summary>
    public const string WorkVariable = "FEATUREFORGE_WORK";

    private const int FormatVersion = 1;
    private const string MarkerName = "store.json";

    private Store(string root, string id, string? ledger, string? address = null, StoreMirror? mirror = null) => (Root, Id, Ledger, Address, Mirror) = (root, id, ledger, address ?? root, mirror);

    /// <summary>The store's folder, absolute; of a store on S3, its working folder on this machine.</summary>
    public string Root { get; }

    /// <summary>What opens it again: the folder, or s3://bucket/prefix.</summary>
    public string Address { get; }

    /// <summary>Null: the store is a folder.</summary>
    internal StoreMirror? Mirror { get; }

    /// <summary>Whether the store's files are objects on an S3-compatible server.</summary>
    public bool IsRemote => Mirror is not null;

    /// <summary>Tells this store from every other: 32 hexadecimal characters, drawn when it was made.</summary>
    public string Id { get; }

    /// <summary>Address of the PostgreSQL database that holds the run ledger; null: <see cref="CatalogPath"/> does.</summary>
    public string? Ledger { get; }

    /// <summary>The run ledger's SQLite file.</summary>
    public string CatalogPath => Path.Combine(Root, "catalog.db");

    /// <summary>Whether servers of this store ask people to sign in. Stands beside the ledger, so that losing the ledger lets nobody in.</summary>
    public bool RequiresSignIn => File.Exists(SignInMark);

    private string SignInMark => Path.Combine(Root, "sign-in.json");

    internal void RequireSignIn()
    {
        if (!RequiresSignIn) WriteText(SignInMark, """{"required":true}""");
    }

    /// <summary>Whether an address is one of a store on S3.</summary>
    public static bool IsRemoteAddress(string address) => address.StartsWith("s3://", StringComparison.Ordinal);

    /// <summary>Whether there is a store.</summary>
    public static bool Exists(string address)
    {
        if (!IsRemoteAddress(address)) return File.Exists(Path.Combine(address, MarkerName));
        using var bucket = new S3Bucket(address);
        try { return bucket.ReadText(MarkerName, null) is not null; }
        catch (IOException error) { throw new BadRequestException(error.Message); }
    }

    /// <summary>Whether the server of a store on S3 refuses a write whose condition does not hold. Writes and removes a small object.</summary>
    /// <exception cref="IOException">It cannot be reached, or refuses everything.</exception>
    public static bool KeepsConditions(string address)
    {
        using var bucket = new S3Bucket(address);
        return bucket.KeepsConditions($".probe-{Guid.NewGuid():N}");
    }

    /// <summary>Opens a store, creating it when it does not exist.</summary>
    /// <param name="root">A folder, or s3://bucket/prefix: the server and the credentials are those of the environment, as for sources on S3.</param>
    /// <param name="ledger">Address of a PostgreSQL database for the run ledger (see <see cref="PostgresAddress"/>). Null: FEATUREFORGE_LEDGER, else a file in the store.</param>
    /// <exception cref="BadRequestException">The folder or prefix holds something else, or a newer format; or the S3 server cannot be reached, or refuses.</exception>
    public static Store Open(string root, string? ledger = null)
    {
        ledger ??= Environment.GetEnvironmentVariable(LedgerVariable) is { Length: > 0 } given ? given : null;
        if (IsRemoteAddress(root))
        {
            try { return OpenRemote(root, ledger); }
            catch (IOException error) { throw new BadRequestException(error.Message); }
        }
        root = Path.GetFullPath(root);
        if (File.Exists(root)) throw new BadRequestException($"Store {root} is a file; expected a folder.");
        Directory.CreateDirectory(root);
        var marker = Path.Combine(root, MarkerName);
        if (File.Exists(marker)) return new(root, IdIn(File.ReadAllText(marker), root) ?? Mark(marker, replaces: true), ledger);
        if (Directory.EnumerateFileSystemEntries(root).Select(entry => Path.GetFileName(entry)!).Any(name => name is not ("lost+found" or ".staging") && !name.StartsWith(MarkerName, StringComparison.Ordinal)))
        {
            // Another process has made the store in the meantime.
            if (File.Exists(marker)) return Open(root, ledger);
            throw new BadRequestException($"Folder {root} is not empty and holds no store.json; name an empty or new folder as the store.");
        }
        return new(root, Mark(marker, replaces: false), ledger);
    }

    private static Store OpenRemote(string address, string? ledger)
    {
        var bucket = new S3Bucket(address);
        address = address.TrimEnd('/');
        var text = bucket.ReadText(MarkerName, null)?.Text;
        if (text is null)
        {
            if (bucket.List("").Any()) throw new BadRequestException($"{address} is not empty and holds no {MarkerName}; name a prefix that is empty or new as the store.");
            // Of two processes that make a store at once, one wins and the other takes what is there.
            try { text = bucket.WriteText(MarkerName, NewMark().Text, null).Text; }
            catch (ObjectChangedException) { text = bucket.ReadText(MarkerName, null)!.Text; }
        }
        var id = IdIn(text, address) ?? throw new BadRequestException($"{address}/{MarkerName} names no store_id; it is not one of this program's.");
        // By id: a store that is made anew under the same address has nothing to do with what is left of the old one.
        var folder = Environment.GetEnvironmentVariable(WorkVariable) is { Length: > 0 } given ? given
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "featureforge", "stores");
        var root = Path.GetFullPath(Path.Combine(folder, id));
        Directory.CreateDirectory(root);
        var store = new Store(root, id, ledger, address, new(bucket, root));
        if (!File.Exists(store.PathOf(MarkerName))) DurableFile.WriteAllText(store.PathOf(MarkerName), text);
        store.ReadText(store.SignInMark);
        return store;
    }

    // Null in stores of the first version, which have none.
    private static string? IdIn(string marker, string address)
    {
        using var document = JsonDocument.Parse(marker);
        var version = document.RootElement.TryGetProperty("format_version", out var found) ? found.GetInt32() : 0;
        if (version != FormatVersion)
            throw new BadRequestException($"Store {address} has format version {version}; this program reads version {FormatVersion}. Use the program that wrote it, or a newer one.");
        return document.RootElement.TryGetProperty("store_id", out var known) ? known.GetString() : null;
    }

    private static (string Id, string Text) NewMark()
    {
        var id = Guid.NewGuid().ToString("N");
        return (id, JsonSerializer.Serialize(new { format_version = FormatVersion, store_id = id }, SpecJson.Readable));
    }

    // Of two processes that make a store at once, one wins and the other takes what is there. Stores of the first version have no id
    // and get one when they are opened next.
    private static string Mark(string marker, bool replaces)
    {
        var (id, text) = NewMark();
        if (replaces)
        {
            DurableFile.WriteAllText(marker, text);
            return id;
        }
        if (DurableFile.TryCreate(marker, text)) return id;
        using var document = JsonDocument.Parse(File.ReadAllText(marker));
        return document.RootElement.GetProperty("store_id").GetString()!;
    }
}
