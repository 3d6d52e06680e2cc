// Collects outcomes in source order until a part is full and closed, then writes it: items and prepared forms sorted by item id,
// quarantine rows, part.json; last, the folder gets its final name. Writing runs beside the filling of the next part.
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal sealed class PartBuilder(RunContext context, PreparationChoice preparations, int number)
{
    private const int MostItems = 2048;
    private const int MostFindings = 8192;
    private const int MostDuplicateGroups = 1000;
    private const long MostContentBytes = 64 << 20;
    private const long MostPreparedBytes = 96 << 20;

    private readonly List<Outcome> _items = [];
    private readonly List<Rejection> _quarantine = [];
    private readonly List<ExactDuplicateGroup> _copies = [];
    private readonly List<UInt128> _done = [];
    private readonly Dictionary<Modality, PreparationSpec> _preparations = [];
    private long _contentBytes;
    private long _preparedBytes;
    private long _duplicates;
    private long _alreadyThere;
    private long _stayRemoved;
    private long _alreadyQuarantined;

    public int Number => number;
    public bool IsEmpty => _done.Count == 0;
    public bool IsFull => _items.Count >= MostItems || _done.Count >= MostFindings || _contentBytes >= MostContentBytes || _preparedBytes >= MostPreparedBytes;

    public void AddItem(Outcome outcome)
    {
        // The finding's bytes live on in the row only.
        _items.Add(outcome with { Finding = default });
        _contentBytes += ItemsTable.PayloadBytes(outcome.Row!);
        _preparedBytes += 2L * (outcome.Samples?.Count ?? 0) + (outcome.Images?.Values.Sum(image => (long)image.Length) ?? 0);
        _done.Add(StagedPart.ShortKey(StagedPart.KeyOf(outcome.Finding)));
    }

    public void AddRejection(Outcome outcome)
    {
        _quarantine.Add(outcome.Rejection!);
        _done.Add(StagedPart.ShortKey(StagedPart.KeyOf(outcome.Finding)));
    }

    public void AddDuplicate(Outcome outcome)
    {
        _copies.Add(new(outcome.ItemId!, 1, [outcome.Finding.Path]));
        Count(ref _duplicates, outcome);
    }

    public void AddAlreadyThere(Outcome outcome, bool isRemoved)
    {
        if (isRemoved) _stayRemoved++;
        Count(ref _alreadyThere, outcome);
    }

    public void AddAlreadyQuarantined(Outcome outcome) => Count(ref _alreadyQuarantined, outcome);

    /// <summary>Settles how its items are prepared, in source order. Nothing may be added after it.</summary>
    public void Close()
    {
        foreach (var group in _items.GroupBy(item => item.Row!.Modality)) _preparations[group.Key] = preparations.Settle(group.Key, group.Select(item => item.Row!));
    }

    /// <exception cref="DiskFullException">The store's disk has no room for it.</exception>
    public async Task<StagedPart> WriteAsync(CancellationToken stop)
    {
        // Written a second and a third time: as text, and for training.
        var again = _items.Where(item => item.Row!.ContentIsText).Sum(item => 2L * item.Row!.Content!.Length);
        // Packed it is smaller; what it takes unpacked is what is known beforehand.
        DiskFullException.ThrowIfLess(context.StagingFolder, _contentBytes + again + _preparedBytes + 100L * _done.Count);
        try { return await WriteFilesAsync(stop); }
        catch (Exception error) when (DiskFullException.Behind(error, context.StagingFolder) is { } full)
        {
            // The ledger needs some of the room, to say so.
            if (Directory.Exists(UnfinishedFolder)) Directory.Delete(UnfinishedFolder, recursive: true);
            throw full;
        }
    }

    private string UnfinishedFolder => StagedPart.Folder(context, number) + ".tmp";

    private async Task<StagedPart> WriteFilesAsync(CancellationToken stop)
    {
        var folder = UnfinishedFolder;
        Directory.CreateDirectory(folder);
        StagedSignatures.Write(folder, _items.Select(item => item.Row!).Where(row => row is { Signature: not null, NearDuplicateOf: null }));
        _items.Sort((a, b) => string.CompareOrdinal(a.ItemId, b.ItemId));
        if (_items.Count > 0) await ItemsTable.WriteAsync(Path.Combine(folder, StagedPart.ItemsFile), [.. _items.Select(item => item.Row!)], stop);
        if (_quarantine.Count > 0) await QuarantineTable.WriteAsync(Path.Combine(folder, StagedPart.QuarantineFile), _quarantine, stop);
        var part = new StagedPart
        {
            Number = number,
            Items = _items.GroupBy(item => item.Row!.Modality).OrderBy(group => group.Key).ToDictionary(group => group.Key, group => (long)group.Count()),
            ItemCount = _items.Count,
            Prepared = [.. _items.GroupBy(item => item.Row!.Modality).OrderBy(group => group.Key).Select(group => WritePrepared(folder, group.Key, [.. group]))],
            Quarantined = _quarantine.GroupBy(row => row.Code).OrderBy(group => group.Key).ToDictionary(group => group.Key, group => (long)group.Count()),
            Duplicates = _duplicates,
            AlreadyThere = _alreadyThere,
            StayRemoved = _stayRemoved,
            AlreadyQuarantined = _alreadyQuarantined,
            Copies = ExactDuplicateGroup.Merge(_copies, MostDuplicateGroups),
            NearDuplicates = _items.Count(item => item.Row!.NearDuplicateOf != null),
            DoneCount = _done.Count,
        };
        StagedPart.WriteKeys(folder, StagedPart.IdsFile, [.. _items.Select(item => ItemIdSet.Key(item.ItemId!))]);
        StagedPart.WriteKeys(folder, StagedPart.DoneFile, [.. _done]);
        foreach (var file in Directory.EnumerateFiles(folder)) DurableFile.Flush(file);
        DurableFile.WriteAllText(Path.Combine(folder, "part.json"), JsonSerializer.Serialize(part, SpecJson.Line));
        Directory.Move(folder, StagedPart.Folder(context, number));
        return part;
    }

    private StagedPrepared WritePrepared(string folder, Modality modality, IReadOnlyList<Outcome> items)
    {
        var preparation = _preparations[modality];
        var file = $"prepared-{preparation.Hash}.arrow";
        using var writer = new PreparedPartWriter(Path.Combine(folder, file), preparation);
        foreach (var item in items) PreparedItem.Add(writer, preparation, item);
        writer.Complete();
        return new(preparation, file, items.Count, writer.Pieces);
    }

    private void Count(ref long counter, Outcome outcome)
    {
        counter++;
        outcome.Samples?.Dispose();
        _done.Add(StagedPart.ShortKey(StagedPart.KeyOf(outcome.Finding)));
    }
}
