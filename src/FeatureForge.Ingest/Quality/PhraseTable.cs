// Counts a document's phrases of three words in a table of bounded size and sketches the set of them for near duplicates.
using System.Buffers;

namespace FeatureForge.Ingest;

/// <summary>Add words in order, then <see cref="Finish"/>. A document of one or two words is one phrase.</summary>
internal sealed class PhraseTable : IDisposable
{
    private const int WordsPerPhrase = 3;

    private readonly ulong[] _slots; // phrase in the high half, count in the low half
    private readonly int _mask;
    private uint _beforeLast;
    private uint _last;
    private int _lengthBeforeLast;
    private int _lengthLast;
    private long _phrases;

    /// <param name="units">UTF-16 units of the document: at most one phrase for each.</param>
    public PhraseTable(int units)
    {
        // Words of natural text have five letters and more; a table half as large as the text is hardly ever half full.
        var size = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, units / 4));
        _slots = ArrayPool<ulong>.Shared.Rent(size);
        Array.Clear(_slots, 0, size);
        _mask = size - 1;
    }

    public MinHash Sketch { get; } = new();
    public int Words { get; private set; }
    /// <summary>Different phrases, those that no longer fitted into the table left out.</summary>
    public int Different { get; private set; }
    /// <summary>Phrases that occurred before, of all.</summary>
    public float RepeatedShare => _phrases == 0 || Words < WordsPerPhrase ? 0 : (float)(_phrases - Different) / _phrases;
    /// <summary>Letters in all occurrences of the phrase that has most; 0 when no phrase occurs twice.</summary>
    public long CommonestCharacters { get; private set; }

    public void Add(uint word, int length)
    {
        Words++;
        if (Words >= WordsPerPhrase) Count(unchecked((_beforeLast * 31 + _last) * 0x01000193 + word), _lengthBeforeLast + _lengthLast + length);
        (_beforeLast, _last) = (MinHash.Mixed(_last), MinHash.Mixed(word));
        _beforeLast = unchecked(_beforeLast + 0x9E3779B9);
        (_lengthBeforeLast, _lengthLast) = (_lengthLast, length);
    }

    public void Finish()
    {
        if (Words is > 0 and < WordsPerPhrase) Count(unchecked(_beforeLast * 31 + _last), 0);
    }

    public void Dispose() => ArrayPool<ulong>.Shared.Return(_slots);

    private void Count(uint phrase, int length)
    {
        _phrases++;
        phrase = MinHash.Mixed(phrase) | 1; // never 0, which marks a free slot
        for (var slot = (int)(phrase >> 1) & _mask; ; slot = (slot + 1) & _mask)
        {
            var there = _slots[slot];
            if (there == 0)
            {
                // Nearly full (single letters apart from each other): what else comes counts as new but is not kept.
                Different++;
                Sketch.Add(phrase);
                if (Different <= _mask - _mask / 8) _slots[slot] = (ulong)phrase << 32 | 1;
                return;
            }
            if ((uint)(there >> 32) != phrase) continue;
            _slots[slot] = there + 1;
            CommonestCharacters = Math.Max(CommonestCharacters, ((long)(uint)there + 1) * length);
            return;
        }
    }
}
