// The request of an ingest run, its limits and its result.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>What to ingest into which corpus. Immutable; <see cref="Problems"/> lists everything wrong with it at once.</summary>
public sealed record IngestSpec
{
    /// <summary>
    /// Folders, archives (zip, tar, tar.gz, tar.zst, tar.bz2, tar.xz), IDX files, tables (.csv, .tsv, .jsonl, .parquet), lists of URLs
    /// (.txt) or single media files; URLs of such files (http, https); s3://bucket/prefix.
    /// </summary>
    public required IReadOnlyList<string> Sources { get; init; }
    public required string Corpus { get; init; }
    /// <summary>Null: each file's own, found by its content. Otherwise files of other modalities are quarantined.</summary>
    public Modality? Modality { get; init; }
    /// <summary>Columns of tables that hold the text, joined by a newline. Empty: one called text, content, body, sentence or document.</summary>
    public IReadOnlyList<string> TextColumns { get; init; } = [];
    /// <summary>Columns of tables that hold the bytes of a file (binary, `{bytes, path}` as Hugging Face writes it, or base64 text). The first that has a value counts.</summary>
    public IReadOnlyList<string> MediaColumns { get; init; } = [];
    /// <summary>Columns of tables that hold a URL (http, https, s3) or a path relative to the table's folder. The first that has a value counts.</summary>
    public IReadOnlyList<string> UrlColumns { get; init; } = [];
    /// <summary>Column of tables that names the row. Null: `id` when there is one, else the row number from 0.</summary>
    public string? IdColumn { get; init; }
    /// <summary>HTML and Markdown documents become what a reader sees of them; their bytes and ids stay. Rows of tables are HTML when they begin so; pieces of a split document are taken one by one.</summary>
    public bool StripMarkup { get; init; }
    /// <summary>Keep the place of files instead of their bytes. What lies on servers keeps its URL. Archive entries and table rows are always kept whole.</summary>
    public bool Reference { get; init; }
    /// <summary>The run fails, publishing nothing, when more than this fraction of what it found is quarantined; in [0,1].</summary>
    public double MaxQuarantine { get; init; } = 1;
    /// <summary>How large one file may be.</summary>
    public IngestLimits Limits { get; init; } = new();
    /// <summary>Where a quality score becomes an issue.</summary>
    public QualityThresholds Quality { get; init; } = new();
    /// <summary>Names of issues whose items are quarantined as low_quality instead of kept.</summary>
    public IReadOnlyList<string> DropIssues { get; init; } = [];
    /// <summary>How alike near duplicates are.</summary>
    public NearDuplicateSpec NearDuplicates { get; init; } = new();
    /// <summary>Near duplicates are quarantined as near_duplicate instead of kept and marked.</summary>
    public bool DropNearDuplicates { get; init; }
    /// <summary>How servers are asked.</summary>
    public RemoteLimits Remote { get; init; } = new();
    /// <summary>What the worker's process may take in memory.</summary>
    public long MemoryBytes { get; init; } = WorkerMemory.DefaultBytes;
    /// <summary>Null: everything new in the sources. Otherwise only these rows of the corpus's quarantine, once more.</summary>
    public RetrySelection? Retry { get; init; }

    /// <summary>Into how many shard runs decoding is split. Null: one run does all. The run that has this and no <see cref="Shard"/> decodes what the shards have left, and publishes.</summary>
    public int? Shards { get; init; }
    /// <summary>Which of them this run is, from 0: it decodes its share of the files and publishes nothing.</summary>
    public int? Shard { get; init; }

    /// <summary>The same work as a pipeline: that many shard runs side by side, then one that reads the sources once more, takes what they have decoded, and publishes.</summary>
    /// <exception cref="BadRequestException">The request is wrong.</exception>
    public PipelineSpec InShards(int count)
    {
        var whole = this with { Shards = count, Shard = null };
        BadRequestException.ThrowIfAny(whole.Problems());
        return PipelineSpec.InShards($"ingest {Corpus}", RunKind.Ingest, count, shard => whole with { Shard = shard });
    }

