// Which prepared form each modality of a corpus gets: what its manifest says, else what the first part of it suggests.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Settled once per modality and corpus; read by decoding threads, settled by the thread that closes parts.</summary>
internal sealed class PreparationChoice
{
    private const int SmallImage = 32;
    private const int LargeImage = 64;
    private const int LongestSmallSide = 48;
    private const int AudioRate = 16000;

    private readonly Dictionary<Modality, PreparationSpec> _settled = [];

    public PreparationChoice(CorpusManifest? manifest, IEnumerable<StagedPart> staged)
    {
        foreach (var (modality, preparation) in manifest?.Preparations ?? new Dictionary<Modality, PreparationSpec>()) _settled[modality] = preparation;
        foreach (var prepared in staged.SelectMany(part => part.Prepared)) _settled.TryAdd(prepared.Preparation.Modality, prepared.Preparation);
        Forms = MakeForms();
    }

    /// <summary>The forms that a decoder has to make now; until the image size is settled, both.</summary>
    public PreparedForms Forms { get; private set; }

    public IReadOnlyDictionary<Modality, PreparationSpec> Settled => _settled;

    /// <summary>The preparation of a modality, settled by these rows if it is their corpus's first part of it.</summary>
    public PreparationSpec Settle(Modality modality, IEnumerable<ItemRow> rows)
    {
        if (_settled.TryGetValue(modality, out var settled)) return settled;
        var preparation = new PreparationSpec
        {
            Modality = modality,
            ImageSize = modality == Modality.Image ? Median(rows.Select(row => Math.Min(row.Width!.Value, row.Height!.Value))) <= LongestSmallSide ? SmallImage : LargeImage : null,
            SampleRate = modality == Modality.Audio ? AudioRate : null,
        };
        _settled[modality] = preparation;
        Forms = MakeForms();
        return preparation;
    }

    private PreparedForms MakeForms() => new(
        _settled.TryGetValue(Modality.Image, out var image) ? [image.ImageSize!.Value] : [SmallImage, LargeImage],
        _settled.TryGetValue(Modality.Audio, out var audio) ? audio.SampleRate!.Value : AudioRate);

    private static int Median(IEnumerable<int> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
