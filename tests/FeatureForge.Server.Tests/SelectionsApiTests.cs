// Selections and the quality of corpora through the API and on pages.
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Server.Tests;

public sealed class SelectionsApiTests(FilledServer server) : IClassFixture<FilledServer>
{
    private async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string address, object body)
    {
        using var response = await server.Client.PostAsJsonAsync("/api/v1/" + address, body);
        return (response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>());
    }

    private string[] Lines(string csv) => csv.Split('\n', StringSplitOptions.RemoveEmptyEntries)[1..];

    [Fact]
    public async Task Points_of_a_map_become_a_selection_that_filters_items_and_feeds_the_queue()
    {
        var (status, made) = await PostAsync("selections", new { name = "corner", author = "ada", clustering = "groups", points = new[] { 0, 1, 2, 3, 4, 1 } });
        var ids = Lines(await server.Client.GetStringAsync("/api/v1/selections/corner/items"));
        var page = await server.Client.GetFromJsonAsync<JsonElement>($"/api/v1/corpora/mixed/items?where={Uri.EscapeDataString("selection = 'corner'")}");
        var rest = await server.Client.GetFromJsonAsync<JsonElement>($"/api/v1/corpora/mixed/items?where={Uri.EscapeDataString("selection != 'corner'")}");
        var (_, turn) = await PostAsync("labels/cornered/queue", new { set = "eyes-mixed", author = "ada", selection = "corner", count = 40 });
        var (given, label) = await PostAsync("labels/cornered", new { name = "odd", author = "ada", selection = "corner" });
        var (_, later) = await PostAsync("labels/cornered/queue", new { set = "eyes-mixed", author = "ada", selection = "corner", count = 40 });

        Assert.Equal((HttpStatusCode.Created, "mixed", "ada"), (status, made.GetProperty("corpus").GetString(), made.GetProperty("author").GetString()));
        Assert.NotEmpty(ids);
        Assert.Equal(ids, page.EnumerateArray().Select(item => item.GetProperty("item_id").GetString()!).Order(StringComparer.Ordinal));
        Assert.Equal(48 - ids.Length, rest.GetArrayLength());
        Assert.Equal(ids, turn.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("item_id").GetString()!).Order(StringComparer.Ordinal));
        Assert.Equal((HttpStatusCode.Created, ids.Length), (given, label.GetProperty("labels").GetInt32()));
        Assert.Equal((0, 0), (later.GetProperty("entries").GetArrayLength(), later.GetProperty("left").GetInt32()));
    }

    [Fact]
    public async Task Points_that_match_a_condition_are_told_by_bits()
    {
        var all = await server.Client.GetFromJsonAsync<JsonElement>("/api/v1/clusterings/groups/map/matching?where=byte_size%20%3E%200");
        var some = await server.Client.GetFromJsonAsync<JsonElement>("/api/v1/clusterings/groups/map/matching?where=modality%20%3D%20'text'");
        var bits = some.GetProperty("bits").GetBytesFromBase64();
        var point = Enumerable.Range(0, 3000).First(point => (bits[point >> 3] >> (point & 7) & 1) == 1);
        var item = await server.Client.GetFromJsonAsync<JsonElement>($"/api/v1/clusterings/groups/map/{point}");
        var wrong = await server.Client.GetAsync("/api/v1/clusterings/groups/map/matching?where=size%20%3E%203");

        Assert.Equal((3000, 375), (all.GetProperty("count").GetInt32(), bits.Length));
        Assert.Equal(some.GetProperty("count").GetInt32(), bits.Sum(one => System.Numerics.BitOperations.PopCount(one)));
        Assert.Equal("text", item.GetProperty("modality").GetString());
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
    }

    [Fact]
    public async Task Items_of_a_condition_are_kept_changed_and_removed()
    {
        var (created, _) = await PostAsync("selections", new { name = "sounds", corpus = "mixed", author = "ada", where = "modality = 'audio'" });
        var (changed, fewer) = await PostAsync("selections", new { name = "sounds", corpus = "mixed", author = "ben", change = "remove", items = new[] { server.ItemOf(Modality.Audio).ItemId } });
        var html = await server.Client.GetStringAsync("/selections?corpus=mixed");
        var download = await server.Client.GetAsync("/api/v1/files/selections/sounds/items/part-00002.parquet");
        var removed = await server.Client.DeleteAsync("/api/v1/selections/sounds");
        var gone = await server.Client.GetAsync("/api/v1/selections/sounds");
        var filtered = await server.Client.GetAsync("/corpora/mixed?where=selection%20%3D%20'sounds'");

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.NotFound), (created, changed, removed.StatusCode, gone.StatusCode));
        Assert.Equal((11, "where modality = 'audio'"), (fewer.GetProperty("item_parts")[0].GetProperty("rows").GetInt32(), fewer.GetProperty("note").GetString()));
        Assert.Contains("Remove selection sounds", html);
        Assert.Equal(HttpStatusCode.OK, download.StatusCode);
        Assert.Contains("There is no selection named &#x27;sounds&#x27;", await filtered.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("""{"name":"x","author":"ada"}""", "exactly one of items, where and points")]
    [InlineData("""{"name":"x","author":"ada","corpus":"mixed","where":"width >"}""", "ends where a value was expected")]
    [InlineData("""{"name":"x","author":"ada","corpus":"mixed","where":"width > 100000"}""", "No item was named")]
    [InlineData("""{"name":"x","author":"ada","corpus":"../../etc","items":[]}""", "corpus")]
    [InlineData("""{"name":"../x","author":"ada","corpus":"mixed","items":["00000000000000000000000000000000"]}""", "ASCII letters")]
    [InlineData("""{"name":"x","author":"ada","clustering":"groups","points":[3000]}""", "There is no point 3000")]
    [InlineData("""{"name":"x","author":"ada","corpus":"mixed","points":[1]}""", "name both")]
    [InlineData("""{"name":"x","author":"ada","corpus":"mixed","items":["00000000000000000000000000000000"]}""", "lacks 1 of the 1 items")]
    public async Task What_makes_no_sense_is_refused_with_the_reason(string body, string expected)
    {
        using var response = await server.Client.PostAsync("/api/v1/selections", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(expected, await response.Content.ReadAsStringAsync());
        Assert.Null(server.Store.FindSelection("x"));
    }

    [Fact]
    public async Task The_report_counts_issues_and_leads_to_their_items()
    {
        var report = await server.Client.GetFromJsonAsync<JsonElement>("/api/v1/corpora/mixed/report");
        var html = await server.Client.GetStringAsync("/corpora/mixed?view=quality");

        Assert.Equal(24, report.GetProperty("totals").EnumerateArray().Single(total => total.GetProperty("modality").GetString() == "image").GetProperty("items").GetInt32());
        Assert.Contains("language%20%3D%20%27en%27", html);
        Assert.Contains("No item is conspicuous", html);
    }

    [Fact]
    public async Task Quarantined_files_are_listed_by_code_and_tried_again_as_a_run()
    {
        var listed = await server.Client.GetFromJsonAsync<JsonElement>("/api/v1/corpora/mixed/quarantine?code=unknown_charset");
        var wrong = await server.Client.GetAsync("/api/v1/corpora/mixed/quarantine?code=bad_luck");
        var (status, run) = await PostAsync("corpora/mixed/quarantine/retry", new { codes = new[] { "unknown_charset" } });

        Assert.All(listed.EnumerateArray(), row => Assert.Equal("unknown_charset", row.GetProperty("code").GetString()));
        Assert.Equal(1, listed.GetArrayLength());
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Contains("unknown_charset", server.Ledger.Get(run.GetProperty("run_id").GetString()!).Spec);
    }
}
