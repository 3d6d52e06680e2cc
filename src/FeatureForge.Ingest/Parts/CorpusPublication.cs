// Moves the staged parts of a run into the corpus: prepared forms first with their manifests, then items and quarantine,
// corpus.json last. Killed anywhere and run again, it publishes the same files under the same names.
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal sealed class CorpusPublication(RunContext context, IngestSpec spec, KnownCorpus known, PreparationChoice preparations, IReadOnlyList<StagedPart> parts)
{
    private const int MostDuplicateGroups = 20;
    private readonly string _folder = context.Store.CorpusFolder(spec.Corpus);
    private readonly CorpusManifest? _before = known.Manifest;

    /// <summary>Retried rows that are in quarantine no more.</summary>
    public long LeftQuarantine { get; private set; }

    /// <summary>Publishes what is new.</summary>
    /// <returns>The manifest in force now; null when the corpus does not exist and nothing was found for it.</returns>
    public async Task<CorpusManifest?> PublishAsync(CancellationToken stop)
    {
        var withItems = parts.Where(part => part.ItemCount > 0).ToList();
        var quarantined = parts.Sum(part => part.Quarantined.Values.Sum());
        context.Store.RequireSameCorpus(spec.Corpus, _before);
        var retries = known.Retried is { Count: > 0 };
        if (withItems.Count == 0 && quarantined == 0 && !retries) return _before;

        var first = NextNumber(_before?.ItemParts);
        foreach (var group in withItems.SelectMany((part, i) => part.Prepared.Select(prepared => (Part: part, Number: first + i, Prepared: prepared))).GroupBy(entry => entry.Prepared.Preparation))
        {
            PublishPrepared(context, spec.Corpus, group.Key, [.. group.Select(entry => (Path.Combine(entry.Part.Folder(context), entry.Prepared.File), entry.Number, entry.Prepared.Rows, entry.Prepared.Pieces))]);
        }

        var publication = new Publication(context);
        var items = withItems.Select((part, i) => publication.Add(Path.Combine(part.Folder(context), StagedPart.ItemsFile), _folder, $"items/part-{first + i:D5}.parquet", part.ItemCount)).ToList();
        // A corpus's first part is there even without rows, so that tools find a table to read.
        (string Path, long Rows)? gathered = quarantined == 0 && _before is not null && !retries ? null : await GatherQuarantineAsync(stop);
        var quarantine = gathered is { } file ? new[] { publication.Add(file.Path, _folder, $"quarantine/part-{NextNumber(_before?.QuarantineParts):D5}.parquet", file.Rows) } : [];
        var at = context.Time.GetUtcNow();
        var now = retries ? gathered!.Value.Rows : (_before?.Quarantined ?? 0) + quarantined;
        var version = (_before?.Version ?? 0) + (items.Count > 0 || _before == null ? 1 : 0);
        var manifest = new CorpusManifest
        {
            Name = spec.Corpus,
            Version = version,
            RunId = context.RunId,
            UpdatedAt = at,
            RemovalParts = _before?.RemovalParts ?? [],
            History = [.. _before?.History ?? [], new(version, context.RunId, at, withItems.Sum(part => (long)part.ItemCount), 0, 0, now - (_before?.Quarantined ?? 0))],
            Items = Enum.GetValues<Modality>().Select(modality => (modality, Count: Before(modality) + withItems.Sum(part => part.Items.GetValueOrDefault(modality)))).Where(entry => entry.Count > 0).ToDictionary(entry => entry.modality, entry => entry.Count),
            Quarantined = now,
            ExactDuplicates = (_before?.ExactDuplicates ?? 0) + parts.Sum(part => part.Duplicates),
            ExactDuplicateGroups = ExactDuplicateGroup.Merge([.. _before?.ExactDuplicateGroups ?? [], .. parts.SelectMany(part => part.Copies)], MostDuplicateGroups),
            Sources = [.. (_before?.Sources ?? []).Concat(spec.Sources.Select(FileUri.OfSource)).Distinct()],
            ItemParts = [.. _before?.ItemParts ?? [], .. items],
            // A retry writes the whole quarantine anew: rows have left it.
            QuarantineParts = retries ? quarantine : [.. _before?.QuarantineParts ?? [], .. quarantine],
            Request = JsonSerializer.SerializeToElement(spec with { Sources = [], Retry = null, Shards = null }, SpecJson.Line),
            Preparations = preparations.Settled,
        };
        context.Store.RequireSameCorpus(spec.Corpus, _before);
        publication.Commit(Path.Combine(_folder, "corpus.json"), manifest);
        return manifest;
    }

    /// <summary>Adds staged Arrow files to a corpus's prepared form; a part of the same number is replaced.</summary>
    public static void PublishPrepared(RunContext context, string corpus, PreparationSpec preparation, IReadOnlyList<(string Staged, int Number, long Rows, int Pieces)> files)
    {
        var folder = PreparedCorpus.Folder(context.Store, corpus, preparation);
        var manifestPath = Path.Combine(folder, "prepared.json");
        var publication = new Publication(context);
        var parts = PreparedCorpus.FindManifest(context.Store, corpus, preparation)?.Parts.ToDictionary(part => part.Path) ?? [];
        foreach (var (staged, number, rows, pieces) in files)
        {
            for (var piece = 0; piece < pieces; piece++)
            {
                var part = publication.Add(PreparedPartWriter.PiecePath(staged, piece), folder, PreparedPartWriter.PiecePath($"part-{number:D5}.arrow", piece), piece == 0 ? rows : 0);
                parts[part.Path] = part;
            }
        }
        publication.Commit(manifestPath, new PreparedManifest
        {
            Corpus = corpus,
            Preparation = preparation,
            MadeWith = preparation.Modality == Modality.Audio ? AudioDecoder.MadeWith : preparation.Modality == Modality.Image ? ImageDecoder.MadeWith : "own text decoder",
            Parts = [.. parts.Values.OrderBy(part => part.Path, StringComparer.Ordinal)],
        });
    }

    /// <summary>The number in part-NNNNN.</summary>
    public static int NumberOf(PartFile part) => PreparedCorpus.NumberOf(part.Path);

    private static int NextNumber(IReadOnlyList<PartFile>? parts) => parts is { Count: > 0 } ? parts.Max(NumberOf) + 1 : 0;

    private long Before(Modality modality) => _before?.Items.GetValueOrDefault(modality) ?? 0;

    // One file per run, not one per part: bad files are few. The staged parts keep theirs, so that a killed run can do this again.
    private async Task<(string Path, long Rows)> GatherQuarantineAsync(CancellationToken stop)
    {
        var rows = new List<Rejection>();
        foreach (var part in parts.Where(part => part.Quarantined.Count > 0))
        {
            await foreach (var row in QuarantineTable.ReadAsync(Path.Combine(part.Folder(context), StagedPart.QuarantineFile), stop)) rows.Add(row);
        }
        if (known.Retried is { Count: > 0 } retried)
        {
            rows.AddRange(retried.Gone(parts.SelectMany(part => part.ReadKeys(context, StagedPart.DoneFile)), context.Time.GetUtcNow()));
            LeftQuarantine = retried.Count - rows.Count(retried.Has);
            foreach (var part in _before!.QuarantineParts)
            {
                await foreach (var row in QuarantineTable.ReadAsync(context.Store.FileOf(_folder, part), stop))
                {
                    if (!retried.Has(row)) rows.Add(row);
                }
            }
        }
        var path = Path.Combine(context.StagingFolder, StagedPart.QuarantineFile);
        await QuarantineTable.WriteAsync(path, rows, stop);
        return (path, rows.Count);
    }
}
