// What protects the reader: headers, other sites, forged forms, foreign host names.
using System.Net;
using System.Text;
using FeatureForge.Data;

namespace FeatureForge.Server.Tests;

public sealed class SecurityTests(RunningServer server) : IClassFixture<RunningServer>
{
    [Theory]
    [InlineData("/")]
    [InlineData("/assets/css/app.css")]
    [InlineData("/api/v1/corpora")]
    [InlineData("/nothing")]
    public async Task Every_answer_forbids_inline_code_and_guessed_types(string address)
    {
        var response = await server.Client.GetAsync(address);

        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.Contains("default-src 'none'", policy);
        Assert.DoesNotContain("unsafe", policy);
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/schedules")]
    [InlineData("/runs")]
    public async Task Pages_carry_nothing_inline_and_nothing_from_elsewhere(string address)
    {
        var page = await server.Client.GetStringAsync(address);

        Assert.DoesNotContain("<style", page);
        Assert.DoesNotContain(" style=", page);
        Assert.DoesNotMatch("<script(?![^>]* src=\"/assets/)", page);
        Assert.DoesNotMatch("(src|href)=\"(https?:)?//", page);
    }

    [Fact]
    public async Task A_form_without_its_token_changes_nothing()
    {
        var response = await server.Client.PostAsync("/schedules", new FormUrlEncodedContent([new("stage", "ingest")]));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Empty(server.Ledger.List(new()).Runs);
    }

    [Fact]
    public async Task A_request_from_another_site_changes_nothing()
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/runs") { Content = new StringContent("""{"kind":"selftest","spec":{}}""", Encoding.UTF8, "application/json") };
        request.Headers.Add("Origin", "https://elsewhere.example");

        var response = await server.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Empty(server.Ledger.List(new() { Kind = RunKind.Selftest }).Runs);
    }

    [Fact]
    public async Task A_foreign_host_name_is_refused()
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Host = "rebound.example";

        var response = await server.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task A_pinned_asset_may_be_kept_for_ever()
    {
        var page = await server.Client.GetStringAsync("/");
        var start = page.IndexOf("/assets/css/app.css?v=", StringComparison.Ordinal);
        var address = page[start..page.IndexOf('"', start)];

        var response = await server.Client.GetAsync(address);

        Assert.Contains("immutable", response.Headers.CacheControl!.ToString());
        Assert.Equal("text/css", response.Content.Headers.ContentType!.MediaType);
    }

    [Theory]
    [InlineData("http://0.0.0.0:0", "users add")]
    [InlineData("http://*:0", "users add")]
    [InlineData("https://127.0.0.1:0", "certificate")]
    [InlineData("nonsense", "http://HOST:PORT")]
    public void Addresses_that_others_reach_need_somebody_who_can_sign_in(string url, string found)
    {
        using var folder = new FeatureForge.TestKit.TemporaryFolder();
        Assert.Contains(found, Assert.Throws<BadRequestException>(() => ServerHost.Build(new() { StorePath = folder.Path, Urls = [url], Roles = ["web"] })).Message);
    }
}
