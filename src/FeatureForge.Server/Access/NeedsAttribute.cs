// What an endpoint or a page asks of its caller. Without it: a viewer may read, an editor may change.
using FeatureForge.Data;

namespace FeatureForge.Server;

/// <summary>The least role for reading (GET, HEAD) and for everything else.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class NeedsAttribute : Attribute
{
    public AccessRole Read { get; init; } = AccessRole.Viewer;
    public AccessRole Write { get; init; } = AccessRole.Editor;
    /// <summary>False for requests that change nothing in the store, whatever their method: they are not in the audit log.</summary>
    public bool IsAudited { get; init; } = true;

    internal static NeedsAttribute Of(Microsoft.AspNetCore.Http.Endpoint? endpoint) => endpoint?.Metadata.GetMetadata<NeedsAttribute>() ?? _usual;

    private static readonly NeedsAttribute _usual = new();
}