    /// <summary>One sentence per problem; empty when the run may start.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (Names.Problem("corpus", Corpus) is { } name) problems.Add(name);
        if (Sources.Count == 0) problems.Add("No source is given; name a folder, an archive, a table or a file.");
        foreach (var source in Sources)
        {
            if (string.IsNullOrWhiteSpace(source)) problems.Add("A source is empty; name a folder, an archive, a table or a file.");
            else if (RemoteReader.IsRemote(source)) problems.AddRange(RemoteReader.Problems(source));
            else if (source.Contains("://", StringComparison.Ordinal)) problems.Add($"Source {source} is a URL of an unknown kind; expected http://, https:// or s3://.");
            else if (Retry == null && !File.Exists(source) && !Directory.Exists(source)) problems.Add($"Source {source} does not exist.");
        }
        if (TextColumns.Any(string.IsNullOrWhiteSpace)) problems.Add("A text column has no name.");
        if (IdColumn is { } id && string.IsNullOrWhiteSpace(id)) problems.Add("The id column has no name.");
        if (MaxQuarantine is not (>= 0 and <= 1)) problems.Add($"The largest quarantined fraction is {MaxQuarantine}; expected 0 to 1.");
        if (new[] { TextColumns, MediaColumns, UrlColumns }.Count(columns => columns.Count > 0) > 1) problems.Add("Text, media and URL columns are named at once; a table's row becomes one item. Name one kind; the other columns are kept as metadata.");
        if (MediaColumns.Concat(UrlColumns).Any(string.IsNullOrWhiteSpace)) problems.Add("A media or URL column has no name.");
        if (MemoryBytes < WorkerMemory.LeastBytes) problems.Add($"The memory is {MemoryBytes} bytes; expected at least {WorkerMemory.LeastBytes}.");
        problems.AddRange(Limits.Problems());
        problems.AddRange(DropIssues.Where(name => QualityIssue.Find(name) == null).Select(QualityIssue.Unknown));
        problems.AddRange(Quality.Problems());
        problems.AddRange(NearDuplicates.Problems());
        problems.AddRange(Remote.Problems());
        if (Shards is not null && Retry is not null) problems.Add("A retry is one run; leave shards out.");
        if (PipelineSpec.ShardProblem(Shards, Shard) is { } shards) problems.Add(shards);
        return problems;
    }
}

/// <summary>What one file may cost. Checked from headers and counters, before memory is allocated.</summary>
public sealed record IngestLimits
{
    /// <summary>Width times height of an image.</summary>
    public long ImagePixels { get; init; } = 100_000_000;
    /// <summary>Decoded length of a recording.</summary>
    public double AudioSeconds { get; init; } = 24 * 3600;
    /// <summary>Unicode code points of a document. A text file of more bytes than this becomes several items of at most a million.</summary>
    public int TextCharacters { get; init; } = 10_000_000;
    /// <summary>Bytes of one file of a source.</summary>
    public long FileBytes { get; init; } = 64L << 30;
    /// <summary>Bytes that are kept as content. Larger files are kept by reference; larger archive entries are quarantined.</summary>
    public int ContentBytes { get; init; } = 64 << 20;
    /// <summary>Bytes out per byte in of an archive, and of each of its entries of a megabyte or more.</summary>
    public double ArchiveRatio { get; init; } = 250;
    /// <summary>Entries of one archive.</summary>
    public int ArchiveEntries { get; init; } = 1_000_000;
    /// <summary>Bytes of all entries of one archive.</summary>
    public long ArchiveBytes { get; init; } = 256L << 30;
    /// <summary>Seconds that decoding a file of up to 64 MiB may take; a larger one has in proportion more.</summary>
    public double SecondsPerFile { get; init; } = 300;

    /// <summary>What a file of that size may take.</summary>
    internal double SecondsFor(long bytes) => SecondsPerFile * Math.Max(1, bytes / (double)(64 << 20));

