// Plain words for clusters of pictures and recordings: where they lie among their siblings on a few axes one can see or hear.
namespace FeatureForge.Clustering;

/// <summary>A measurable property with the words for little and much of it.</summary>
internal sealed record Axis(string Little, string Much);

internal static class AxisNames
{
    private const double Noticeable = 0.35;

    /// <summary>
    /// For every sibling the words of the axes on which its mean is farthest from the mean of all, in standard deviations
    /// between the items; at most <paramref name="count"/>, most telling first.
    /// </summary>
    /// <param name="items">Per sibling the measured items; each item one value per axis.</param>
    internal static IReadOnlyList<IReadOnlyList<string>> Of(IReadOnlyList<Axis> axes, IReadOnlyList<IReadOnlyList<float[]>> items, int count)
    {
        var all = items.SelectMany(sibling => sibling).ToList();
        if (all.Count == 0) return [.. items.Select(_ => Array.Empty<string>())];
        var means = axes.Select((_, a) => all.Average(item => (double)item[a])).ToArray();
        var spreads = axes.Select((_, a) => Math.Sqrt(all.Average(item => Math.Pow(item[a] - means[a], 2)))).ToArray();
        return [.. items.Select(sibling => sibling.Count == 0 ? [] : (IReadOnlyList<string>)[.. axes
            .Select((axis, a) => (Axis: axis, Offset: spreads[a] > 0 ? (sibling.Average(item => (double)item[a]) - means[a]) / spreads[a] : 0))
            .Where(place => Math.Abs(place.Offset) >= Noticeable)
            .OrderByDescending(place => Math.Abs(place.Offset)).Take(count)
            .Select(place => place.Offset > 0 ? place.Axis.Much : place.Axis.Little)])];
    }
}
