// What a label log says: each row once, and which rows are in force. A row is in force unless a row in force undoes it.
namespace FeatureForge.Data;

/// <summary>A label log read as a whole.</summary>
public sealed class LabelState
{
    private readonly Dictionary<string, LabelRow> _byId = new(StringComparer.Ordinal);

    /// <summary>Rows in the order of the log; a label_id that comes again is the same row in a part merged with others.</summary>
    public LabelState(IEnumerable<LabelRow> rows)
    {
        var all = new List<LabelRow>();
        Dictionary<string, List<LabelRow>> undoing = new(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            if (!_byId.TryAdd(row.LabelId, row)) continue;
            all.Add(row);
            if (row.Undoes is null) continue;
            if (!undoing.TryGetValue(row.Undoes, out var list)) undoing[row.Undoes] = list = [];
            list.Add(row);
        }
        All = all;
        Active = undoing.Count == 0 ? all : [.. InForce(all, undoing)];
    }

    /// <summary>Every row, those that undo included, in the order they were added.</summary>
    public IReadOnlyList<LabelRow> All { get; }

    /// <summary>The labels in force.</summary>
    public IReadOnlyList<LabelRow> Active { get; }

    public bool Holds(string labelId) => _byId.ContainsKey(labelId);

    private static IEnumerable<LabelRow> InForce(List<LabelRow> all, Dictionary<string, List<LabelRow>> undoing)
    {
        var known = new Dictionary<string, bool>(StringComparer.Ordinal);
        bool Active(LabelRow row, int depth)
        {
            if (!undoing.TryGetValue(row.LabelId, out var by)) return true;
            if (known.TryGetValue(row.LabelId, out var answer)) return answer;
            // A ring of undoings can only come from a forged log; it ends here.
            return known[row.LabelId] = depth > 1000 || !by.Any(other => Active(other, depth + 1));
        }
        return all.Where(row => row.Undoes is null && Active(row, 0));
    }
}
