// A store: a folder laid out as design says, or the same layout as objects on an S3-compatible server with a working folder on this
// machine. Knows where things are; reads manifests; hands out staging folders; says where a file of a manifest can be read.
using System.Text.Json;

namespace FeatureForge.Data;

/// <summary>
/// A store. Finished tables lie beside a manifest that was written last; whatever has no manifest does not exist. Paths are below
/// <see cref="Root"/> in either case; what is read at one comes from <see cref="FileOf(string, PartFile)"/>, <see cref="FilesBelow"/> or <see cref="ReadText"/>.
/// </summary>
public sealed class Store
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

    /// <summary>A path below the root as people can use it: itself, or the address of the object or prefix on S3.</summary>
    public string PlaceOf(string path) => Mirror is null ? path : Mirror.AddressOf(path);

    /// <summary>Where a file of a manifest can be read on this machine; of a store on S3, it comes over first unless a copy is here already.</summary>
    /// <param name="folder">The manifest's folder.</param>
    /// <exception cref="IOException">The server cannot be reached, or has no such object.</exception>
    /// <exception cref="InvalidDataException">What the server has is not what the manifest describes.</exception>
    public string FileOf(string folder, PartFile part)
    {
        var path = Path.Combine(folder, part.Path);
        return Mirror is null ? path : Mirror.Fetch(path, part);
    }

    /// <summary>The text of a small file as it is now; null when there is none.</summary>
    public string? ReadText(string path)
    {
        if (Mirror is not null) return Mirror.ReadText(path);
        try { return File.ReadAllText(path); }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException) { return null; }
    }

    /// <summary>A manifest as it is now; null when there is none.</summary>
    public T? Read<T>(string path) where T : class => ReadText(path) is { } text ? JsonSerializer.Deserialize<T>(text, SpecJson.Readable) : null;

    /// <summary>Writes a small file that one process at a time writes.</summary>
    public void WriteText(string path, string text)
    {
        if (Mirror is null) DurableFile.WriteAllText(path, text);
        else Mirror.Overwrite(path, text);
    }

    /// <summary>As <see cref="WriteText"/>, but a server may get it a little later.</summary>
    internal void WriteTextSoon(string path, string text)
    {
        if (Mirror is null) DurableFile.WriteAllText(path, text);
        else Mirror.OverwriteSoon(path, text);
    }

    /// <summary>Writes a manifest; on S3 only over the version that this process has read last.</summary>
    public void WriteManifest(string path, string text)
    {
        if (Mirror is null) DurableFile.WriteAllText(path, text);
        else Mirror.WriteManifest(path, text);
    }

    /// <summary>Publishes finished files; a move whose file has arrived already is none.</summary>
    internal void Put(IReadOnlyList<Move> moves, Action checkFence)
    {
        if (Mirror is not null)
        {
            Mirror.Put(moves, checkFence);
            return;
        }
        foreach (var move in moves.Where(move => File.Exists(move.From)))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(move.To)!);
            DurableFile.MoveInto(move.From, move.To);
        }
    }

    /// <summary>Publishes one finished file that no manifest lists.</summary>
    public void Put(string from, string to)
    {
        DurableFile.Flush(from);
        Put([new(from, to, DurableFile.Describe(from, Path.GetFileName(to), 0))], () => { });
    }

    /// <summary>Where a file that no manifest lists, and that never changes, can be read on this machine.</summary>
    internal string FileOf(string path) => Mirror is null ? path : Mirror.Fetch(path);

    /// <summary>Paths of all files below a folder, in order; of a store on S3 they need not have come over.</summary>
    public IReadOnlyList<string> FilesBelow(string folder) =>
        [.. (Mirror is not null ? Mirror.Files(folder) : Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories) : []).Order(StringComparer.Ordinal)];

    /// <summary>Paths of the folders directly below a folder, in order.</summary>
    public IReadOnlyList<string> FoldersIn(string folder) =>
        [.. (Mirror is not null ? Mirror.Folders(folder) : Directory.Exists(folder) ? Directory.EnumerateDirectories(folder) : []).Order(StringComparer.Ordinal)];

    /// <summary>Removes a file or a whole folder, if it is there.</summary>
    public void Remove(string path)
    {
        if (Mirror is not null) Mirror.Remove(path);
        else if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
        else if (File.Exists(path)) File.Delete(path);
    }

    /// <summary>Removes the parts of a table that its manifest does not list, so that tools that read the folder see each row once.</summary>
    /// <param name="folder">The manifest's folder.</param>
    /// <param name="table">The table's folder in it.</param>
    /// <param name="listed">Parts that stay.</param>
    public void RemoveUnlisted(string folder, string table, IEnumerable<PartFile> listed)
    {
        foreach (var path in StoreStrays.Unlisted(this, folder, StoreStrays.Known(folder, listed), [table]).ToList()) Remove(path);
    }

    /// <summary>When a small file was written last, as far as this machine knows; of a store on S3, a change is seen within two seconds.</summary>
    public DateTime ChangedAt(string path)
    {
        Mirror?.ReadRecentText(path);
        return File.GetLastWriteTimeUtc(path);
    }

    /// <summary>Size and hash of a published file, read to its end; null when there is none.</summary>
    internal (long Bytes, string Sha256)? Describe(string path)
    {
        if (Mirror is not null) return Mirror.Describe(path);
        if (!File.Exists(path)) return null;
        var found = DurableFile.Describe(path, "", 0);
        return (found.Bytes, found.Sha256);
    }

    /// <summary>Files at a path, be it a file's or a folder's, and their bytes, on the server and on this machine.</summary>
    internal (int Files, long Bytes) Size(string path)
    {
        var here = Directory.Exists(path) ? [.. new DirectoryInfo(path).EnumerateFiles("*", SearchOption.AllDirectories)] : File.Exists(path) ? new List<FileInfo> { new(path) } : [];
        var there = Mirror?.Size(path) ?? default;
        return (Math.Max(here.Count, there.Files), here.Sum(file => file.Length) + there.Bytes);
    }

    /// <summary>The staging folders of this machine, and on S3 those that others have left on the server: of these, when something was written there last.</summary>
    internal IReadOnlyList<(string Path, DateTimeOffset? LeftByOthers)> StagingFolders()
    {
        var staging = PathOf(".staging");
        var there = Mirror?.StagedElsewhere();
        // What a server has taken over leaves empty folders.
        IEnumerable<string> here = Directory.Exists(staging) ? Directory.EnumerateDirectories(staging).Where(folder => Mirror is null || Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Any()).Select(path => Path.GetFileName(path)!) : [];
        return [.. here.Union(there?.Keys ?? []).Order(StringComparer.Ordinal).Select(name => (StagingFolder(name), there?.TryGetValue(name, out var written) == true ? written : (DateTimeOffset?)null))];
    }

    /// <summary>Leaves a copy of a finished staged file where another machine finds it; in a folder it lies there already.</summary>
    public void KeepStaged(string path) => Mirror?.KeepStaged(path);

    /// <summary>Removes this machine's copies of staged files that <see cref="KeepStaged"/> has left on a server; in a folder they stay.</summary>
    public void LetGoOfStaged(IEnumerable<string> paths)
    {
        if (Mirror is not null) foreach (var path in paths) Mirror.RemoveHere(path);
    }

    /// <summary>Brings over what other machines have left in a folder, as far as it is not here.</summary>
    /// <param name="wanted">By path on this machine; null: all.</param>
    /// <returns><paramref name="folder"/>.</returns>
    public string FetchFolder(string folder, Func<string, bool>? wanted = null)
    {
        Mirror?.FetchFolder(folder, wanted ?? (_ => true));
        return folder;
    }

    /// <summary>A path below the root from names that were checked by <see cref="Names.Problem"/> or are the store's own.</summary>
    public string PathOf(params ReadOnlySpan<string> parts)
    {
        string[] all = [Root, .. parts];
        return Path.Combine(all);
    }

    /// <summary>`.staging/run id`: what a run has written but not published.</summary>
    public string StagingFolder(string runId) => PathOf(".staging", runId);

    public string CorpusFolder(string corpus) => PathOf("corpora", corpus);
    public string EncoderFolder(string encoder) => PathOf("encoders", encoder);
    public string SetFolder(string set) => PathOf("embeddings", set);
    public string ClusteringFolder(string clustering) => PathOf("clusterings", clustering);
    public string SelectionFolder(string selection) => PathOf("selections", selection);
    public string LabelSetFolder(string labelSet) => PathOf("labels", labelSet);

    public CorpusManifest? FindCorpus(string name) => Read<CorpusManifest>(Path.Combine(CorpusFolder(name), "corpus.json"));
    public EncoderManifest? FindEncoder(string name) => Read<EncoderManifest>(Path.Combine(EncoderFolder(name), "encoder.json"));
    public SetManifest? FindSet(string name) => Read<SetManifest>(Path.Combine(SetFolder(name), "set.json"));
    public ClusteringManifest? FindClustering(string name) => Read<ClusteringManifest>(Path.Combine(ClusteringFolder(name), "clustering.json"));
    public SelectionManifest? FindSelection(string name) => Read<SelectionManifest>(Path.Combine(SelectionFolder(name), "selection.json"));

    /// <summary>All corpora, by name.</summary>
    public IReadOnlyList<CorpusManifest> Corpora() => All("corpora", FindCorpus);
    public IReadOnlyList<EncoderManifest> Encoders() => All("encoders", FindEncoder);
    public IReadOnlyList<SetManifest> Sets() => All("embeddings", FindSet);
    public IReadOnlyList<ClusteringManifest> Clusterings() => All("clusterings", FindClustering);
    public IReadOnlyList<SelectionManifest> Selections() => All("selections", FindSelection);

    /// <summary>Names of the label sets; a label set exists when its log holds a part.</summary>
    public IReadOnlyList<string> LabelSets() =>
        [.. FoldersIn(PathOf("labels")).Where(folder => LabelLog.PartsIn(this, folder).Count > 0).Select(path => Path.GetFileName(path)!)];

    /// <summary>Refuses to publish over a version that the run has not seen: two runs changed the corpus at the same time.</summary>
    /// <exception cref="InvalidOperationException">It is another version now; the run, started again, goes on from it.</exception>
    public void RequireSameCorpus(string name, CorpusManifest? before)
    {
        if (FindCorpus(name) is { } now && (now.RunId, now.Version) != (before?.RunId, before?.Version))
            throw new InvalidOperationException($"Corpus '{name}' was changed by run {now.RunId} while this run was working; nothing was published. Run the same command again: it goes on from version {now.Version}.");
    }

    /// <summary>The manifest, or a bad request that names what exists.</summary>
    public CorpusManifest Corpus(string name) => FindCorpus(name) ?? throw Missing("corpus", name, Corpora().Select(c => c.Name));
    public EncoderManifest Encoder(string name) => FindEncoder(name) ?? throw Missing("encoder", name, Encoders().Select(e => e.Name));

    /// <summary>The encoder that made a set's vectors, as it is in the store now.</summary>
    /// <exception cref="BadRequestException">There is none of its name, or it is another one by now.</exception>
    public EncoderManifest EncoderOf(SetManifest set)
    {
        var encoder = Encoder(set.Encoder);
        return encoder.EncoderId == set.EncoderId ? encoder
            : throw new BadRequestException($"Embedding set '{set.Name}' is of encoder {set.EncoderId}, but encoder '{set.Encoder}' is now {encoder.EncoderId}; vectors of different encoders cannot be compared. Extract the set again.");
    }

    public SetManifest Set(string name) => FindSet(name) ?? throw Missing("embedding set", name, Sets().Select(s => s.Name));
    public ClusteringManifest Clustering(string name) => FindClustering(name) ?? throw Missing("clustering", name, Clusterings().Select(c => c.Name));
    public SelectionManifest Selection(string name) => FindSelection(name) ?? throw Missing("selection", name, Selections().Select(s => s.Name));

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

    private static BadRequestException Missing(string what, string name, IEnumerable<string> existing)
    {
        var names = string.Join(", ", existing);
        return new($"There is no {what} named '{name}' in this store; " + (names.Length > 0 ? $"it has: {names}." : "it has none."));
    }

    private List<T> All<T>(string kind, Func<string, T?> find) where T : class => [.. FoldersIn(PathOf(kind)).Select(path => find(Path.GetFileName(path)!)).OfType<T>()];
}
