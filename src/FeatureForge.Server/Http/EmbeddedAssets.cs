// Style sheets, scripts and libraries: embedded in the assembly, served from memory under /assets with entity tags.
using System.Collections.Frozen;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace FeatureForge.Server;

/// <summary>The files under wwwroot, as the assembly carries them.</summary>
public sealed class EmbeddedAssets
{
    private const string Prefix = "wwwroot/";

    private static readonly FrozenDictionary<string, string> MediaTypes = new Dictionary<string, string>
    {
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
        [".svg"] = "image/svg+xml",
        [".txt"] = "text/plain; charset=utf-8",
    }.ToFrozenDictionary();

    private readonly FrozenDictionary<string, Asset> _assets = Load();

    /// <summary>The address of an asset with its fingerprint, so that browsers may keep it for ever.</summary>
    /// <param name="path">Below wwwroot, for instance css/app.css.</param>
    public string Address(string path) => $"/assets/{path}?v={_assets[path].Fingerprint}";

    /// <summary>Adds GET /assets/….</summary>
    public void Map(IEndpointRouteBuilder routes) => routes.MapGet("/assets/{**path}", (string path, HttpContext http) =>
    {
        if (!_assets.TryGetValue(path, out var asset)) return Results.NotFound();
        var pinned = http.Request.Query["v"] == asset.Fingerprint;
        http.Response.Headers.CacheControl = pinned ? "public, max-age=31536000, immutable" : "no-cache";
        return Results.Bytes(asset.Content, asset.MediaType, entityTag: new EntityTagHeaderValue($"\"{asset.Fingerprint}\""));
    }).AllowAnonymous();

    private static FrozenDictionary<string, Asset> Load()
    {
        var assembly = Assembly.GetExecutingAssembly();
        var assets = new Dictionary<string, Asset>();
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            var fingerprint = Convert.ToHexStringLower(SHA256.HashData(content))[..12];
            assets[name[Prefix.Length..].Replace('\\', '/')] = new(content, MediaTypes[Path.GetExtension(name)], fingerprint);
        }
        return assets.ToFrozenDictionary();
    }

    private sealed record Asset(byte[] Content, string MediaType, string Fingerprint);
}
