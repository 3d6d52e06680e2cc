// `store verify`: holds every manifest against the files it lists.
using System.Text.Json;

namespace FeatureForge.Data;

/// <summary>What a check found. <paramref name="Severity"/> is "error" (a manifest promises what is not there) or "notice".</summary>
public sealed record StoreFinding(string Severity, string Where, string Message);

/// <summary>The outcome of a check of a whole store.</summary>
public sealed record StoreVerification(int Manifests, int Parts, long Bytes, IReadOnlyList<StoreFinding> Findings)
{
    public bool Sound => Findings.All(finding => finding.Severity != "error");
}

/// <summary>Checks sizes, hashes, identity stamps and strays.</summary>
public static class StoreVerify
{
    /// <summary>Reads every published file once.</summary>
    public static StoreVerification Run(Store store, CancellationToken stop)
    {
        var check = new Check(store, stop);
        foreach (var corpus in store.Corpora())
        {
            var folder = store.CorpusFolder(corpus.Name);
            check.Manifest(folder, StoreStrays.PartsOf(corpus), StoreStrays.CorpusTables);
            if (corpus.ItemParts.Sum(part => part.Rows) != corpus.TotalItems + corpus.Removed)
                check.Error(folder, $"the manifest counts {corpus.TotalItems} items and {corpus.Removed} removed ones, its parts hold {corpus.ItemParts.Sum(part => part.Rows)} rows.");
            foreach (var preparation in corpus.Preparations.Values)
                if (PreparedCorpus.FindManifest(store, corpus.Name, preparation) is { } prepared)
                    check.Manifest(PreparedCorpus.Folder(store, corpus.Name, preparation), prepared.Parts, ["."]);
        }
        foreach (var encoder in store.Encoders())
            check.Manifest(store.EncoderFolder(encoder.Name), [encoder.Weights, .. encoder.MetricParts], StoreStrays.EncoderTables);
        foreach (var set in store.Sets())
        {
            check.Manifest(store.SetFolder(set.Name), set.Tables.SelectMany(table => table.Parts), StoreStrays.SetTables);
            foreach (var part in set.Tables.SelectMany(table => table.Parts)) check.Stamp(store.SetFolder(set.Name), part, set.EncoderId);
        }
        foreach (var clustering in store.Clusterings())
            check.Manifest(store.ClusteringFolder(clustering.Name), StoreStrays.PartsOf(clustering), StoreStrays.ClusteringTables);
        foreach (var selection in store.Selections()) check.Manifest(store.SelectionFolder(selection.Name), selection.ItemParts, StoreStrays.SelectionTables);
        foreach (var head in store.FoldersIn(store.PathOf("heads"))) check.Head(head);
        foreach (var labelSet in store.LabelSets()) check.Labels(store.LabelSetFolder(labelSet));
        check.Staging();
        return check.Result();
    }

    private sealed class Check(Store store, CancellationToken stop)
    {
        private readonly List<StoreFinding> _findings = [];
        private readonly HashSet<string> _sound = new(StringComparer.Ordinal);
        private int _manifests;
        private int _parts;
        private long _bytes;

        internal void Error(string where, string message) => _findings.Add(new("error", store.PlaceOf(where), message));

        internal void Manifest(string folder, IEnumerable<PartFile> parts, string[] tableFolders)
        {
            _manifests++;
            var known = new HashSet<string>(StringComparer.Ordinal);
            foreach (var part in parts)
            {
                stop.ThrowIfCancellationRequested();
                known.Add(Path.GetFullPath(Path.Combine(folder, part.Path)));
                Part(folder, part);
            }
            foreach (var file in StoreStrays.Unlisted(store, folder, known, tableFolders))
                _findings.Add(new("notice", store.PlaceOf(file), "not in the manifest: a run was stopped while publishing; the same command again completes it, `store gc` removes it."));
        }

        private void Part(string folder, PartFile part)
        {
            var path = Path.Combine(folder, part.Path);
            if (store.Describe(path) is not { } found)
            {
                Error(path, "the manifest lists this file, but it is missing. Restore it from a back-up, or run the stage again.");
                return;
            }
            _parts++;
            _bytes += found.Bytes;
            if (found.Bytes != part.Bytes) Error(path, $"expected {part.Bytes} bytes, found {found.Bytes}. Restore it from a back-up, or run the stage again.");
            else if (found.Sha256 != part.Sha256) Error(path, $"expected SHA-256 {part.Sha256}, found {found.Sha256}. Restore it from a back-up, or run the stage again.");
            else _sound.Add(path);
        }

        internal void Stamp(string folder, PartFile part, string encoderId)
        {
            var path = Path.Combine(folder, part.Path);
            if (!_sound.Contains(path)) return;
            try
            {
                var found = EmbeddingTable.ReadHeader(store.FileOf(folder, part)).EncoderId;
                if (found != encoderId) Error(path, $"expected vectors of encoder {encoderId}, found a stamp of {found}.");
            }
            catch (Exception error) when (error is InvalidDataException or ParquetSharp.ParquetException)
            {
                Error(path, error.Message);
            }
        }

        // Its manifest is the labelling room's; what is checked here is the file that it lists.
        internal void Head(string folder)
        {
            var path = Path.Combine(folder, "head.json");
            if (store.ReadText(path) is not { } text) return;
            try
            {
                using var manifest = JsonDocument.Parse(text);
                Manifest(folder, [manifest.RootElement.GetProperty("weights").Deserialize<PartFile>(SpecJson.Readable)!], []);
            }
            catch (Exception error) when (error is JsonException or KeyNotFoundException) { Error(path, $"this manifest of a head cannot be read: {error.Message} Fit the head again: featureforge classify train."); }
        }

        // A label log has no manifest: its parts appear whole, by renaming, so each must be readable to the end.
        internal void Labels(string folder)
        {
            _manifests++;
            foreach (var path in LabelLog.PartsIn(store, folder))
            {
                stop.ThrowIfCancellationRequested();
                try
                {
                    LabelLog.CheckPart(store.FileOf(path), stop);
                    _parts++;
                    _bytes += new FileInfo(path).Length;
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    Error(path, $"this part of the label log cannot be read: {error.Message} Restore it from a back-up.");
                }
            }
        }

        internal void Staging()
        {
            foreach (var (run, _) in store.StagingFolders())
                _findings.Add(new("notice", store.PlaceOf(run), "an unfinished run's work; `runs list` shows it, `runs resume` completes it, `store gc` removes it when there is no such run."));
        }

        internal StoreVerification Result() => new(_manifests, _parts, _bytes, _findings);
    }
}
