// Which picture sizes are unusual within one corpus: far outside the quartiles, by the rule and factor that cleanvision publishes.
// A histogram of logarithms stands for the sizes: 1 % wide, 3 kilobytes whatever the corpus.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal sealed class SizeSpread
{
    private const double Factor = 10;
    private const double StepsPerNaturalLog = 100;
    /// <summary>Sizes that hardly differ have quartiles that coincide; a tenth of the size is usual then.</summary>
    private const double LeastSpread = 0.1;

    private readonly SortedDictionary<int, long> _counts = [];
    private long _all;

    /// <summary>Side in pixels of the square of the same area.</summary>
    public static double SideOf(ItemRow row) => Math.Sqrt((double)(row.Width ?? 1) * (row.Height ?? 1));

    public void Add(ItemRow row)
    {
        var bin = (int)Math.Round(Math.Log(SideOf(row)) * StepsPerNaturalLog);
        _counts[bin] = _counts.GetValueOrDefault(bin) + 1;
        _all++;
    }

    /// <summary>Sides outside are unusual; null for fewer than ten pictures.</summary>
    public (double Least, double Most)? Bounds()
    {
        if (_all < 10) return null;
        var (low, high) = (Quantile(0.25), Quantile(0.75));
        var spread = Math.Max(high - low, LeastSpread * high);
        return (Math.Max(0, low - Factor * spread), high + Factor * spread);
    }

    private double Quantile(double share)
    {
        var below = 0L;
        foreach (var (bin, count) in _counts)
        {
            if ((below += count) >= share * _all) return Math.Exp(bin / StepsPerNaturalLog);
        }
        return 0;
    }
}
