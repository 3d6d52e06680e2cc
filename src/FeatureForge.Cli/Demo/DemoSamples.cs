// Demo data without network: made on the spot by FeatureForge.Ingest's sample makers, with a fixed seed.
using FeatureForge.Data;
using FeatureForge.Ingest;

namespace FeatureForge.Cli;

internal static class DemoSamples
{
    private const int Seed = 1;

    /// <summary>Makes the modality's sample corpus under <paramref name="folder"/>; the same bytes every time.</summary>
    internal static DemoSource Make(Modality modality, string folder)
    {
        var (corpus, what, count) = modality switch
        {
            Modality.Audio => ("syllables", "formant-synthesised spoken syllables by several voices", 1500),
            Modality.Image => ("shapes", "drawn glyphs and textures", 3000),
            _ => ("sentences", "sentences from a grammar", 4000),
        };
        var sample = SampleCorpus.Write(modality, Path.Combine(folder, corpus), count, Seed);
        return new(corpus, modality, sample.SourcePath, $"{what}, made on the spot (no data set was found and none could be downloaded)");
    }
}
