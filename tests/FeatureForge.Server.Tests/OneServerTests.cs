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
}
