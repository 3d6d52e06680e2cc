// Which new item nearly equals which earlier one, of the corpus or of the run. Asked in source order, so the answer depends on nothing
// else; after a kill it is filled again from the published and staged parts, in the order in which they were made.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Remembers the first of each group of near duplicates only: groups are stars, and do not grow into chains.</summary>
internal sealed class NearDuplicates
{
    private const int TextBands = 21;
    private const int TextPlaces = 3;
    private const int SoundBands = 32;
    private const int SoundPlaces = 2;
    private const double MostDecibels = 6;

    private readonly bool _isOff;
    private readonly ImageIndex _images;
    private readonly SketchIndex _texts;
    private readonly SketchIndex _sounds;

    public NearDuplicates(NearDuplicateSpec spec)
    {
        _isOff = spec.MostRemembered == 0;
        _images = new(spec);
        _texts = new(SketchSignature.TextBytes, TextBands, TextPlaces, spec.MostRemembered, (a, b) => SketchSignature.Similarity(a, b) >= spec.TextSimilarity);
        _sounds = new(SketchSignature.SoundBytes, SoundBands, SoundPlaces, spec.MostRemembered, (a, b) => IsSameSound(a, b, spec));
    }

    /// <summary>Knows what the corpus holds and what earlier attempts at the run have finished.</summary>
    public static async Task<NearDuplicates> LoadAsync(NearDuplicateSpec spec, RunContext context, string corpus, CorpusManifest? manifest, IReadOnlyList<StagedPart> staged, CancellationToken stop)
    {
        var known = new NearDuplicates(spec);
        if (known._isOff) return known;
        foreach (var part in manifest?.ItemParts ?? [])
        {
            await foreach (var group in ItemsTable.ReadSignaturesAsync(context.Store.FileOf(context.Store.CorpusFolder(corpus), part), stop))
            {
                foreach (var (id, signature) in group) known.Remember(id, signature);
            }
        }
        foreach (var (id, signature) in staged.SelectMany(part => StagedSignatures.Read(part.Folder(context)))) known.Remember(id, signature);
        return known;
    }

    /// <summary>The first item that this one nearly equals; when there is none, the item is remembered, and the result is null.</summary>
    public string? FindOrAdd(ItemRow row)
    {
        if (_isOff || row.Signature is not { } signature) return null;
        var found = signature[0] switch
        {
            ImageSignature.Kind => _images.Find(signature),
            SketchSignature.Text => _texts.Find(signature),
            _ => _sounds.Find(signature),
        };
        if (found == null) Remember(row.ItemId, signature);
        return found;
    }

    // Signatures of another length come from another version of the program and are not comparable.
    private void Remember(string itemId, byte[] signature)
    {
        switch (signature)
        {
            case [ImageSignature.Kind, ..] when signature.Length == ImageSignature.Bytes:
                _images.Add(itemId, signature);
                break;
            case [SketchSignature.Text, ..] when signature.Length == SketchSignature.TextBytes:
                _texts.Add(itemId, signature);
                break;
            case [SketchSignature.Sound, ..] when signature.Length == SketchSignature.SoundBytes:
                _sounds.Add(itemId, signature);
                break;
        }
    }

    private static bool IsSameSound(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, NearDuplicateSpec spec)
    {
        if (SketchSignature.Similarity(a, b) < spec.AudioSimilarity) return false;
        var (length, decibels) = SketchSignature.Compare(a, b);
        return length >= spec.AudioLength && decibels <= MostDecibels;
    }
}
