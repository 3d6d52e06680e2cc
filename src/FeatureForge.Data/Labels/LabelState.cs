// What a label log says: each row once, and which rows are in force. A row is in force unless a row in force undoes it.
namespace FeatureForge.Data;

/// <summary>A label log read as a whole.</summary>
public sealed class LabelState
{
    private readonly Dictionary<string, LabelRow> _byId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<LabelRow>> _undoing = new(StringComparer.Ordinal);
    private readonly Dictionary<string, bool> _known = new(StringComparer.Ordinal);

    /// <summary>Rows in the order of the log; a label_id that comes again is the same row in a part merged with others.</summary>
    public LabelState(IEnumerable<LabelRow> rows)
    {
        var all = new List<LabelRow>();
        foreach (var row in rows)
        {
            if (!_byId.TryAdd(row.LabelId, row)) continue;
            all.Add(row);
            if (row.Undoes is null) continue;
            if (!_undoing.TryGetValue(row.Undoes, out var list)) _undoing[row.Undoes] = list = [];
            list.Add(row);
        }
        All = all;
        Active = _undoing.Count == 0 ? all : [.. all.Where(row => row.Undoes is null && IsInForce(row))];
    }

    /// <summary>Every row, those that undo included, in the order they were added.</summary>
    public IReadOnlyList<LabelRow> All { get; }

    /// <summary>The labels in force; rows that undo are not among them.</summary>
    public IReadOnlyList<LabelRow> Active { get; }

    public bool Holds(string labelId) => _byId.ContainsKey(labelId);

    /// <summary>Whether a row, be it a label or an undoing, is not undone.</summary>
    public bool IsInForce(LabelRow row) => IsInForce(row, 0);

    private bool IsInForce(LabelRow row, int depth)
    {
        if (!_undoing.TryGetValue(row.LabelId, out var by)) return true;
        if (_known.TryGetValue(row.LabelId, out var answer)) return answer;
        // A ring of undoings can only come from a forged log; it ends here.
        return _known[row.LabelId] = depth > 1000 || !by.Any(other => IsInForce(other, depth + 1));
    }
}
