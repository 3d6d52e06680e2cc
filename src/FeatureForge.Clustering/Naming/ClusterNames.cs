// Suggests a name for every cluster from what its items hold: words of texts, looks of pictures, sound of recordings.
// Suggestions only: people rename clusters by labels.
using FeatureForge.Data;

namespace FeatureForge.Clustering;

/// <summary>A name, different from its siblings', and the words it was made of.</summary>
internal sealed record ClusterName(string Name, IReadOnlyList<string> Keywords);

internal static class ClusterNames
{
    private const int TextsPerLeaf = 400;
    private const int CharactersPerText = 4000;
    private const int MediaPerLeaf = 60;
    private const int MostSoundSeconds = 120;
    private const int WordsInName = 3;

    /// <summary>One name per node; "all" for the root. Without prepared items the names are numbers.</summary>
    internal static ClusterName[] Of(RunContext context, SetVectors vectors, ClusterTree tree, CancellationToken stop)
    {
        using var prepared = Open(context, vectors.Set);
        var wordsOfSiblings = prepared is null ? _ => []
            : vectors.Set.Modality == Modality.Text ? FromTexts(vectors, tree, prepared, stop)
            : FromMedia(vectors, tree, prepared, stop);
        var names = new ClusterName[tree.Nodes.Count];
        names[0] = new("all", []);
        for (var parent = 0; parent < tree.Nodes.Count; parent++)
        {
            var children = tree.Children[parent];
            if (children.Count == 0) continue;
            var words = wordsOfSiblings(children);
            var taken = new HashSet<string>(StringComparer.Ordinal);
            for (var i = 0; i < children.Count; i++)
            {
                var keywords = i < words.Count ? words[i] : [];
                var name = keywords.Count == 0 ? $"cluster {i + 1}" : string.Join(", ", keywords.Take(WordsInName));
                var unique = name;
                for (var number = 2; !taken.Add(unique); number++) unique = $"{name} {number}";
                names[children[i]] = new(unique, keywords);
            }
        }
        return names;
    }

    private static PreparedCorpus? Open(RunContext context, SetManifest set)
    {
        var preparation = context.Store.FindEncoder(set.Encoder)?.Preparation
            ?? context.Store.FindCorpus(set.Corpus)?.Preparations.GetValueOrDefault(set.Modality);
        if (preparation is not null && PreparedCorpus.FindManifest(context.Store, set.Corpus, preparation) is not null)
            return PreparedCorpus.Open(context.Store, set.Corpus, preparation);
        context.Warning($"Corpus '{set.Corpus}' has no prepared items for embedding set '{set.Name}', so its clusters get numbers for names. Ingest the corpus again to name them by content.");
        return null;
    }

    private static Func<IReadOnlyList<int>, IReadOnlyList<IReadOnlyList<string>>> FromTexts(SetVectors vectors, ClusterTree tree, PreparedCorpus prepared, CancellationToken stop)
    {
        var counts = tree.Nodes.Select(_ => new WordCounts()).ToArray();
        Parallel.ForEach(SampledItems(vectors, tree, prepared, TextsPerLeaf).GroupBy(sampled => sampled.Leaf), new() { CancellationToken = stop }, texts =>
        {
            foreach (var (leaf, row, item) in texts) counts[leaf].AddDocument(PartOf(prepared.Text(item), vectors, row));
        });
        for (var node = tree.Nodes.Count - 1; node > 0; node--) counts[tree.Nodes[node].Parent].Add(counts[node]);
        return children => KeywordNames.Of([.. children.Select(child => counts[child])], counts[0]);
    }

    // The span of a segment, the beginning of a long document.
    private static string PartOf(string text, SetVectors vectors, int row)
    {
        var span = vectors.Spans[row];
        var (skip, take) = vectors.Grain == Grain.Item ? (0, CharactersPerText) : (span.Start, Math.Min(CharactersPerText, span.End - span.Start));
        if (skip == 0 && text.Length <= take) return text;
        return string.Concat(text.EnumerateRunes().Skip(skip).Take(take).Select(rune => rune.ToString()));
    }

    private static Func<IReadOnlyList<int>, IReadOnlyList<IReadOnlyList<string>>> FromMedia(SetVectors vectors, ClusterTree tree, PreparedCorpus prepared, CancellationToken stop)
    {
        var isPicture = vectors.Set.Modality == Modality.Image;
        var measured = tree.Nodes.Select(_ => new List<float[]>()).ToArray();
        var tints = tree.Nodes.Select(_ => new List<(double Red, double Green, double Blue)>()).ToArray();
        foreach (var (leaf, _, item) in SampledItems(vectors, tree, prepared, MediaPerLeaf))
        {
            stop.ThrowIfCancellationRequested();
            measured[leaf].Add(isPicture
                ? PictureAxes.Measure(prepared.Pixels(item), prepared.Preparation.ImageSize!.Value)
                : Sound(prepared, item));
            if (isPicture) tints[leaf].Add(PictureAxes.Tint(prepared.Pixels(item)));
        }
        for (var node = tree.Nodes.Count - 1; node > 0; node--)
        {
            measured[tree.Nodes[node].Parent].AddRange(measured[node]);
            tints[tree.Nodes[node].Parent].AddRange(tints[node]);
        }
        return children =>
        {
            var words = AxisNames.Of(isPicture ? PictureAxes.All : SoundAxes.All, [.. children.Select(child => (IReadOnlyList<float[]>)measured[child])], WordsInName);
            if (!isPicture) return words;
            return [.. children.Select((child, i) => Colour(tints[child]) is { } colour ? [colour, .. words[i]] : words[i])];
        };
    }

    // The axes of a long recording are those of its first minutes, with its own length.
    private static float[] Sound(PreparedCorpus prepared, int item)
    {
        var rate = prepared.Preparation.SampleRate!.Value;
        var count = prepared.SampleCount(item);
        var samples = new short[Math.Min(count, MostSoundSeconds * rate)];
        prepared.ReadSamples(item, 0, samples);
        var measured = SoundAxes.Measure(samples, rate);
        if (samples.Length < count) measured[0] = (float)Math.Log(count / (double)rate);
        return measured;
    }

    private static string? Colour(List<(double Red, double Green, double Blue)> tints) => tints.Count == 0 ? null
        : PictureAxes.ColourWord((tints.Average(tint => tint.Red), tints.Average(tint => tint.Green), tints.Average(tint => tint.Blue)));

    // Evenly over each leaf's members, so that the same members give the same sample.
    private static IEnumerable<(int Leaf, int Row, int Item)> SampledItems(SetVectors vectors, ClusterTree tree, PreparedCorpus prepared, int perLeaf)
    {
        var numbers = new Dictionary<string, int>(prepared.Count, StringComparer.Ordinal);
        for (var item = 0; item < prepared.Count; item++) numbers[prepared.ItemId(item)] = item;
        foreach (var leaf in tree.Leaves)
        {
            var members = tree.Nodes[leaf].Members;
            var count = Math.Min(perLeaf, members.Length);
            for (var i = 0; i < count; i++)
            {
                var row = members[(int)((long)i * members.Length / count)];
                if (numbers.TryGetValue(vectors.ItemIds[row], out var item)) yield return (leaf, row, item);
            }
        }
    }
}
