// `ingest`: files to items of a corpus; again = only what is new.
using System.CommandLine;
using FeatureForge.Data;
using FeatureForge.Ingest;

namespace FeatureForge.Cli;

internal static class IngestCommand
{
    internal static Command Create()
    {
        var sources = new Argument<string[]>("SOURCE") { Description = "Folders, archives (zip; tar, also gz, zst, bz2, xz), IDX files, tables (csv, tsv, jsonl, parquet), lists of URLs (txt), media files; http(s) URLs of such files; s3://bucket/prefix.", Arity = ArgumentArity.OneOrMore };
        var corpus = new Option<string>("--corpus") { Description = "The corpus to make or to add to.", Required = true };
        var modality = new Option<string>("--modality") { Description = "auto, image, audio or text. Other files are quarantined.", DefaultValueFactory = _ => "auto" };
        var textColumns = new Option<string[]>("--text-column") { Description = "Columns of tables that hold the text." };
        var mediaColumns = new Option<string[]>("--media-column") { Description = "Columns of tables that hold a file's bytes (Parquet; base64 elsewhere)." };
        var urlColumns = new Option<string[]>("--url-column") { Description = "Columns of tables that hold a URL, or a path relative to the table's folder." };
        var idColumn = new Option<string?>("--id-column") { Description = "Column of tables that names the row." };
        var stripMarkup = new Option<bool>("--strip-markup") { Description = "Keep of HTML and Markdown documents what a reader sees." };
        var reference = new Option<bool>("--reference") { Description = "Keep the place (path, URL) of files instead of their bytes." };
        var parallel = new Option<int>("--parallel") { Description = "Downloads at the same time.", DefaultValueFactory = _ => new RemoteLimits().Parallel };
        var attempts = new Option<int>("--attempts") { Description = "How often a URL is asked for before it is quarantined.", DefaultValueFactory = _ => new RemoteLimits().Attempts };
        var stall = new Option<double>("--stall-seconds") { Description = "A connection without a byte for so long is dead.", DefaultValueFactory = _ => new RemoteLimits().StallSeconds };
        var allowPrivate = new Option<bool>("--allow-private-addresses") { Description = "Also connect to private, loopback and link-local addresses." };
        var ignoreRobots = new Option<bool>("--ignore-robots") { Description = "Take content whose server opts out with X-Robots-Tag. Only with permission." };
        var maxQuarantine = new Option<double>("--max-quarantine") { Description = "Fail, publishing nothing, when more than this fraction is quarantined.", DefaultValueFactory = _ => 1 };
        var dropIssues = new Option<string[]>("--drop-issues") { Description = $"Quarantine items with these quality issues instead of keeping them: {string.Join(", ", QualityIssue.All.Select(issue => issue.Name))}." };
        var threshold = new Option<string[]>("--threshold") { Description = "Another threshold for a quality issue, as NAME=VALUE; may be repeated." };
        var dropNearDuplicates = new Option<bool>("--drop-near-duplicates") { Description = "Quarantine near duplicates instead of keeping and marking them." };
        var limits = new IngestLimits();
        var maxPixels = new Option<long>("--max-pixels") { Description = "Largest picture, width times height.", DefaultValueFactory = _ => limits.ImagePixels };
        var maxSeconds = new Option<double>("--max-seconds") { Description = "Longest recording.", DefaultValueFactory = _ => limits.AudioSeconds };
        var maxCharacters = new Option<int>("--max-characters") { Description = "Longest document. A text file of more bytes becomes items of at most 1,000,000 characters.", DefaultValueFactory = _ => limits.TextCharacters };
        var maxFileBytes = new Option<long>("--max-file-bytes") { Description = "Largest file of a source.", DefaultValueFactory = _ => limits.FileBytes };
        var secondsPerFile = new Option<double>("--seconds-per-file") { Description = "Longest decoding of a file of up to 64 MiB; larger ones have in proportion more.", DefaultValueFactory = _ => limits.SecondsPerFile };
        var memory = new Option<double>("--memory") { Description = "What the worker may take in memory, in GB (0.5 or more).", DefaultValueFactory = _ => WorkerMemory.DefaultBytes / (double)(1L << 30) };
        var shards = SharedOptions.Shards();
        return new Command("ingest", "Turn files into items of a corpus; again means only what is new.").With(sources, corpus, modality, textColumns, mediaColumns, urlColumns, idColumn, stripMarkup, reference, maxQuarantine, parallel, attempts, stall, allowPrivate, ignoreRobots, dropIssues, threshold, dropNearDuplicates, maxPixels, maxSeconds, maxCharacters, maxFileBytes, secondsPerFile, memory, shards)
            .Does((parsed, options, stop) =>
            {
                var spec = new IngestSpec
                {
                    Sources = parsed.GetRequiredValue(sources),
                    Corpus = parsed.GetRequiredValue(corpus),
                    Modality = SharedOptions.ModalityOf(parsed.GetValue(modality)),
                    TextColumns = Verb.List(parsed.GetValue(textColumns)),
                    MediaColumns = Verb.List(parsed.GetValue(mediaColumns)),
                    UrlColumns = Verb.List(parsed.GetValue(urlColumns)),
                    IdColumn = parsed.GetValue(idColumn),
                    StripMarkup = parsed.GetValue(stripMarkup),
                    Reference = parsed.GetValue(reference),
                    MaxQuarantine = parsed.GetValue(maxQuarantine),
                    DropIssues = Verb.List(parsed.GetValue(dropIssues)),
                    Quality = new QualityThresholds().With(Verb.List(parsed.GetValue(threshold))),
                    DropNearDuplicates = parsed.GetValue(dropNearDuplicates),
                    MemoryBytes = (long)(parsed.GetValue(memory) * (1L << 30)),
                    Limits = new()
                    {
                        ImagePixels = parsed.GetValue(maxPixels),
                        AudioSeconds = parsed.GetValue(maxSeconds),
                        TextCharacters = parsed.GetValue(maxCharacters),
                        FileBytes = parsed.GetValue(maxFileBytes),
                        SecondsPerFile = parsed.GetValue(secondsPerFile),
                    },
                    Remote = new()
                    {
                        Parallel = parsed.GetValue(parallel),
                        Attempts = parsed.GetValue(attempts),
                        StallSeconds = parsed.GetValue(stall),
                        AllowPrivateAddresses = parsed.GetValue(allowPrivate),
                        IgnoreRobots = parsed.GetValue(ignoreRobots),
                    },
                };
                // Before a wrong request makes a store.
                BadRequestException.ThrowIfAny(spec.Problems());
                if (parsed.GetValue(shards) is { } count)
                {
                    // Servers may work elsewhere than here.
                    spec = spec with { Sources = [.. spec.Sources.Select(source => Path.Exists(source) ? Path.GetFullPath(source) : source)] };
                    return SharedOptions.ExecuteAsync(spec.InShards(count), options.OpenOrCreateStore, options, stop);
                }
                return SharedOptions.ExecuteAsync(RunKind.Ingest, spec, options.OpenOrCreateStore, options, stop);
            });
    }
}
