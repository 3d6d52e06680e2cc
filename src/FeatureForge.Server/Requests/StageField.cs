// One field of a stage's form: how it is asked for, and how what was entered becomes JSON.
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Primitives;

namespace FeatureForge.Server;

/// <summary>What kind of input a field is.</summary>
public enum FieldKind
{
    Text,
    /// <summary>One value per line, sent as a list.</summary>
    Lines,
    /// <summary>Values separated by commas, sent as a list.</summary>
    List,
    Choice,
    /// <summary>Any number of choices, sent as a list.</summary>
    Choices,
    Number,
    WholeNumber,
    Switch,
}

/// <summary>A field of a spec as a form asks for it.</summary>
/// <param name="Name">As in the spec's JSON.</param>
/// <param name="Help">A short sentence, or empty.</param>
public sealed record StageField(string Name, string Label, FieldKind Kind, string Help = "")
{
    public bool Required { get; init; }
    public string Default { get; init; } = "";
    /// <summary>What may be chosen; for text, what is suggested.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];
    /// <summary>Shown only when asked for: good as it is for most.</summary>
    public bool Advanced { get; init; }

    /// <summary>The entered value as the spec's JSON has it; null leaves the spec's own default.</summary>
    public JsonNode? ToJson(StringValues entered, List<string> problems)
    {
        var text = entered.ToString().Trim();
        switch (Kind)
        {
            case FieldKind.Lines: return ListOf(entered.ToString().Split('\n'));
            case FieldKind.List: return text.Length == 0 ? null : ListOf(text.Split(','));
            case FieldKind.Choices: return entered.Count == 0 ? null : ListOf(entered.Select(value => value ?? ""));
            case FieldKind.Switch: return JsonValue.Create(text is "true" or "on");
            case FieldKind.Number when text.Length > 0:
                if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)) return JsonValue.Create(number);
                problems.Add($"{Label}: '{text}' is no number.");
                return null;
            case FieldKind.WholeNumber when text.Length > 0:
                if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)) return JsonValue.Create(whole);
                problems.Add($"{Label}: '{text}' is no whole number.");
                return null;
            default:
                return text.Length > 0 || Required ? JsonValue.Create(text) : null;
        }
    }

    private static JsonArray ListOf(IEnumerable<string> values) =>
        new([.. values.Select(value => value.Trim()).Where(value => value.Length > 0).Select(value => (JsonNode?)JsonValue.Create(value))]);
}
