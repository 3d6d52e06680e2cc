// Tokens to numbers: the corpus's frequent words have their own, all others share buckets by hash. Number 0 is padding.
using System.Text;
using FeatureForge.Data;

namespace FeatureForge.Learning;

/// <summary>The words of a corpus.</summary>
internal sealed class Vocabulary
{
    private readonly Dictionary<string, int> _numbers;
    private readonly int _buckets;

    /// <param name="entries">Words in the order of their numbers, from 1.</param>
    public Vocabulary(IReadOnlyList<string> entries, int buckets)
    {
        (Entries, _buckets) = (entries, buckets);
        _numbers = new(entries.Count, StringComparer.Ordinal);
        for (var i = 0; i < entries.Count; i++) _numbers[entries[i]] = i + 1;
    }

    public IReadOnlyList<string> Entries { get; }

    /// <summary>Numbers in use, padding included.</summary>
    public int Size => 1 + Entries.Count + _buckets;

    public int NumberOf(string word) => _numbers.TryGetValue(word, out var number) ? number : 1 + Entries.Count + (int)(Hash(word) % (uint)_buckets);

    /// <summary>The numbers of a text's tokens.</summary>
    public int[] Encode(string text) => [.. Words.Of(text).Select(token => NumberOf(token.Text))];

    /// <summary>The most frequent words that at least two documents hold (one, in a tiny corpus), counted over the whole corpus.</summary>
    public static Vocabulary Fit(PreparedCorpus corpus, int most, int buckets, CancellationToken stop)
    {
        var documents = new Dictionary<string, int>(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var item = 0; item < corpus.Count; item++)
        {
            stop.ThrowIfCancellationRequested();
            seen.Clear();
            foreach (var token in Words.Of(corpus.Text(item)))
                if (seen.Add(token.Text)) documents[token.Text] = documents.GetValueOrDefault(token.Text) + 1;
            if (documents.Count > 20 * most + 1_000_000) Prune(documents);
        }
        var fewest = corpus.Count < 500 ? 1 : 2;
        var entries = documents.Where(pair => pair.Value >= fewest)
            .OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal)
            .Take(most).Select(pair => pair.Key).ToList();
        return new(entries, buckets);
    }

    // Memory is bounded: words met once so far are forgotten (lossy counting, Manku and Motwani 2002).
    private static void Prune(Dictionary<string, int> documents)
    {
        foreach (var word in documents.Where(pair => pair.Value == 1).Select(pair => pair.Key).ToList()) documents.Remove(word);
    }

    /// <summary>As one tensor's bytes: the words, one a line.</summary>
    public byte[] ToBytes() => Encoding.UTF8.GetBytes(string.Join('\n', Entries));

    public static Vocabulary FromBytes(ReadOnlySpan<byte> bytes, int buckets) =>
        new(bytes.Length == 0 ? [] : Encoding.UTF8.GetString(bytes).Split('\n'), buckets);

    // FNV-1a: the same on every machine and in every run, unlike string.GetHashCode.
    private static uint Hash(string word)
    {
        var hash = 2166136261u;
        foreach (var part in Encoding.UTF8.GetBytes(word)) hash = (hash ^ part) * 16777619u;
        return hash;
    }
}
