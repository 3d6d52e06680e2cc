// Who asks: an API token in the Authorization header, a session's cookie, or, on a server that only this machine reaches and that has
// no users, whoever sits at it.
using System.Security.Claims;
using System.Text.Encodings.Web;
using FeatureForge.Data;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace FeatureForge.Server;

/// <summary>The server's one way of knowing callers; also opens and ends their sessions.</summary>
public sealed class SecretHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, RunLedger ledger, SignInPolicy policy)
    : SignInAuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "featureforge";
    private const string Cookie = "featureforge-session";
    private const string SecretId = "featureforge:secret";
    private static readonly TimeSpan _sessionLifetime = TimeSpan.FromHours(12);

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        // Other schemes are a proxy's, which asked for a name and a password of its own.
        var header = Request.Headers.Authorization.ToString();
        if (header.StartsWith("Bearer", StringComparison.OrdinalIgnoreCase))
        {
            var caller = ledger.Access.Find(header["Bearer".Length..].Trim(), SecretKind.Token);
            return Task.FromResult(caller is null ? AuthenticateResult.Fail("The token is unknown, expired or revoked.") : Known(caller));
        }
        if (Request.Cookies[Cookie] is { } cookie && ledger.Access.Find(cookie, SecretKind.Session) is { } person) return Task.FromResult(Known(person));
        return Task.FromResult(policy.IsRequired ? AuthenticateResult.NoResult() : AuthenticateResult.Success(TicketOf(SignInPolicy.LocalUser, AccessRole.Admin, null)));
    }

    protected override Task HandleSignInAsync(ClaimsPrincipal user, AuthenticationProperties? properties)
    {
        var name = user.Identity!.Name!;
        var (row, secret) = ledger.Access.Issue(name, SecretKind.Session, "browser", ledger.Access.FindUser(name)!.Role, _sessionLifetime);
        Response.Cookies.Append(Cookie, secret, CookieOf(row.ExpiresAt));
        return Task.CompletedTask;
    }

    protected override Task HandleSignOutAsync(AuthenticationProperties? properties)
    {
        if (Context.User.FindFirstValue(SecretId) is { } id) ledger.Access.Revoke(id);
        Response.Cookies.Delete(Cookie, CookieOf(null));
        return Task.CompletedTask;
    }

    // Lax: a link from a mail or from the identity provider finds the session; what changes anything is guarded besides.
    private CookieOptions CookieOf(DateTimeOffset? until) => new() { HttpOnly = true, SameSite = Microsoft.AspNetCore.Http.SameSiteMode.Lax, Secure = Request.IsHttps, Expires = until, Path = "/", IsEssential = true };

    private AuthenticateResult Known(Caller caller) => AuthenticateResult.Success(TicketOf(caller.User.Name, caller.Role, caller.Secret.SecretId));

    private AuthenticationTicket TicketOf(string name, AccessRole role, string? secretId)
    {
        List<Claim> claims = [new(ClaimTypes.Name, name), new(ClaimTypes.Role, role.ToString())];
        if (secretId is not null) claims.Add(new(SecretId, secretId));
        return new(new ClaimsPrincipal(new ClaimsIdentity(claims, Scheme.Name)), Scheme.Name);
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) => Task.CompletedTask;
    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => Task.CompletedTask;
}

/// <summary>Whether people must sign in: always where other machines reach the server, and everywhere once a store has users.</summary>
public sealed class SignInPolicy(Store store, ServerOptions options)
{
    /// <summary>Who acts on a server that asks nobody to sign in.</summary>
    public static string LocalUser { get; } = Environment.UserName is { Length: > 0 } user ? user : "person";

    public bool IsRequired => options.RequireSignIn || !options.IsLocal || store.RequiresSignIn;
}

/// <summary>The caller of a request.</summary>
public static class CallerOfRequest
{
    public static AccessRole? Role(this HttpContext http) => Enum.TryParse<AccessRole>(http.User.FindFirstValue(ClaimTypes.Role), out var role) ? role : null;

    public static bool May(this HttpContext http, AccessRole role) => http.Role() >= role;

    /// <summary>Name of the caller; null when nobody has signed in.</summary>
    public static string? Actor(this HttpContext http) => http.User.Identity is { IsAuthenticated: true } ? http.User.Identity.Name : null;

    /// <summary>Whose act it is: the caller's, where people sign in; else the one whom the request names.</summary>
    public static string Author(this HttpContext http, SignInPolicy policy, string? given) => policy.IsRequired || given is null ? http.Actor() ?? "" : given;

    internal static string Address(this HttpContext http) => http.Connection.RemoteIpAddress?.ToString() ?? "";
}
