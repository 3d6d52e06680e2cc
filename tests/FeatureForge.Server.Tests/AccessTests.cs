// Who may do what: every endpoint as nobody and in every role, sessions, tokens, guessing, the audit log.
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using FeatureForge.Data;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;

namespace FeatureForge.Server.Tests;

/// <summary>A server with one user in each role, whose password is the role's name twice and more.</summary>
public sealed partial class ClosedServer : RunningServer
{
    private readonly Dictionary<AccessRole, string> _tokens = [];

    public static string PasswordOf(AccessRole role) => $"{role}-{role}-secret";

    public string TokenOf(AccessRole role) => _tokens[role];

    public ItemRow Item { get; private set; } = null!;

    protected override async Task FillAsync(Store store, RunLedger ledger)
    {
        Item = (await SampleStore.FillAsync(store))[0];
        foreach (var role in Enum.GetValues<AccessRole>().Reverse())
        {
            ledger.Access.AddUser(role.ToString(), role, Passwords.Hash(PasswordOf(role)));
            _tokens[role] = ledger.Access.Issue(role.ToString(), SecretKind.Token, "test", role, TimeSpan.FromDays(1)).Secret;
        }
    }

    public async Task<HttpResponseMessage> AskAsync(HttpMethod method, string address, AccessRole? role, object? body = null)
    {
        using var request = new HttpRequestMessage(method, address);
        if (role is { } known) request.Headers.Authorization = new("Bearer", TokenOf(known));
        if (body is not null) request.Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json");
        using var bare = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = Client.BaseAddress };
        return await bare.SendAsync(request);
    }

    /// <summary>Signs in as a browser does; the answer holds the session's cookie.</summary>
    public async Task<HttpResponseMessage> SignInAsync(string name, string password, string next = "/runs")
    {
        var page = await Client.GetAsync("/sign-in");
        var token = FormToken().Match(await page.Content.ReadAsStringAsync()).Groups[1].Value;
        return await Client.PostAsync("/sign-in", new FormUrlEncodedContent([new("name", name), new("password", password), new("next", next), new("__RequestVerificationToken", token)]));
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" type=\"hidden\" value=\"([^\"]+)\"")]
    internal static partial Regex FormToken();
}

public sealed class AccessTests(ClosedServer server) : IClassFixture<ClosedServer>
{
    private static readonly AccessRole?[] _callers = [null, AccessRole.Viewer, AccessRole.Labeller, AccessRole.Editor, AccessRole.Admin];

    // Beyond the rule (viewers read, editors change): what each of these needs, by the method that asks.
    private static readonly (string Pattern, AccessRole Read, AccessRole Write)[] _exceptions =
    [
        ("^/api/v1/(users|audit)", AccessRole.Admin, AccessRole.Admin), ("^/api/v1/tokens", AccessRole.Viewer, AccessRole.Viewer), ("^/settings", AccessRole.Viewer, AccessRole.Viewer),
        ("^/(api/v1/)?selections", AccessRole.Viewer, AccessRole.Labeller), ("^/api/v1/labels/", AccessRole.Viewer, AccessRole.Labeller), ("^/clusterings/name$", AccessRole.Viewer, AccessRole.Labeller), ("^/hangfire", AccessRole.Viewer, AccessRole.Admin),
        ("^/(v2|inference\\.|arrow\\.|search|api/v1/sets/name/search|api/v1/clusterings/name/map/items)", AccessRole.Viewer, AccessRole.Viewer),
    ];

    private static AccessRole Least(string address, HttpMethod method)
    {
        var found = Array.Find(_exceptions, one => Regex.IsMatch(address, one.Pattern));
        return found.Pattern is null ? method == HttpMethod.Get ? AccessRole.Viewer : AccessRole.Editor : method == HttpMethod.Get ? found.Read : found.Write;
    }

    [Fact]
    public async Task Every_endpoint_refuses_whoever_may_not()
    {
        var seen = 0;
        var wrong = new List<string>();
        foreach (var (address, method) in Addresses())
            foreach (var caller in _callers)
            {
                // Past the gate Hangfire asks for a form's token, and refuses with the same number.
                if (caller == AccessRole.Admin && address.StartsWith("/hangfire/", StringComparison.Ordinal)) continue;
                using var response = await server.AskAsync(method, address, caller);
                var status = (int)response.StatusCode;
                var may = caller >= Least(address, method);
                var isRefusal = caller is null ? status is 401 || (status is 302 && response.Headers.Location!.ToString().StartsWith("/sign-in?next=", StringComparison.Ordinal)) : status is 403;
                if (may == isRefusal || (!may && !isRefusal)) wrong.Add($"{method} {address} as {caller?.ToString() ?? "nobody"}: {status}");
                seen++;
            }

        Assert.Empty(wrong);
        Assert.True(seen > 300, $"Only {seen} requests were made.");
    }

