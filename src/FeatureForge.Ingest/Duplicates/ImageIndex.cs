// Finds pictures whose perceptual hashes differ in few bits: the hash is cut into four words of 16 bits, and of two hashes
// that differ in at most seven bits one word differs in at most one (Norouzi, Punjani, Fleet, "Fast search in Hamming space with
// multi-index hashing", 2012). What is found is confirmed by the small pictures and their colours.
namespace FeatureForge.Ingest;

internal sealed class ImageIndex(NearDuplicateSpec spec)
{
    private const int Words = 4;
    private const int WordBits = 16;
    /// <summary>Of pictures with the same word, the newest so many are looked at: a corpus of look-alikes must not take quadratic time.</summary>
    private const int MostPerWord = 2000;

    private readonly SignatureList _pictures = new(ImageSignature.Bytes);
    private readonly int[] _newest = NothingYet();
    private readonly List<int>[] _older = [.. Enumerable.Range(0, Words).Select(_ => new List<int>())];

    /// <summary>Id of the first picture that this one nearly equals, or null.</summary>
    public string? Find(ReadOnlySpan<byte> signature)
    {
        var hash = ImageSignature.HashOf(signature);
        var first = int.MaxValue;
        for (var word = 0; word < Words; word++)
        {
            var bits = (int)(hash >> (word * WordBits)) & 0xFFFF;
            first = FirstAmong(word, bits, hash, signature, first);
            for (var bit = 0; bit < WordBits; bit++) first = FirstAmong(word, bits ^ (1 << bit), hash, signature, first);
        }
        return first == int.MaxValue ? null : _pictures.IdOf(first);
    }

    public void Add(string itemId, ReadOnlySpan<byte> signature)
    {
        if (_pictures.Count >= spec.MostRemembered) return;
        var hash = ImageSignature.HashOf(signature);
        for (var word = 0; word < Words; word++)
        {
            ref var newest = ref _newest[(word << WordBits) | ((int)(hash >> (word * WordBits)) & 0xFFFF)];
            _older[word].Add(newest);
            newest = _pictures.Count;
        }
        _pictures.Add(itemId, signature);
    }

    private int FirstAmong(int word, int bits, ulong hash, ReadOnlySpan<byte> signature, int first)
    {
        var left = MostPerWord;
        for (var index = _newest[(word << WordBits) | bits]; index >= 0 && left-- > 0; index = _older[word][index])
        {
            if (index < first && IsSame(hash, signature, _pictures[index])) first = index;
        }
        return first;
    }

    private bool IsSame(ulong hash, ReadOnlySpan<byte> signature, ReadOnlySpan<byte> other) =>
        ImageSignature.Distance(hash, ImageSignature.HashOf(other)) <= spec.ImageDistance
        && ImageSignature.Correlation(signature, other) >= spec.ImageCorrelation
        && ImageSignature.ColourDifference(signature, other) <= spec.ImageColour;

    private static int[] NothingYet()
    {
        var newest = new int[Words << WordBits];
        Array.Fill(newest, -1);
        return newest;
    }
}
