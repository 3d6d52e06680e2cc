// Demo data without network: made on the spot by FeatureForge.Ingest's sample makers, with a fixed seed.
using FeatureForge.Data;
using FeatureForge.Ingest;

namespace FeatureForge.Cli;

internal static class DemoSamples
{
    private const int Seed = 1;

    /// <summary>Makes the modality's sample corpus under <paramref name="folder"/> unless it is already there.</summary>
    internal static DemoSource Make(Modality modality, string folder)
    {
        var (corpus, what) = modality switch
        {
            Modality.Audio => ("syllables", "formant-synthesised spoken syllables by several voices"),
            Modality.Image => ("shapes", "drawn glyphs and textures"),
            _ => ("sentences", "sentences from a grammar"),
        };
        var target = Path.Combine(folder, corpus);
        if (!Directory.Exists(target))
        {
            var temporary = target + ".part";
            if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
            Write(modality, temporary);
            Directory.Move(temporary, target);
        }
        return new(corpus, modality, target, $"{what}, made on the spot (no data set was found and none could be downloaded)");
    }

    private static void Write(Modality modality, string folder)
    {
        switch (modality)
        {
            case Modality.Audio: SpokenSyllables.Write(folder, 1500, Seed); break;
            case Modality.Image: GlyphsAndTextures.Write(folder, 3000, Seed); break;
            default: GrammarSentences.Write(folder, 4000, Seed); break;
        }
    }
}
