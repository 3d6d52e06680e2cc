// `--where`: which items may be found. A condition is COLUMN OP VALUE, joined by and (binds tighter) and or. Columns are those of the
// items table, quality.SCORE and metadata.KEY; operators = != < <= > >= like (with % for anything), is null, is not null. Values are numbers
// or words in single quotes. No parentheses: it is a filter, not a query language; DuckDB reads the same tables.
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using FeatureForge.Data;

namespace FeatureForge.Clustering;

/// <summary>A parsed condition over items.</summary>
public sealed partial class ItemFilter
{
    private static readonly Dictionary<string, Func<ItemRow, object?>> _columns = new(StringComparer.OrdinalIgnoreCase)
    {
        ["item_id"] = item => item.ItemId,
        ["modality"] = item => item.Modality.ToString().ToLowerInvariant(),
        ["source_uri"] = item => item.SourceUri,
        ["path"] = item => item.Path,
        ["media_type"] = item => item.MediaType,
        ["byte_size"] = item => (double)item.ByteSize,
        ["text"] = item => item.Text,
        ["width"] = item => (double?)item.Width,
        ["height"] = item => (double?)item.Height,
        ["channels"] = item => (double?)item.Channels,
        ["duration_ms"] = item => (double?)item.DurationMs,
        ["sample_rate"] = item => (double?)item.SampleRate,
        ["characters"] = item => (double?)item.Characters,
        ["language"] = item => item.Language,
        ["near_duplicate_of"] = item => item.NearDuplicateOf,
    };

    private readonly List<List<Condition>> _anyOf;

    private sealed record Condition(Func<ItemRow, object?> Column, string Operator, object? Value);

    private ItemFilter(List<List<Condition>> anyOf) => _anyOf = anyOf;

    [GeneratedRegex(@"\G\s*(?:(?<word>'(?:[^']|'')*')|(?<number>-?\d+(?:\.\d+)?)|(?<op><=|>=|!=|<>|=|<|>)|(?<name>[A-Za-z_][\w.\-]*))", RegexOptions.CultureInvariant)]
    private static partial Regex Token();

    /// <exception cref="BadRequestException">The text is not such a condition; the message says where and what was expected.</exception>
    public static ItemFilter Parse(string text)
    {
        var tokens = Tokens(text);
        var place = 0;
        string? Peek() => place < tokens.Count ? tokens[place] : null;
        string Take(string expected) => place < tokens.Count ? tokens[place++] : throw Wrong(text, $"it ends where {expected} was expected");
        bool Accept(string word)
        {
            if (!string.Equals(Peek(), word, StringComparison.OrdinalIgnoreCase)) return false;
            place++;
            return true;
        }

        var anyOf = new List<List<Condition>> { new() };
        while (true)
        {
            anyOf[^1].Add(One());
            if (Peek() is null) return new(anyOf);
            if (Accept("or")) anyOf.Add([]);
            else if (!Accept("and")) throw Wrong(text, $"'{Peek()}' stands where and, or or the end was expected");
        }

        Condition One()
        {
            var name = Take("a column");
            var column = _columns.GetValueOrDefault(name) ?? (name.StartsWith("metadata.", StringComparison.OrdinalIgnoreCase) ? Metadata(name["metadata.".Length..]) : name.StartsWith("quality.", StringComparison.OrdinalIgnoreCase) ? Quality(name["quality.".Length..]) : null)
                ?? throw Wrong(text, $"'{name}' is no column; expected {string.Join(", ", _columns.Keys)} quality.SCORE or metadata.KEY");
            if (Accept("is"))
            {
                var not = Accept("not");
                return Accept("null") ? new(column, not ? "is not null" : "is null", null) : throw Wrong(text, "null was expected after is");
            }
            var op = Take("an operator").ToLowerInvariant();
            if (op is not ("=" or "!=" or "<>" or "<" or "<=" or ">" or ">=" or "like")) throw Wrong(text, $"'{op}' is no operator; expected = != < <= > >= like, or is [not] null");
            var value = Take("a value");
            if (value[0] == '\'') return new(column, op, value[1..^1].Replace("''", "'", StringComparison.Ordinal));
            return double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                ? new(column, op, number)
                : throw Wrong(text, $"'{value}' is no value; expected a number, or words in single quotes");
        }
    }

    private static BadRequestException Wrong(string text, string what) => new($"Condition \"{text}\": {what}.");

    private static List<string> Tokens(string text)
    {
        var tokens = new List<string>();
        var place = 0;
        while (place < text.TrimEnd().Length)
        {
            var match = Token().Match(text, place);
            if (!match.Success) throw Wrong(text, $"'{text[place..].Trim()}' was not understood");
            tokens.Add(match.Value.Trim());
            place += match.Length;
        }
        return tokens;
    }

    private static Func<ItemRow, object?> Metadata(string key) => item =>
    {
        using var json = JsonDocument.Parse(item.Metadata);
        if (json.RootElement.ValueKind != JsonValueKind.Object || !json.RootElement.TryGetProperty(key, out var value)) return null;
        return value.ValueKind switch
        {
            JsonValueKind.Number => value.GetDouble(),
            JsonValueKind.Null => null,
            JsonValueKind.String => value.GetString(),
            _ => value.GetRawText(),
        };
    };

    /// <summary>Whether the item may be found. Comparisons with a missing value are false.</summary>
    public bool Holds(ItemRow item) => _anyOf.Any(all => all.TrueForAll(condition => Holds(condition, condition.Column(item))));

    private static bool Holds(Condition condition, object? found)
    {
        if (condition.Operator == "is null") return found is null;
        if (condition.Operator == "is not null") return found is not null;
        if (found is null) return false;
        if (condition.Operator == "like") return Like(Words(found), Words(condition.Value!));
        var order = found is double left && Number(condition.Value!) is { } right ? left.CompareTo(right)
            : Number(found) is { } text && condition.Value is double number ? text.CompareTo(number)
            : string.CompareOrdinal(Words(found), Words(condition.Value!));
        return condition.Operator switch
        {
            "=" => order == 0,
            "!=" or "<>" => order != 0,
            "<" => order < 0,
            "<=" => order <= 0,
            ">" => order > 0,
            _ => order >= 0,
        };
    }

    private static double? Number(object value) => value is double number ? number
        : double.TryParse((string)value, NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed) ? parsed : null;

    private static string Words(object value) => Convert.ToString(value, CultureInfo.InvariantCulture)!;

    private static bool Like(string text, string pattern) =>
        Regex.IsMatch(text, "^" + string.Join(".*", pattern.Split('%').Select(Regex.Escape)) + "$", RegexOptions.Singleline | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);

    private static Func<ItemRow, object?> Quality(string score) => item => item.Quality.TryGetValue(score, out var value) ? (double)value : null;

    /// <summary>The ids of a corpus's items that may be found.</summary>
    public async Task<IReadOnlySet<string>> ItemsAsync(Store store, string corpus, CancellationToken stop)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        var removed = RemovedItems.Of(store, corpus);
        foreach (var part in store.Corpus(corpus).ItemParts)
            await foreach (var item in removed.Without(ItemsTable.ReadAsync(store.FileOf(store.CorpusFolder(corpus), part), withContent: false, stop)))
                if (Holds(item)) found.Add(item.ItemId);
        return found;
    }
}
