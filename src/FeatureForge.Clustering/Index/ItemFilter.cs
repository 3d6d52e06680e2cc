// `--where`: which items may be found. A condition is COLUMN OP VALUE, joined by and (binds tighter) and or. Columns are those of the
// items table, quality.SCORE, metadata.KEY and selection (= or != the name of one); operators = != < <= > >= like (with % for anything), is null,
// is not null. Values are numbers or words in single quotes. No parentheses: it is a filter, not a query language; DuckDB reads the same tables.
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

    private const string SelectionColumn = "selection";

    private readonly List<List<Condition>> _anyOf;

    /// <param name="Selection">The name of a selection whose items have it as their value; null: the column reads the row alone.</param>
    private sealed record Condition(Func<ItemRow, object?> Column, string Operator, object? Value, string? Selection = null);

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
            if (name.Equals(SelectionColumn, StringComparison.OrdinalIgnoreCase)) return OfSelection();
            var column = _columns.GetValueOrDefault(name) ?? (name.StartsWith("metadata.", StringComparison.OrdinalIgnoreCase) ? Metadata(name["metadata.".Length..]) : name.StartsWith("quality.", StringComparison.OrdinalIgnoreCase) ? Quality(name["quality.".Length..]) : null)
                ?? throw Wrong(text, $"'{name}' is no column; expected {string.Join(", ", _columns.Keys)} quality.SCORE, metadata.KEY or {SelectionColumn}");
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

        Condition OfSelection()
        {
            var (op, value) = (Take("= or !="), Take("the name of a selection"));
            if (op is not ("=" or "!=" or "<>")) throw Wrong(text, $"'{op}' stands where = or != was expected: an item is in a selection or it is not");
            if (value is not ['\'', .., '\'']) throw Wrong(text, $"'{value}' is no name; put the name of the selection in single quotes");
            var selection = value[1..^1].Replace("''", "'", StringComparison.Ordinal);
            return Names.Problem("selection", selection) is { } problem ? throw new BadRequestException(problem)
                : new(_ => throw new InvalidOperationException("The filter was not opened in a store."), op, selection, selection);
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

    /// <summary>The same filter with the selections it names, read as they are now. Without this, one that names a selection throws.</summary>
    /// <exception cref="BadRequestException">There is no such selection.</exception>
    public ItemFilter In(Store store)
    {
        var read = new Dictionary<string, ItemIdSet>(StringComparer.Ordinal);
        foreach (var name in _anyOf.SelectMany(all => all).Select(condition => condition.Selection).OfType<string>()) read.TryAdd(name, SelectionDesk.ReadIds(store, store.Selection(name)));
        return read.Count == 0 ? this : new([.. _anyOf.Select(all => all.ConvertAll(condition => condition.Selection is not { } name ? condition
            : condition with { Column = item => read[name].Contains(item.ItemId) ? name : "" }))]);
    }

    /// <summary>Tells the state of the selections that the filter names: the same text is another filter when they have changed.</summary>
    public string Versions(Store store) => string.Join(' ', _anyOf.SelectMany(all => all).Select(condition => condition.Selection).OfType<string>().Distinct().Select(name => $"{name}:{store.Selection(name).UpdatedAt:O}"));

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
    public async Task<ItemIdSet> ItemsAsync(Store store, string corpus, CancellationToken stop)
    {
        var found = new List<UInt128>();
        var (removed, filter) = (RemovedItems.Of(store, corpus), In(store));
        foreach (var part in store.Corpus(corpus).ItemParts)
            await foreach (var item in removed.Without(ItemsTable.ReadAsync(store.FileOf(store.CorpusFolder(corpus), part), withContent: false, stop)))
                if (filter.Holds(item)) found.Add(ItemIdSet.Key(item.ItemId));
        return ItemIdSet.Of(found);
    }
}
