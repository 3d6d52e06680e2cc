// Signing in by an OpenID Connect provider: a small one on loopback that follows the code flow with PKCE and signs its tokens with RS256.
using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.Json;
using FeatureForge.Data;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace FeatureForge.Server.Tests;

/// <summary>Signs in whoever asks as <see cref="Person"/>.</summary>
public sealed class SmallProvider : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly RSA _key = RSA.Create(2048);
    private string _nonce = "";
    private string _challenge = "";

    public SmallProvider()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapGet("/.well-known/openid-configuration", () => Results.Json(new
        {
            issuer = Address,
            authorization_endpoint = Address + "/authorize",
            token_endpoint = Address + "/token",
            jwks_uri = Address + "/keys",
            response_types_supported = new[] { "code" },
            subject_types_supported = new[] { "public" },
            id_token_signing_alg_values_supported = new[] { "RS256" },
        }));
        _app.MapGet("/keys", () =>
        {
            var parameters = _key.ExportParameters(false);
            return Results.Json(new { keys = new[] { new { kty = "RSA", use = "sig", kid = "one", alg = "RS256", n = Base64UrlEncoder.Encode(parameters.Modulus), e = Base64UrlEncoder.Encode(parameters.Exponent) } } });
        });
        _app.MapGet("/authorize", (HttpRequest request) =>
        {
            (_nonce, _challenge) = (request.Query["nonce"].ToString(), request.Query["code_challenge"].ToString());
            return Results.Redirect($"{request.Query["redirect_uri"]}?code=c&state={Uri.EscapeDataString(request.Query["state"].ToString())}");
        });
        _app.MapPost("/token", async (HttpRequest request) =>
        {
            var form = await request.ReadFormAsync();
            if (Base64UrlEncoder.Encode(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(form["code_verifier"].ToString()))) != _challenge || form["client_secret"] != "secret") return Results.BadRequest();
            var token = new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
            {
                Issuer = Address,
                Audience = "featureforge",
                Expires = TimeProvider.System.GetUtcNow().AddMinutes(5).UtcDateTime,
                Subject = new ClaimsIdentity([.. Person.Select(pair => new Claim(pair.Key, pair.Value)), new("nonce", _nonce)]),
                SigningCredentials = new(new RsaSecurityKey(_key) { KeyId = "one" }, SecurityAlgorithms.RsaSha256),
            });
            return Results.Json(new { access_token = "a", token_type = "Bearer", id_token = token, expires_in = 300 });
        });
        _app.StartAsync().GetAwaiter().GetResult();
    }

    public string Address => _app.Urls.Single();

    /// <summary>Claims of whoever signs in.</summary>
    public Dictionary<string, string> Person { get; set; } = [];

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _key.Dispose();
    }
}

public sealed class IdentityProviderTests : IAsyncLifetime
{
    private readonly SmallProvider _provider = new();
    private ProvidedServer _server = null!;

    private sealed class ProvidedServer(string authority) : RunningServer
    {
        protected override ServerOptions With(ServerOptions options) => options with { IdentityProvider = new(authority, "featureforge", "secret", "role", null) };

        protected override Task FillAsync(Store store, RunLedger ledger)
        {
            ledger.Access.AddUser("root", AccessRole.Admin, Passwords.Hash("long enough for all"));
            return Task.CompletedTask;
        }
    }

    public async Task InitializeAsync()
    {
        _server = new(_provider.Address);
        await _server.InitializeAsync();
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        await _provider.DisposeAsync();
    }

    // As a browser goes: to the provider, back with the code, to where one wanted to go.
    private async Task<HttpResponseMessage> SignInAsync(Dictionary<string, string> person)
    {
        _provider.Person = person;
        using var browser = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false });
        var asked = await browser.GetAsync(_server.Address + "/sign-in/provider?next=/runs");
        var cookies = string.Join("; ", asked.Headers.GetValues("Set-Cookie").Select(cookie => cookie.Split(';')[0]));
        var there = await browser.GetAsync(asked.Headers.Location);
        using var back = new HttpRequestMessage(HttpMethod.Get, there.Headers.Location);
        back.Headers.Add("Cookie", cookies);
        back.Headers.Add("Sec-Fetch-Site", "cross-site");
        return await browser.SendAsync(back);
    }

    [Fact]
    public async Task Whom_the_provider_knows_and_gives_a_role_gets_a_session()
    {
        using var first = await SignInAsync(new() { ["sub"] = "17", ["preferred_username"] = "grace", ["role"] = "editor" });
        var session = first.Headers.GetValues("Set-Cookie").Single(cookie => cookie.StartsWith("featureforge-session=", StringComparison.Ordinal)).Split(';')[0];
        using var browser = new HttpClient(new HttpClientHandler { UseCookies = false });
        browser.DefaultRequestHeaders.Add("Cookie", session);

        Assert.Equal("/runs", first.Headers.Location!.ToString());
        var me = JsonDocument.Parse(await browser.GetStringAsync(_server.Address + "/api/v1/me")).RootElement;
        Assert.Equal(("grace", "editor"), (me.GetProperty("name").GetString(), me.GetProperty("role").GetString()));

        using var again = await SignInAsync(new() { ["sub"] = "17", ["preferred_username"] = "renamed", ["role"] = "viewer" });
        Assert.Equal(("grace", AccessRole.Viewer), Assert.Single(_server.Ledger.Access.Users(), user => user.Subject is not null) is var user ? (user.Name, user.Role) : default);
    }

    [Fact]
    public async Task Whom_nobody_gave_a_role_is_refused()
    {
        using var stranger = await SignInAsync(new() { ["sub"] = "99", ["preferred_username"] = "mallory" });
        // Another's name is no way in.
        using var impostor = await SignInAsync(new() { ["sub"] = "98", ["preferred_username"] = "root", ["role"] = "viewer" });

        foreach (var answer in new[] { stranger, impostor })
        {
            Assert.Equal("/sign-in?refused=here", answer.Headers.Location!.ToString());
            Assert.DoesNotContain(answer.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies : [], cookie => cookie.StartsWith("featureforge-session=", StringComparison.Ordinal));
        }
        Assert.Equal("root", Assert.Single(_server.Ledger.Access.Users()).Name);
    }
}
