// The closed list of objectives, as written above ObjectiveSpec, and what a recipe's list of objectives gets wrong:
// all problems at once, each naming the objective by its place and kind.
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using FeatureForge.Data;

namespace FeatureForge.Learning;

internal static class ObjectiveKinds
{
    /// <summary>Specs by the kind that stands in recipes, in the order of the list.</summary>
    public static IReadOnlyDictionary<string, Type> All { get; } = typeof(ObjectiveSpec).GetCustomAttributes<JsonDerivedTypeAttribute>()
        .ToDictionary(attribute => (string)attribute.TypeDiscriminator!, attribute => attribute.DerivedType);

    /// <summary>The kind of a spec, as it stands in recipes.</summary>
    public static string Of(ObjectiveSpec spec) => All.First(pair => pair.Value == spec.GetType()).Key;

    /// <summary>What keeps a recipe's list from being read: unknown kinds and settings.</summary>
    public static IEnumerable<string> Misspelt(JsonElement objectives)
    {
        if (objectives.ValueKind != JsonValueKind.Array || objectives.GetArrayLength() == 0)
        {
            yield return $"objectives is {(objectives.ValueKind == JsonValueKind.Array ? "empty" : "not a list")}; expected at least one of {string.Join(", ", All.Keys)}.";
            yield break;
        }
        foreach (var (number, objective) in objectives.EnumerateArray().Index())
        {
            var kind = objective.ValueKind == JsonValueKind.Object && objective.TryGetProperty("kind", out var value) ? value.ToString() : null;
            if (kind is null) yield return $"Objective {number + 1} has no kind; expected one of {string.Join(", ", All.Keys)}.";
            else if (!All.TryGetValue(kind, out var type)) yield return $"Objective {number + 1} has the unknown kind '{kind}'; expected one of {string.Join(", ", All.Keys)}.";
            else foreach (var problem in Unknown(objective, type, "")) yield return $"Objective {number + 1} ({kind}) {problem}";
        }
    }

    /// <summary>Every problem of the values, and whether the objectives fit the modality.</summary>
    public static IEnumerable<string> Problems(IReadOnlyList<ObjectiveSpec> objectives, Modality modality)
    {
        foreach (var (number, spec) in objectives.Index())
        {
            foreach (var problem in spec.Problems()) yield return $"Objective {number + 1} ({Of(spec)}): {problem}";
            if (spec is MaskedTokensSpec && modality != Modality.Text) yield return $"Objective {number + 1} ({Of(spec)}) guesses words; the recipe is for {modality.ToString().ToLowerInvariant()}.";
        }
    }

    private static IEnumerable<string> Unknown(JsonElement settings, Type type, string within)
    {
        var known = type.GetProperties().ToDictionary(property => SpecJson.Strict.PropertyNamingPolicy!.ConvertName(property.Name), property => property.PropertyType);
        foreach (var setting in settings.EnumerateObject())
        {
            if (within.Length == 0 && setting.NameEquals("kind")) continue;
            if (!known.TryGetValue(setting.Name, out var inner)) yield return $"has no setting '{within}{setting.Name}'; expected {string.Join(", ", known.Keys.Select(name => within + name))}.";
            else if (setting.Value.ValueKind == JsonValueKind.Object)
                foreach (var problem in Unknown(setting.Value, inner, $"{within}{setting.Name}.")) yield return problem;
        }
    }
}
