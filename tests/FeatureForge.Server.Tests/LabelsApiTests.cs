// Labels through the API: a turn of the queue, giving, putting off, taking back, and what is refused.
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Server.Tests;

public sealed class LabelsApiTests(FilledServer server) : IClassFixture<FilledServer>
{
    private async Task<(HttpStatusCode Status, JsonElement Body)> PostAsync(string address, object body)
    {
        using var response = await server.Client.PostAsJsonAsync($"/api/v1/labels/{address}", body);
        return (response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>());
    }

    [Fact]
    public async Task A_turn_is_answered_and_two_people_never_get_the_same_item()
    {
        var (status, first) = await PostAsync("shared/queue", new { set = "eyes-mixed", author = "ada", count = 5 });
        var (_, second) = await PostAsync("shared/queue", new { set = "eyes-mixed", author = "ben", count = 5 });
        static List<string> Ids(JsonElement turn) => [.. turn.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("item_id").GetString()!)];
        var mine = Ids(first);

        var (given, label) = await PostAsync("shared", new { name = "round", author = "ada", items = mine[..2] });
        await PostAsync("shared/answers", new { items = mine[2..3], answer = "skip", author = "ada" });
        var (_, next) = await PostAsync("shared/queue", new { set = "eyes-mixed", author = "ada", count = 48 });
        var summary = await server.Client.GetFromJsonAsync<JsonElement>("/api/v1/labels/shared");

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Created, 2), (status, given, label.GetProperty("labels").GetInt32()));
        Assert.Equal((5, 5), (mine.Count, Ids(second).Count));
        Assert.Empty(mine.Intersect(Ids(second)));
        Assert.Equal(48 - 5 - 3, Ids(next).Count);
        Assert.Empty(Ids(next).Intersect(mine[..3]));
        Assert.Equal(2, summary.GetProperty("by_name").GetProperty("round").GetInt32());
    }

    [Fact]
    public async Task The_last_act_is_taken_back_exactly()
    {
        var (a, b) = (server.Items[0].ItemId, server.Items[1].ItemId);
        await PostAsync("undone", new { name = "first", author = "ada", items = new[] { a } });
        await PostAsync("undone", new { name = "second", author = "ada", items = new[] { a, b } });

        var (status, undone) = await PostAsync("undone/undo", new { author = "ada" });

        var active = (await LabelLog.Existing(server.Store, "undone").ReadAsync(default)).Active;
        Assert.Equal((HttpStatusCode.OK, 2), (status, undone.GetProperty("undone").GetInt32()));
        Assert.Equal(("first", a), (active.Single().Name, active.Single().TargetId));
    }

    [Theory]
    [InlineData("x", """{"name":"","author":"ada","items":["00000000000000000000000000000000"]}""", "name")]
    [InlineData("x", """{"name":"a","author":"ada","items":["00000000000000000000000000000000"]}""", "No corpus of this store holds an item")]
    [InlineData("x", """{"name":"a","author":"","items":[]}""", "author")]
    [InlineData("x/queue", """{"set":"nothing","author":"ada"}""", "nothing")]
    [InlineData("x/queue", """{"set":"../../etc","author":"ada"}""", "embedding set")]
    [InlineData("x/queue", """{"set":"eyes-mixed","author":"--store"}""", "hyphen")]
    [InlineData("x/queue", """{"set":"eyes-mixed","author":"ada","count":1000}""", "1 to 100")]
    [InlineData("x/answers", """{"items":["../x"],"answer":"skip","author":"ada"}""", "32 lower-case hex")]
    [InlineData("x/answers", """{"items":[],"answer":"defer","author":"ada","hours":-1}""", "hours")]
    public async Task What_is_wrong_is_said(string address, string body, string said)
    {
        using var response = await server.Client.PostAsync($"/api/v1/labels/{address}", new StringContent(body, System.Text.Encoding.UTF8, "application/json"));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(said, await response.Content.ReadAsStringAsync(), StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("/api/v1/labels/none")]
    [InlineData("/labels/queue?name=a/b&set=eyes-mixed")]
    [InlineData("/labels/queue?name=a&set=none")]
    public async Task What_is_not_there_is_not_found(string address) => Assert.Equal(HttpStatusCode.NotFound, (await server.Client.GetAsync(address)).StatusCode);
}
