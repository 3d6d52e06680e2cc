// A store with an embedded ledger has one server at a time.
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Server.Tests;

public sealed class OneServerTests
{
    [Fact]
    public async Task A_second_server_of_a_store_is_refused_until_the_first_has_ended()
    {
        using var folder = new TemporaryFolder();
        ServerOptions options = new() { StorePath = Path.Combine(folder.Path, "store"), Urls = ["http://127.0.0.1:0"], Roles = ["web"] };
        await using (ServerHost.Build(options))
        {
            var error = Assert.Throws<BadRequestException>(() => ServerHost.Build(options));
            Assert.Contains("already served", error.Message);
            Assert.Contains($"process {Environment.ProcessId}", error.Message);
        }

        await using var next = ServerHost.Build(options);
    }

    [Fact]
    public async Task A_form_of_one_server_can_be_sent_to_the_next()
    {
        using var folder = new TemporaryFolder();
        ServerOptions options = new() { StorePath = Path.Combine(folder.Path, "store"), Urls = ["http://127.0.0.1:0"], Roles = ["web"] };
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        string token;
        await using (var first = ServerHost.Build(options))
        {
            await first.StartAsync();
            token = System.Text.RegularExpressions.Regex.Match(await http.GetStringAsync(first.Urls.Single() + "/schedules"), "name=\"__RequestVerificationToken\" type=\"hidden\" value=\"([^\"]+)\"").Groups[1].Value;
        }
        await using var next = ServerHost.Build(options);
        await next.StartAsync();

        async Task<System.Net.HttpStatusCode> PostAsync(string with)
        {
            using var answer = await http.PostAsync(next.Urls.Single() + "/?handler=Refresh", new FormUrlEncodedContent([new("__RequestVerificationToken", with)]));
            return answer.StatusCode;
        }

        Assert.Equal(System.Net.HttpStatusCode.Redirect, await PostAsync(token));
        Assert.Equal(System.Net.HttpStatusCode.BadRequest, await PostAsync(token[..^4] + "AAAA"));
    }

    [Fact]
    public async Task An_address_that_is_taken_is_a_bad_request_that_names_it()
    {
        using var folder = new TemporaryFolder();
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        taken.Start();
        var url = $"http://{taken.LocalEndpoint}";

        var error = await Assert.ThrowsAsync<BadRequestException>(() => ServerHost.RunAsync(new() { StorePath = Path.Combine(folder.Path, "store"), Urls = [url], Roles = ["web"] }, CancellationToken.None));

        Assert.Contains(url, error.Message);
    }
}
