// Samples to log-mel spectrograms as batched tensor operations: 25 ms Hann windows every 10 ms, 64 bands at 16 kHz.
// Bands: triangles on O'Shaughnessy's mel scale (1987), 60 Hz to 7.8 kHz, not normalised by area.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>The audio front end. One frame per hop, centred in its hop.</summary>
internal sealed class LogMel : nn.Module<Tensor, Tensor>
{
    public const int SampleRate = 16_000;
    public const int Hop = 160;
    public const int Bands = 64;
    private const int Window = 400;
    private const int Transform = 512;

    /// <summary>Samples needed before the first and after the last hop.</summary>
    public const int Margin = (Transform - Hop) / 2;

    // About the power of the rounding error of 16-bit samples, so that digital silence is not an outlier.
    private const double PowerFloor = 1e-6;

    /// <summary>The log-mel value of digital silence.</summary>
    public static float Silence { get; } = (float)Math.Log(PowerFloor);

    private readonly Tensor window;
    private readonly Tensor filters;

    public LogMel() : base(nameof(LogMel))
    {
        window = hann_window(Window);
        filters = HostCopies.ToTensor(Filters(), [Transform / 2 + 1, Bands], CPU);
        RegisterComponents();
    }

    /// <summary>int16 or float samples [B, frames * Hop + 2 * Margin] to [B, Bands, frames].</summary>
    public override Tensor forward(Tensor samples)
    {
        using var scope = NewDisposeScope();
        var scaled = samples.to(ScalarType.Float32) / 32768f;
        var spectrum = stft(scaled, Transform, Hop, Window, window, center: false, return_complex: true); // [B, F, T]
        var parts = view_as_real(spectrum);
        var power = (parts * parts).sum(-1); // [B, F, T]
        var bands = mm(power.transpose(1, 2).reshape(-1, power.size(1)), filters); // [B * T, Bands]
        return bands.view(power.size(0), -1, Bands).transpose(1, 2).add(PowerFloor).log().contiguous().MoveToOuterDisposeScope();
    }

    private static float[] Filters()
    {
        static double ToMel(double hertz) => 2595 * Math.Log10(1 + hertz / 700);
        static double ToHertz(double mel) => 700 * (Math.Pow(10, mel / 2595) - 1);
        var edges = Enumerable.Range(0, Bands + 2)
            .Select(i => ToHertz(ToMel(60) + (ToMel(7800) - ToMel(60)) * i / (Bands + 1)))
            .Select(hertz => hertz * Transform / SampleRate).ToArray();
        var bins = Transform / 2 + 1;
        var filters = new float[bins * Bands];
        for (var band = 0; band < Bands; band++)
        {
            var (low, centre, high) = (edges[band], edges[band + 1], edges[band + 2]);
            for (var bin = 0; bin < bins; bin++)
            {
                var rising = (bin - low) / (centre - low);
                var falling = (high - bin) / (high - centre);
                filters[bin * Bands + band] = (float)Math.Max(0, Math.Min(rising, falling));
            }
            // The lowest triangles are narrower than a bin: give them the nearest bin rather than nothing.
            if (Enumerable.Range(0, bins).All(bin => filters[bin * Bands + band] == 0))
                filters[(int)Math.Round(centre) * Bands + band] = 1;
        }
        return filters;
    }
}
