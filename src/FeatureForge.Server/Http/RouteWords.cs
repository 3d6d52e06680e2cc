// Route parameters that become folder names or keys: whatever does not fit the rule is "not found" before any code runs.
using FeatureForge.Data;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace FeatureForge.Server;

/// <summary>{name:storename}: a name of a corpus, encoder, set or clustering.</summary>
public sealed class StoreNameConstraint : IRouteConstraint
{
    public bool Match(HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
        Names.Problem(routeKey, values[routeKey]?.ToString()) is null;
}

/// <summary>{id:itemid}: 32 lower-case hex characters.</summary>
public sealed class ItemIdConstraint : IRouteConstraint
{
    public bool Match(HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
        values[routeKey]?.ToString() is { Length: 32 } id && id.All(char.IsAsciiHexDigitLower);
}

/// <summary>{id:runid}: a run or schedule id, as the ledger makes them.</summary>
public sealed class RunIdConstraint : IRouteConstraint
{
    public bool Match(HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
        values[routeKey]?.ToString() is { Length: > 0 and <= 100 } id && id.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');
}
