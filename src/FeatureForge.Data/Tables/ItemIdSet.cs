// Ids of items, 16 bytes each instead of the hundred of a string.
using System.Globalization;
using ParquetSharp;

namespace FeatureForge.Data;

/// <summary>A set of item ids. Immutable.</summary>
public sealed class ItemIdSet
{
    private readonly HashSet<UInt128> _ids;

    private ItemIdSet(HashSet<UInt128> ids) => _ids = ids;

    public static ItemIdSet None { get; } = new([]);

    public int Count => _ids.Count;

    public bool Contains(string itemId) => _ids.Count > 0 && _ids.Contains(Key(itemId));

    public bool Contains(UInt128 key) => _ids.Contains(key);

    /// <summary>In ascending order.</summary>
    public IEnumerable<string> Ids => _ids.Order().Select(Text);

    /// <exception cref="FormatException">One is no item id.</exception>
    public static ItemIdSet Of(IEnumerable<string> itemIds) => new([.. itemIds.Select(Key)]);

    public static ItemIdSet Of(IEnumerable<UInt128> keys) => new([.. keys]);

    /// <summary>The first columns of tables whose first column is item_id.</summary>
    public static ItemIdSet Read(IEnumerable<string> tables)
    {
        var ids = new HashSet<UInt128>();
        foreach (var table in tables)
        {
            using var reader = new ParquetFileReader(table);
            for (var group = 0; group < reader.FileMetaData.NumRowGroups; group++)
            {
                using var rows = reader.RowGroup(group);
                using var column = rows.Column(0).LogicalReader<string>();
                foreach (var id in column) ids.Add(Key(id));
            }
        }
        return new(ids);
    }

    /// <summary>32 hex characters as a number; comparing numbers is comparing ids.</summary>
    public static UInt128 Key(string itemId) => UInt128.Parse(itemId, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    /// <summary>The id of a <see cref="Key"/>.</summary>
    public static string Text(UInt128 key) => key.ToString("x32", CultureInfo.InvariantCulture);
}
