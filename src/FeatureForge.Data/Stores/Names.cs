// Names of corpora, encoders, sets and clusterings become folder names and URLs: keep them harmless.
namespace FeatureForge.Data;

/// <summary>The rule for names that people give.</summary>
public static class Names
{
    /// <summary>A sentence about what is wrong with the name, or null when it may be used.</summary>
    public static string? Problem(string what, string? name)
    {
        if (string.IsNullOrEmpty(name)) return $"The {what} needs a name.";
        if (name.Length > 100) return $"The {what} name has {name.Length} characters; expected at most 100.";
        if (!char.IsAsciiLetterOrDigit(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            return $"The {what} name '{name}' may hold ASCII letters, digits, '-', '_' and '.' only, and starts with a letter or digit.";
        return null;
    }
}
