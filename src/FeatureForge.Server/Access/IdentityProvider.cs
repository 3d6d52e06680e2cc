// People whom an OpenID Connect provider signs in (Keycloak, Entra, Google, Dex, …): code flow with PKCE by ASP.NET's handler, then one
// of the server's own sessions.
using System.Security.Claims;
using FeatureForge.Data;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace FeatureForge.Server;

/// <summary>An OpenID Connect provider.</summary>
/// <param name="Authority">Its address, below which .well-known/openid-configuration lies.</param>
/// <param name="RoleClaim">The claim whose values name roles (viewer, labeller, editor, admin); the highest counts at every sign-in. Null: roles are given here.</param>
/// <param name="NewcomersRole">What somebody is who signs in for the first time and has no role by the claim; null refuses them.</param>
public sealed record IdentityProvider(string Authority, string ClientId, string? ClientSecret, string? RoleClaim, AccessRole? NewcomersRole)
{
    public const string SecretVariable = "FEATUREFORGE_OIDC_SECRET";

    internal const string Scheme = "openid";

    internal IEnumerable<string> Problems()
    {
        if (!Uri.TryCreate(Authority, UriKind.Absolute, out var address) || !(address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback)))
            yield return $"The identity provider's address '{Authority}' is not of the form https://HOST/….";
        if (string.IsNullOrWhiteSpace(ClientId)) yield return "Say by which client id the identity provider knows this server: --oidc-client.";
    }

    internal void AddTo(AuthenticationBuilder authentication) => authentication.AddOpenIdConnect(Scheme, options =>
    {
        options.Authority = Authority;
        options.ClientId = ClientId;
        options.ClientSecret = ClientSecret;
        options.RequireHttpsMetadata = Authority.StartsWith("https://", StringComparison.Ordinal);
        options.ResponseType = OpenIdConnectResponseType.Code;
        // The answer comes as a link, not as a form that another site posts: those are refused.
        options.ResponseMode = OpenIdConnectResponseMode.Query;
        options.CorrelationCookie.SameSite = options.NonceCookie.SameSite = SameSiteMode.Lax;
        options.CorrelationCookie.SecurePolicy = options.NonceCookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        options.UsePkce = true;
        options.MapInboundClaims = false;
        options.GetClaimsFromUserInfoEndpoint = false;
        options.SaveTokens = false;
        options.SignInScheme = SecretHandler.SchemeName;
        options.CallbackPath = "/sign-in/openid";
        options.Scope.Add("profile");
        options.Scope.Add("email");
        options.TokenValidationParameters.NameClaimType = "sub";
        options.Events.OnTicketReceived = context =>
        {
            var ledger = context.HttpContext.RequestServices.GetRequiredService<RunLedger>();
            var log = context.HttpContext.RequestServices.GetRequiredService<ILogger<IdentityProvider>>();
            try { context.Principal = new(new ClaimsIdentity([new(ClaimTypes.Name, UserOf(context.Principal!, ledger.Access).Name)], SecretHandler.SchemeName)); }
            catch (BadRequestException error)
            {
                if (log.IsEnabled(LogLevel.Warning)) log.LogWarning("Sign-in by {Authority} refused: {Reason}", Authority, error.Message);
                context.HandleResponse();
                context.Response.Redirect("/sign-in?refused=here");
            }
            return Task.CompletedTask;
        };
        options.Events.OnRemoteFailure = context =>
        {
            context.HandleResponse();
            context.Response.Redirect("/sign-in?refused=there");
            return Task.CompletedTask;
        };
    });

    /// <summary>The user whom the provider's claims mean, made at their first sign-in.</summary>
    /// <exception cref="BadRequestException">They have no role here, or are kept out.</exception>
    internal UserRow UserOf(ClaimsPrincipal person, AccessLedger access)
    {
        var subject = $"{person.FindFirstValue("iss")}|{person.FindFirstValue("sub")}";
        var claimed = RoleClaim is null ? null : person.FindAll(RoleClaim).Select(claim => Enum.TryParse<AccessRole>(claim.Value, ignoreCase: true, out var role) && Enum.IsDefined(role) ? role : (AccessRole?)null).Max();
        if (access.FindSubject(subject) is { } known)
        {
            if (!known.Enabled) throw new BadRequestException($"{known.Name} is kept out of this server.");
            if (claimed is { } now && now != known.Role) access.SetRole(known.Name, now);
            return known;
        }
        var role = claimed ?? NewcomersRole ?? throw new BadRequestException("The identity provider knows you, but you have no role on this server. Ask its admin.");
        var name = person.FindFirstValue("preferred_username") ?? person.FindFirstValue("email") ?? person.FindFirstValue("sub")!;
        return access.AddUser(name, role, password: null, subject);
    }
}
