// A recording as bars, loudest sample per bar.
using System.Globalization;
using System.Text;

namespace FeatureForge.Server;

/// <summary>Draws waveforms.</summary>
public static class Waveform
{
    /// <summary>Readable on light and dark.</summary>
    private const string Colour = "#7c78ee";
    private const int BlockSamples = 4096;
    private const int MostBlocks = 64;

    /// <summary>An SVG that stretches to any size.</summary>
    public static string Svg(PreparedItem item, int bars)
    {
        var peaks = new int[bars];
        var count = item.SampleCount;
        var block = new short[BlockSamples];
        for (var bar = 0; bar < bars; bar++)
        {
            var (from, to) = ((int)((long)count * bar / bars), (int)((long)count * (bar + 1) / bars));
            // Of a bar that stands for minutes, a few stretches are looked at.
            var step = Math.Max(BlockSamples, (to - from) / MostBlocks);
            for (long at = from; at < to; at += step)
            {
                var some = block.AsSpan(0, (int)Math.Min(BlockSamples, to - at));
                item.ReadSamples((int)at, some);
                foreach (var sample in some) peaks[bar] = Math.Max(peaks[bar], Math.Abs((int)sample));
            }
        }
        // Quiet recordings are drawn larger, but noise is not made to look like speech.
        var loudest = Math.Max(peaks.Max(), 1000);
        var svg = new StringBuilder($"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {bars * 4} 100' preserveAspectRatio='none' fill='{Colour}'>");
        for (var bar = 0; bar < bars; bar++)
        {
            var height = 4 + 94.0 * peaks[bar] / loudest;
            svg.Append(CultureInfo.InvariantCulture, $"<rect x='{bar * 4}' y='{50 - height / 2:0.#}' width='2.6' height='{height:0.#}' rx='1.3'/>");
        }
        return svg.Append("</svg>").ToString();
    }
}