    // Routes with names that exist nowhere: what is let through answers "not found" or "bad request", which is no refusal.
    private IEnumerable<(string Address, HttpMethod Method)> Addresses()
    {
        foreach (var endpoint in server.Endpoints.OfType<RouteEndpoint>().Where(one => one.Metadata.GetMetadata<IAllowAnonymous>() is null && !one.RoutePattern.RawText!.Contains("unimplemented", StringComparison.Ordinal)))
        {
            var address = "/" + Regex.Replace(endpoint.RoutePattern.RawText!.TrimStart('/'), @"\{([^}:]+)[^}]*\}", match => match.Groups[1].Value switch
            {
                "id" when endpoint.RoutePattern.RawText.Contains("itemid", StringComparison.Ordinal) => new string('0', 32),
                "point" => "1",
                "**rest" => "nothing",
                var other => other.Trim('*', '?'),
            });
            var methods = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET", "POST"];
            foreach (var method in methods) yield return (address, HttpMethod.Parse(method));
        }
        yield return ("/hangfire", HttpMethod.Get);
        yield return ("/hangfire/recurring/trigger", HttpMethod.Post);
    }

    [Fact]
    public async Task A_person_signs_in_stays_signed_in_and_signs_out()
    {
        var response = await server.SignInAsync("Editor", ClosedServer.PasswordOf(AccessRole.Editor));
        var cookie = Assert.Single(response.Headers.GetValues("Set-Cookie"), value => value.StartsWith("featureforge-session=", StringComparison.Ordinal));

        Assert.Equal("/runs", response.Headers.Location!.ToString());
        Assert.Contains("httponly", cookie);
        Assert.Contains("samesite=lax", cookie);
        var page = await server.Client.GetAsync("/settings");
        Assert.Contains("You are Editor, editor.", await page.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.OK, (await server.Client.GetAsync("/api/v1/runs")).StatusCode);

        var token = ClosedServer.FormToken().Match(await page.Content.ReadAsStringAsync()).Groups[1].Value;
        var forged = await server.Client.PostAsync("/settings?handler=SignOut", new FormUrlEncodedContent([]));
        Assert.Equal(HttpStatusCode.BadRequest, forged.StatusCode);
        var left = await server.Client.PostAsync("/settings?handler=SignOut", new FormUrlEncodedContent([new("__RequestVerificationToken", token)]));
        Assert.Equal("/sign-in", left.Headers.Location!.ToString());
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.Client.GetAsync("/api/v1/runs")).StatusCode);
    }

    [Fact]
    public async Task Guessing_is_told_nothing_and_is_stopped()
    {
        var wrong = await server.SignInAsync("Viewer", "not the password");
        var nobody = await server.SignInAsync("nobody-at-all", "not the password");
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (wrong.StatusCode, nobody.StatusCode));
        string Said(string page) => Regex.Match(page, "role=\"alert\">.*?</div>", RegexOptions.Singleline).Value;
        Assert.Equal(Said(await wrong.Content.ReadAsStringAsync()), Said(await nobody.Content.ReadAsStringAsync()));

        HttpResponseMessage last = wrong;
        for (var i = 0; i < 12 && last.StatusCode != HttpStatusCode.TooManyRequests; i++) last = await server.SignInAsync("Viewer", "not the password");
        Assert.Equal(HttpStatusCode.TooManyRequests, last.StatusCode);
        Assert.NotNull(last.Headers.RetryAfter);
        Assert.Contains(server.Ledger.Access.Audit(text: "Viewer"), line => line is { Action: "sign in", Status: 401 });
    }

    [Theory]
    [InlineData("//elsewhere.example/")]
    [InlineData("https://elsewhere.example/")]
    [InlineData("/\\elsewhere.example")]
    public async Task Nobody_is_sent_elsewhere_after_signing_in(string next)
    {
        // By another name than the other tests', which count tries.
        var response = await server.SignInAsync("Labeller", ClosedServer.PasswordOf(AccessRole.Labeller), next);

        Assert.True(response.StatusCode is HttpStatusCode.TooManyRequests || response.Headers.Location!.ToString() == "/");
    }

    [Fact]
    public async Task A_token_is_for_no_more_than_its_maker_may()
    {
        using var made = await server.AskAsync(HttpMethod.Post, "/api/v1/tokens", AccessRole.Labeller, new { name = "phone", role = "viewer", days = 1 });
        using var tooMuch = await server.AskAsync(HttpMethod.Post, "/api/v1/tokens", AccessRole.Labeller, new { name = "phone", role = "admin", days = 1 });
        using var another = await server.AskAsync(HttpMethod.Post, "/api/v1/tokens", AccessRole.Labeller, new { name = "phone", user = "Admin", days = 1 });
        var answer = (await made.Content.ReadFromJsonAsync<JsonElement>())!;
        var secret = answer.GetProperty("secret").GetString()!;

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.BadRequest, HttpStatusCode.BadRequest), (made.StatusCode, tooMuch.StatusCode, another.StatusCode));
        using var client = new HttpClient { BaseAddress = server.Client.BaseAddress };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        var me = await client.GetFromJsonAsync<JsonElement>("/api/v1/me");
        Assert.Equal(("Labeller", "viewer"), (me.GetProperty("name").GetString(), me.GetProperty("role").GetString()));
        Assert.Equal(HttpStatusCode.Forbidden, (await client.PostAsJsonAsync("/api/v1/labels/x", new { name = "a" })).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync($"/api/v1/tokens/{answer.GetProperty("token").GetProperty("secret_id").GetString()}")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/api/v1/me")).StatusCode);
    }

    [Fact]
    public async Task Who_signs_in_labels_as_nobody_else()
    {
        using var answer = await server.AskAsync(HttpMethod.Post, "/api/v1/labels/things", AccessRole.Labeller, new { name = "cat", author = "somebody else", items = new[] { server.Item.ItemId } });

        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
        Assert.Equal("Labeller", Assert.Single((await LabelLog.Existing(server.Store, "things").ReadAsync(default)).Active).Author);
    }

    [Fact]
    public async Task What_was_changed_and_what_was_refused_is_in_the_audit_log()
    {
        using var refused = await server.AskAsync(HttpMethod.Post, "/api/v1/runs/cancel", AccessRole.Viewer, new { state = "queued" });
        using var done = await server.AskAsync(HttpMethod.Post, "/api/v1/runs/cancel", AccessRole.Editor, new { state = "queued" });
        using var log = await server.AskAsync(HttpMethod.Get, "/api/v1/audit?text=runs/cancel", AccessRole.Admin);

        var lines = (await log.Content.ReadFromJsonAsync<List<AuditRow>>(SpecJson.Line))!;
        Assert.Contains(lines, line => line is { Actor: "Viewer", Status: 403, Address: "127.0.0.1" or "::ffff:127.0.0.1" });
        Assert.Contains(lines, line => line is { Actor: "Editor", Status: 200 });
    }

    [Fact]
    public async Task Users_are_added_changed_and_removed()
    {
        using var weak = await server.AskAsync(HttpMethod.Post, "/api/v1/users", AccessRole.Admin, new { name = "eve", role = "viewer", password = "short" });
        using var added = await server.AskAsync(HttpMethod.Post, "/api/v1/users", AccessRole.Admin, new { name = "eve", role = "viewer", password = "long enough for all" });
        using var changed = await server.AskAsync(HttpMethod.Patch, "/api/v1/users/eve", AccessRole.Admin, new { role = "editor", enabled = false });
        using var removed = await server.AskAsync(HttpMethod.Delete, "/api/v1/users/eve", AccessRole.Admin);
        using var last = await server.AskAsync(HttpMethod.Delete, "/api/v1/users/Admin", AccessRole.Admin);

        Assert.Equal(HttpStatusCode.BadRequest, weak.StatusCode);
        Assert.Contains("\"viewer\"", await added.Content.ReadAsStringAsync());
        Assert.DoesNotContain("password\":\"", await added.Content.ReadAsStringAsync());
        var user = await changed.Content.ReadFromJsonAsync<UserRow>(SpecJson.Line);
        Assert.Equal((AccessRole.Editor, false), (user!.Role, user.Enabled));
        Assert.Equal((HttpStatusCode.NoContent, HttpStatusCode.BadRequest), (removed.StatusCode, last.StatusCode));
    }
}
