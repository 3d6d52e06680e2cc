// Corpora made on the spot, for trying things out with neither network nor data sets.
using System.Globalization;
using System.Text;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Where a made corpus lies. The labels are for evaluation alone and lie outside the source.</summary>
/// <param name="SourcePath">The folder or file to ingest.</param>
/// <param name="LabelsPath">CSV with path,label,split; path joins on items.path.</param>
public sealed record SampleCorpus(Modality Modality, string SourcePath, string LabelsPath)
{
    /// <summary>Makes a corpus of the modality: spoken syllables, glyphs and textures, or sentences from a grammar.</summary>
    public static SampleCorpus Write(Modality modality, string folder, int count, int seed) => modality switch
    {
        Modality.Audio => SpokenSyllables.Write(folder, count, seed),
        Modality.Image => GlyphsAndTextures.Write(folder, count, seed),
        _ => GrammarSentences.Write(folder, count, seed),
    };

    /// <summary>One fifth of every class is for tests; which of five neighbours it is goes round, so that it meets every voice.</summary>
    internal static string WriteLabels(string path, IEnumerable<(string Path, string Label)> rows)
    {
        var text = new StringBuilder("path,label,split\n");
        var seen = new Dictionary<string, int>();
        foreach (var row in rows)
        {
            var turn = seen[row.Label] = seen.GetValueOrDefault(row.Label, -1) + 1;
            text.Append(CultureInfo.InvariantCulture, $"{row.Path},{row.Label},{((turn + turn / 5) % 5 == 4 ? "test" : "train")}\n");
        }
        File.WriteAllText(path, text.ToString());
        return path;
    }

    /// <summary>The random numbers of one item: a function of the corpus's seed and the item's number.</summary>
    internal static Random RandomOf(int seed, int item) => new(unchecked(seed * 1_000_003 + item * 7919 + 17));
}
