// One row of any table: its values by column, as text, bytes, numbers or JSON.
using System.Text;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <param name="Problem">Why the row cannot be used; then it has no values.</param>
internal sealed record TableRow(IReadOnlyDictionary<string, object?> Fields, string? Problem)
{
    public static TableRow Bad(string problem) => new(new Dictionary<string, object?>(), problem);

    /// <summary>A column's value as text, or null.</summary>
    public string? Text(string column) => TextOf(Fields.GetValueOrDefault(column));

    public static string? TextOf(object? value) => value switch
    {
        null => null,
        string text => text,
        byte[] bytes => Encoding.UTF8.GetString(bytes),
        JsonElement { ValueKind: JsonValueKind.Null or JsonValueKind.Undefined } => null,
        JsonElement { ValueKind: JsonValueKind.String } text => text.GetString(),
        JsonElement other => other.GetRawText(),
        bool flag => flag ? "true" : "false",
        IFormattable number => number.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => JsonSerializer.Serialize(value, SpecJson.Line),
    };

    /// <summary>The columns that make neither the item nor its name; bytes are left out.</summary>
    public string Metadata(ColumnChoice columns)
    {
        var others = Fields.Where(field => field.Key != columns.Id && !columns.Names.Contains(field.Key) && field.Value is not byte[] && !(columns.Kind == ColumnKind.Media && columns.Names.Any(name => field.Key == $"{name}.bytes")));
        return JsonSerializer.Serialize(others.ToDictionary(field => field.Key, field => field.Value), SpecJson.Line);
    }
}
