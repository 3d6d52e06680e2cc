// Definition and repetition levels of list columns whose elements are never null.
namespace FeatureForge.Data;

internal readonly record struct ListLevels(int[] Definition, int[] Repetition)
{
    /// <summary>Levels for lists of these lengths; an empty list is present but holds nothing.</summary>
    internal static ListLevels Of(IEnumerable<int> lengths, int presentLevel)
    {
        var (definition, repetition) = (new List<int>(), new List<int>());
        foreach (var length in lengths)
        {
            definition.Add(length == 0 ? presentLevel - 1 : presentLevel);
            repetition.Add(0);
            for (var i = 1; i < length; i++)
            {
                definition.Add(presentLevel);
                repetition.Add(1);
            }
        }
        return new([.. definition], [.. repetition]);
    }

    /// <summary>One array per row from flat values; a null list reads as empty.</summary>
    internal static object?[] Split<T>(int[] definition, int[] repetition, int presentLevel, Func<int, T> value)
    {
        var rows = new List<object?>();
        var current = new List<T>();
        var next = 0;
        for (var i = 0; i < definition.Length; i++)
        {
            if (repetition[i] == 0 && i > 0)
            {
                rows.Add(current.ToArray());
                current.Clear();
            }
            if (definition[i] == presentLevel) current.Add(value(next++));
        }
        if (definition.Length > 0) rows.Add(current.ToArray());
        return [.. rows];
    }
}
