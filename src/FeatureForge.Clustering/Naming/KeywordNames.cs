// Keywords of text clusters by class-based TF-IDF (Grootendorst 2022, arXiv 2203.05794), contrasted against the siblings
// in the tree and not the whole corpus. Deviation: a word must also be more frequent here than among the siblings together, and
// counts by how much more, which drops function words of any language without a list of them.
namespace FeatureForge.Clustering;

/// <summary>How often each word occurs in a cluster, in how many of its documents, and how many words and documents there are.</summary>
internal sealed class WordCounts
{
    internal Dictionary<string, (int Times, int Documents)> Words { get; } = new(StringComparer.Ordinal);
    internal long Total { get; private set; }
    internal int Documents { get; private set; }

    internal void AddDocument(string text)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var word in TextWords.Of(text))
        {
            var (times, documents) = Words.GetValueOrDefault(word);
            Words[word] = (times + 1, documents + (seen.Add(word) ? 1 : 0));
            Total++;
        }
        Documents++;
    }

    internal void Add(WordCounts other)
    {
        foreach (var (word, (times, documents)) in other.Words)
        {
            var mine = Words.GetValueOrDefault(word);
            Words[word] = (mine.Times + times, mine.Documents + documents);
        }
        Total += other.Total;
        Documents += other.Documents;
    }
}

internal static class KeywordNames
{
    private const int Count = 8;
    private const double MoreFrequent = 1.5;
    private const double NearlyAll = 0.5;
    private const int FewDocuments = 40;

    /// <summary>The best words of each sibling, best first.</summary>
    /// <param name="all">The whole corpus: what half of its documents hold (headers, boilerplate) names nothing. Null: not known.</param>
    internal static IReadOnlyList<IReadOnlyList<string>> Of(IReadOnlyList<WordCounts> siblings, WordCounts? all = null)
    {
        var together = new WordCounts();
        foreach (var sibling in siblings) together.Add(sibling);
        var wordsPerClass = (double)together.Total / siblings.Count;
        return [.. siblings.Select(sibling => Best(sibling, together, wordsPerClass, siblings.Count, all))];
    }

    private static List<string> Best(WordCounts own, WordCounts together, double wordsPerClass, int classes, WordCounts? corpus)
    {
        var fewest = own.Documents >= 20 ? 3 : own.Documents >= 4 ? 2 : 1;
        var scored = new List<(string Word, double Score)>();
        foreach (var (word, (times, documents)) in own.Words)
        {
            if (documents < fewest) continue;
            if (corpus is { Documents: >= FewDocuments } && corpus.Words.GetValueOrDefault(word).Documents > NearlyAll * corpus.Documents) continue;
            var all = together.Words[word].Times;
            var here = (double)times / own.Total;
            var elsewhere = (all - times + 1.0) / (together.Total - own.Total + 1.0);
            if (classes > 1 && here < MoreFrequent * elsewhere) continue;
            // Repetition inside one document counts less than use by many, and what sets apart more than what is frequent.
            var contrast = classes > 1 ? Math.Log(here / elsewhere) : 1;
            scored.Add((word, (double)documents / own.Documents * Math.Log(1 + wordsPerClass / all) * contrast));
        }
        return [.. scored.OrderByDescending(pair => pair.Score).ThenBy(pair => pair.Word, StringComparer.Ordinal).Take(Count).Select(pair => pair.Word)];
    }
}
