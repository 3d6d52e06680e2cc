// Search through the API and its page, by items of the set: vectors are there, no encoder is needed.
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using FeatureForge.Clustering;
using FeatureForge.Data;

namespace FeatureForge.Server.Tests;

public sealed class SearchTests(FilledServer server) : IClassFixture<FilledServer>
{
    private async Task<(HttpStatusCode Status, JsonElement Answer)> FindAsync(object request, string set = "eyes-mixed")
    {
        using var response = await server.Client.PostAsJsonAsync($"/api/v1/sets/{set}/search", request);
        return (response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>());
    }

    private string SomeItem => server.ItemOf(Modality.Image).ItemId;

    [Fact]
    public async Task Answers_are_those_of_the_command_line()
    {
        var (status, answer) = await FindAsync(new { item = SomeItem, top = 3 });
        var query = SetSearch.VectorOf(server.Store, "eyes-mixed", Level.High, Grain.Item, SomeItem);
        var expected = SetSearch.Of(server.Store, "eyes-mixed", Level.High, Grain.Item, query, 4).Hits.Where(hit => hit.ItemId != SomeItem).Take(3).ToList();

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(expected.Select(hit => hit.ItemId), answer.GetProperty("neighbours").EnumerateArray().Select(hit => hit.GetProperty("item_id").GetString()));
        Assert.Equal(expected.Select(hit => hit.Distance), answer.GetProperty("neighbours").EnumerateArray().Select(hit => hit.GetProperty("distance").GetSingle()));
        Assert.Equal(1, answer.GetProperty("recall").GetDouble());
    }

    [Fact]
    public async Task Only_items_that_fulfil_the_condition_are_found()
    {
        var (_, all) = await FindAsync(new { item = SomeItem, top = 1000 });
        var first = all.GetProperty("neighbours")[0].GetProperty("item_id").GetString();
        var (status, rest) = await FindAsync(new { item = SomeItem, top = 1000, where = $"item_id != '{first}'" });

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(all.GetProperty("neighbours").GetArrayLength() - 1, rest.GetProperty("neighbours").GetArrayLength());
    }

    [Fact]
    public async Task Wrong_questions_are_told_what_is_wrong()
    {
        Assert.Equal(HttpStatusCode.NotFound, (await FindAsync(new { item = SomeItem }, "nothing")).Status);
        foreach (var (request, said) in new (object, string)[]
        {
            (new { }, "exactly one"), (new { item = SomeItem, text = "a" }, "exactly one"), (new { item = new string('0', 32) }, "no vector of item"), (new { item = SomeItem, top = 0 }, "1 to 1000"),
            (new { item = SomeItem, level = "deep" }, "no vectors of level deep"), (new { item = SomeItem, where = "width >" }, "where"), (new { text = "a dog" }, "a text finds nothing"),
        })
        {
            var (status, answer) = await FindAsync(request);
            Assert.Equal(HttpStatusCode.BadRequest, status);
            Assert.Contains(said, answer.GetProperty("detail").GetString() + string.Join(' ', answer.GetProperty("problems").EnumerateArray()));
        }
    }

    [Fact]
    public async Task The_page_shows_what_was_found_and_leads_on()
    {
        var page = await server.Client.GetStringAsync($"/search?set=eyes-mixed&item={SomeItem}");
        var wrong = await server.Client.GetAsync($"/search?set=eyes-mixed&item={new string('0', 32)}");

        Assert.Contains("recall 100.0 %", page);
        Assert.Contains("like this", page);
        Assert.Contains($"/corpora/mixed/items/{SomeItem}", page);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
        Assert.Contains("Nothing was searched", await wrong.Content.ReadAsStringAsync());
    }
}
