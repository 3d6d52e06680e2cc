// How specs, manifests and progress lines are written as JSON: snake_case, enums as words, unknown fields refused in specs.
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FeatureForge.Data;

/// <summary>The one JSON dialect of specs, manifests, progress lines and API answers.</summary>
public static class SpecJson
{
    /// <summary>Compact; refuses unknown fields, so that a misspelt setting is an error.</summary>
    public static JsonSerializerOptions Strict { get; } = Make(JsonUnmappedMemberHandling.Disallow, indented: false);

    /// <summary>Indented, for files that people open; ignores fields of newer versions.</summary>
    public static JsonSerializerOptions Readable { get; } = Make(JsonUnmappedMemberHandling.Skip, indented: true);

    /// <summary>Compact, one line; ignores fields of newer versions.</summary>
    public static JsonSerializerOptions Line { get; } = Make(JsonUnmappedMemberHandling.Skip, indented: false);

    private static JsonSerializerOptions Make(JsonUnmappedMemberHandling unmapped, bool indented) => new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DictionaryKeyPolicy = null,
        WriteIndented = indented,
        UnmappedMemberHandling = unmapped,
        // People write "kind" where they like.
        AllowOutOfOrderMetadataProperties = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };
}
