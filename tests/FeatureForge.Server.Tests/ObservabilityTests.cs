// What the server tells about itself: metrics, health, the API's description.
using System.Net.Http.Json;
using System.Text.Json;

namespace FeatureForge.Server.Tests;

public sealed class ObservabilityTests(FilledServer server) : IClassFixture<FilledServer>
{
    [Fact]
    public async Task Metrics_count_runs_and_requests()
    {
        await server.Client.GetAsync("/api/v1/runs");
        var text = await server.Client.GetStringAsync("/metrics");

        Assert.Matches("featureforge_runs\\{[^}]*state=\"failed\"[^}]*\\} 1\n", text);
        Assert.Contains("http_server_request_duration_seconds_count", text);
        Assert.Contains("featureforge_store_free_bytes", text);
        Assert.Contains("dotnet_gc", text);
    }

    [Fact]
    public async Task Health_says_that_it_works()
    {
        var health = await server.Client.GetFromJsonAsync<JsonElement>("/health");
        Assert.Equal("healthy", health.GetProperty("status").GetString());
    }

    [Fact]
    public async Task The_api_describes_itself()
    {
        var document = await server.Client.GetFromJsonAsync<JsonElement>("/api/v1/openapi.json");
        var paths = document.GetProperty("paths");

        Assert.StartsWith("3.", document.GetProperty("openapi").GetString());
        var start = paths.GetProperty("/api/v1/runs").GetProperty("post");
        Assert.Contains("kind", start.GetProperty("requestBody").ToString());
        foreach (var endpoint in server.Endpoints.OfType<Microsoft.AspNetCore.Routing.RouteEndpoint>().Select(endpoint => endpoint.RoutePattern.RawText!).Where(path => path.StartsWith("/api/v1/", StringComparison.Ordinal) && !path.Contains('*')))
            Assert.True(paths.TryGetProperty(System.Text.RegularExpressions.Regex.Replace(endpoint, ":[^}]+", ""), out _), $"{endpoint} is not described.");
        Assert.Contains("run_id", document.GetProperty("components").ToString());
    }
}
