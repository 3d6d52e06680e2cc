// X-Robots-Tag: what a server asks of programs that collect content. "noai" and "noimageai" ask not to train on it,
// "noindex" and "noimageindex" not to collect it. A directive may be addressed to one program ("otherbot: noindex").
namespace FeatureForge.Ingest;

internal static class RobotsHeader
{
    private static readonly string[] OptOuts = ["noai", "noimageai", "noindex", "noimageindex", "none"];
    private static readonly string[] WithValues = ["unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"];

    /// <summary>The directive that asks us to keep off, or null.</summary>
    public static string? OptOut(IEnumerable<string> values, string program)
    {
        foreach (var value in values)
        {
            var isForUs = true;
            foreach (var part in value.Split(',', StringSplitOptions.TrimEntries))
            {
                var directive = part;
                // "name: directive" is for that program, up to the next name.
                if (part.IndexOf(':') is > 0 and var colon && !WithValues.Contains(part[..colon].Trim().ToLowerInvariant()))
                {
                    var name = part[..colon].Trim();
                    isForUs = name == "*" || name.Equals(program, StringComparison.OrdinalIgnoreCase);
                    directive = part[(colon + 1)..].Trim();
                }
                if (isForUs && OptOuts.Contains(directive.ToLowerInvariant())) return directive.ToLowerInvariant();
            }
        }
        return null;
    }
}