    /// <summary>One sentence per limit that is not positive.</summary>
    public IReadOnlyList<string> Problems() =>
    [
        .. new (string Name, double Value)[]
        {
            ("image pixels", ImagePixels), ("audio seconds", AudioSeconds), ("text characters", TextCharacters), ("file bytes", FileBytes),
            ("content bytes", ContentBytes), ("archive ratio", ArchiveRatio), ("archive entries", ArchiveEntries),
            ("archive bytes", ArchiveBytes), ("seconds per file", SecondsPerFile),
        }.Where(limit => limit.Value is not > 0).Select(limit => $"The limit of {limit.Name} is {limit.Value}; expected more than 0."),
    ];
}

/// <summary>How patiently and how much at once servers are asked.</summary>
public sealed record RemoteLimits
{
    /// <summary>Resources on their way at the same time.</summary>
    public int Parallel { get; init; } = 32;
    /// <summary>How often one is asked for before it is quarantined.</summary>
    public int Attempts { get; init; } = 5;
    /// <summary>Until a connection stands.</summary>
    public double ConnectSeconds { get; init; } = 15;
    /// <summary>Seconds without a byte after which a connection counts as dead.</summary>
    public double StallSeconds { get; init; } = 30;
    /// <summary>Seconds before the second attempt; twice as many before each further one, times 0.5 to 1.5.</summary>
    public double BackOffSeconds { get; init; } = 0.5;
    /// <summary>The longest wait between attempts; a server that asks for more is asked again in a later run.</summary>
    public double LongestWaitSeconds { get; init; } = 120;
    /// <summary>Redirects followed for one file; each target is checked like the first address.</summary>
    public int Redirects { get; init; } = 10;
    /// <summary>Also connect to private, loopback and link-local addresses. Only for lists that you trust.</summary>
    public bool AllowPrivateAddresses { get; init; }
    /// <summary>Take content although its server asks with X-Robots-Tag (noai, noindex) not to. Only with the owner's permission.</summary>
    public bool IgnoreRobots { get; init; }

    /// <summary>One sentence per value that is not positive.</summary>
    public IReadOnlyList<string> Problems() =>
    [
        .. new (string Name, double Value)[]
        {
            ("parallel downloads", Parallel), ("attempts", Attempts), ("connect seconds", ConnectSeconds), ("stall seconds", StallSeconds),
            ("back-off seconds", BackOffSeconds), ("longest wait seconds", LongestWaitSeconds), ("redirects", Redirects),
        }.Where(limit => limit.Value is not > 0).Select(limit => $"The limit of {limit.Name} is {limit.Value}; expected more than 0."),
    ];
}

/// <summary>What an ingest run did.</summary>
public sealed record IngestResult
{
    public required string Corpus { get; init; }
    /// <summary>Unchanged when nothing was added.</summary>
    public required int CorpusVersion { get; init; }
    public required long Added { get; init; }
    /// <summary>Files whose bytes came earlier in the same run; the first is kept.</summary>
    public required long Duplicates { get; init; }
    /// <summary>Files whose bytes the corpus held before.</summary>
    public required long AlreadyThere { get; init; }
    /// <summary>New rows in quarantine.</summary>
    public required long Quarantined { get; init; }
    /// <summary>Bad files that earlier runs quarantined with the same path and content.</summary>
    public required long AlreadyQuarantined { get; init; }
    /// <summary>New rows in quarantine by code.</summary>
    public required IReadOnlyDictionary<RejectionCode, long> QuarantinedByCode { get; init; }
    /// <summary>Of the added items, those that nearly equal another.</summary>
    public long NearDuplicates { get; init; }
    /// <summary>Of those already there, files whose item was removed from the corpus and stays out of it.</summary>
    public long StayRemoved { get; init; }
    /// <summary>Rows of the quarantine that were tried again.</summary>
    public long Retried { get; init; }
    /// <summary>Of these, rows that are no longer there, because their file has become an item or equals one.</summary>
    public long LeftQuarantine { get; init; }
    /// <summary>Items of the corpus after the run, by modality.</summary>
    public required IReadOnlyDictionary<Modality, long> Items { get; init; }
}
