// Demo data without network: made on the spot by FeatureForge.Ingest's sample makers, with a fixed seed.
using FeatureForge.Data;
using FeatureForge.Ingest;

namespace FeatureForge.Cli;

internal static class DemoSamples
{
    private const int Seed = 1;

    /// <summary>Makes the modality's sample corpus under <paramref name="folder"/>; the same bytes every time.</summary>
    /// <param name="items">How many; null = as many as the demo takes.</param>
    internal static (string What, SampleCorpus Sample) Make(Modality modality, string folder, int? items = null)
    {
        var (what, count) = modality switch
        {
            Modality.Audio => ("formant-synthesised spoken syllables by several voices", 1500),
            Modality.Image => ("drawn glyphs and textures", 3000),
            _ => ("sentences from a grammar", 4000),
        };
        return (what, SampleCorpus.Write(modality, folder, items ?? count, Seed));
    }

    /// <summary>The same as a source of the demo, in a folder of its own below <paramref name="folder"/>.</summary>
    internal static DemoSource Source(Modality modality, string folder)
    {
        var corpus = modality switch { Modality.Audio => "syllables", Modality.Image => "shapes", _ => "sentences" };
        var (what, sample) = Make(modality, Path.Combine(folder, corpus));
        return new(corpus, modality, sample.SourcePath, $"{what}, made on the spot (no data set was found and none could be downloaded)");
    }
}
