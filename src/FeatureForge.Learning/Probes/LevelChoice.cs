// Which level to cluster, by label-free scores: levels are ranked by retrieval, by common neighbours of two views and by the share
// of the dimensions in use; the lowest mean rank wins, the deeper level on a tie. A recommendation: nothing is switched silently.
using FeatureForge.Data;

namespace FeatureForge.Learning;

internal static class LevelChoice
{
    private static readonly string[] _measures = ["retrieval", "neighbours", "rankme_ratio"];

    /// <param name="scores">By "measure.level".</param>
    /// <returns>A level, or null when nothing was measured.</returns>
    public static string? Recommended(IReadOnlyDictionary<string, double> scores)
    {
        var levels = Level.All.Where(level => _measures.All(measure => scores.ContainsKey($"{measure}.{level}"))).ToList();
        if (levels.Count == 0) return null;
        int Rank(string measure, string level) => levels.Count(other => scores[$"{measure}.{other}"] > scores[$"{measure}.{level}"]);
        return levels.AsEnumerable().Reverse().MinBy(level => _measures.Sum(measure => Rank(measure, level)));
    }
}
