// From labels to one answer per target: a person's latest word counts, people together by majority; then imports; then what a program
// worked out. Region labels are about parts, so they decide nothing about the whole item.
using FeatureForge.Data;

namespace FeatureForge.Labelling;

/// <summary>What the labels in force say about one target.</summary>
/// <param name="Name">The class.</param>
/// <param name="Source">The kind of label that decided.</param>
/// <param name="Confidence">In [0,1]; of several equal labels the highest.</param>
/// <param name="Disputed">People disagree and no class has more votes than the next; the latest label stands in until somebody decides.</param>
/// <param name="Voters">The authors whose labels counted.</param>
public sealed record LabelDecision(string TargetId, string Name, LabelSource Source, float Confidence, bool Disputed, IReadOnlyList<string> Voters);

/// <summary>Decides by rank of source, latest label per author, and majority.</summary>
public static class LabelDecisions
{
    /// <summary>Given by people, or brought in with a file: what everything else is worked out from.</summary>
    public static bool IsGiven(LabelRow row) => LabelLog.IsGiven(row.Source);

    /// <summary>Decisions about items from every label in force.</summary>
    public static IReadOnlyDictionary<string, LabelDecision> OfItems(LabelState state) => Decide(state.Active.Where(row => row.Target == LabelTarget.Item && row.Region is null));

    /// <summary>Decisions about items from labels given by people or imported.</summary>
    public static IReadOnlyDictionary<string, LabelDecision> OfItemsGiven(LabelState state) =>
        Decide(state.Active.Where(row => row.Target == LabelTarget.Item && row.Region is null && IsGiven(row)));

    /// <summary>Decisions about nodes of one clustering's tree, from labels given by people or imported.</summary>
    public static IReadOnlyDictionary<string, LabelDecision> OfClusters(LabelState state, string clustering) =>
        Decide(state.Active.Where(row => row.Target == LabelTarget.Cluster && row.Clustering == clustering && IsGiven(row)));

    private static Dictionary<string, LabelDecision> Decide(IEnumerable<LabelRow> rows)
    {
        var decisions = new Dictionary<string, LabelDecision>(StringComparer.Ordinal);
        foreach (var target in rows.GroupBy(row => row.TargetId, StringComparer.Ordinal)) decisions[target.Key] = Decide(target.Key, [.. target]);
        return decisions;
    }

    private static LabelDecision Decide(string targetId, List<LabelRow> rows)
    {
        if (rows is [var only]) return new(targetId, only.Name, only.Source, only.Confidence, Disputed: false, [only.Author]);
        var rank = rows.Min(row => Rank(row.Source));
        // Later rows of the log come later; OrderBy is stable, so ties in time keep that order.
        var votes = rows.Where(row => Rank(row.Source) == rank).OrderBy(row => row.At).GroupBy(row => row.Author, StringComparer.Ordinal).Select(author => author.Last()).ToList();
        if (rank == Rank(LabelSource.Model)) votes = [votes.MaxBy(row => row.At)!];
        var classes = votes.GroupBy(row => row.Name, StringComparer.Ordinal).OrderByDescending(group => group.Count()).ThenByDescending(group => group.Max(row => row.At)).ToList();
        var winner = classes[0];
        return new(targetId, winner.Key, winner.Last().Source, winner.Max(row => row.Confidence), classes.Count > 1 && classes[1].Count() == winner.Count(), [.. votes.Select(row => row.Author)]);
    }

    private static int Rank(LabelSource source) => source switch
    {
        LabelSource.Person => 0,
        LabelSource.Import => 1,
        _ => 2,
    };
}
