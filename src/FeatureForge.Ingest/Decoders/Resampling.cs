// Changes the sample rate of mono sound, block by block: by libsoxr when it is installed, else by our own filter.
namespace FeatureForge.Ingest;

/// <summary>One recording's resampler; what it returns is valid until its next call.</summary>
internal interface IResampler : IDisposable
{
    ReadOnlySpan<float> Process(ReadOnlySpan<float> samples);

    /// <summary>What the filter still holds; nothing may follow.</summary>
    ReadOnlySpan<float> Finish();
}

internal static class Resampling
{
    /// <summary>Null when the rates are equal.</summary>
    public static IResampler? Between(int from, int to)
    {
        if (from == to) return null;
        return SoxrResampler.IsPresent ? new SoxrResampler(from, to) : new SincResampler(from, to);
    }
}
