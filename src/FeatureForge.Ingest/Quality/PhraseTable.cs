// Counts a document's phrases of three words in a table of bounded size and sketches the set of them for near duplicates.
using System.Buffers;

namespace FeatureForge.Ingest;

/// <summary>Add words in order, then <see cref="Finish"/>. A document of one or two words is one phrase.</summary>
internal sealed class PhraseTable : IDisposable
{
    private const int WordsPerPhrase = 3;

    // A phrase and, apart from it because most occur once, how often it has come again.
    private readonly uint[] _slots;
    private readonly int[] _again;
    private readonly int _mask;
    private readonly uint[] _unsketched = new uint[512];
    private int _unsketchedCount;
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
        _slots = ArrayPool<uint>.Shared.Rent(size);
        _again = ArrayPool<int>.Shared.Rent(size);
        Array.Clear(_slots, 0, size);
        Array.Clear(_again, 0, size);
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
        // Words are well mixed already; the order of the three counts.
        if (Words >= WordsPerPhrase) Count(unchecked((_beforeLast * 0x85EBCA6B + _last) * 0x01000193 + word), _lengthBeforeLast + _lengthLast + length);
        (_beforeLast, _last) = (_last, word);
        (_lengthBeforeLast, _lengthLast) = (_lengthLast, length);
    }

    public void Finish()
    {
        if (Words is > 0 and < WordsPerPhrase) Count(unchecked(_beforeLast * 0x85EBCA6B + _last), 0);
        SketchThem();
    }

    public void Dispose()
    {
        ArrayPool<uint>.Shared.Return(_slots);
        ArrayPool<int>.Shared.Return(_again);
    }

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
                if (_unsketchedCount == _unsketched.Length) SketchThem();
                _unsketched[_unsketchedCount++] = phrase;
                if (Different <= _mask - _mask / 8) _slots[slot] = phrase;
                return;
            }
            if (there != phrase) continue;
            CommonestCharacters = Math.Max(CommonestCharacters, (++_again[slot] + 1L) * length);
            return;
        }
    }

    private void SketchThem()
    {
        Sketch.Add(_unsketched.AsSpan(0, _unsketchedCount));
        _unsketchedCount = 0;
    }
}
