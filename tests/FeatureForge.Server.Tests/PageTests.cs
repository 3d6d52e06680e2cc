// Every page answers, on an empty store and on a filled one, with what it is there to show.
using System.Net;
using FeatureForge.Data;

namespace FeatureForge.Server.Tests;

public sealed class EmptyStorePageTests(RunningServer server) : IClassFixture<RunningServer>
{
    [Theory]
    [InlineData("/", "Start here")]
    [InlineData("/corpora", "There is no corpus yet")]
    [InlineData("/selections", "There is none yet")]
    [InlineData("/encoders", "There is no encoder yet")]
    [InlineData("/sets", "There is no embedding set yet")]
    [InlineData("/clusterings", "There is no clustering yet")]
    [InlineData("/runs", "Nothing has run yet")]
    [InlineData("/schedules", "New job")]
    [InlineData("/hangfire", "Hangfire")]
    [InlineData("/healthz", "ok")]
    public async Task Every_page_answers_on_an_empty_store(string address, string expected)
    {
        var response = await server.Client.GetAsync(address);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains(expected, await response.Content.ReadAsStringAsync());
    }
}

public sealed class FilledStorePageTests(FilledServer server) : IClassFixture<FilledServer>
{
    [Theory]
    [InlineData("/", "Covers version 1 of corpus mixed, which is now at version 2.")]
    [InlineData("/", "train: 60 of 200 steps")]
    [InlineData("/", "The loss is not finite at step 61")]
    [InlineData("/corpora", "2 in quarantine")]
    [InlineData("/corpora/mixed", "shapes/shape-00.png")]
    [InlineData("/corpora/mixed?view=audio", "tones/tone-03.wav")]
    [InlineData("/corpora/mixed?view=text", "Report 3 from the theatre.")]
    [InlineData("/corpora/mixed?view=audio", "placeholder=\"duration_ms &lt; 1000")]
    [InlineData("/corpora/mixed?view=text", "placeholder=\"characters &gt; 100")]
    [InlineData("/corpora/mixed?view=quarantine", "unknown_charset")]
    [InlineData("/corpora/mixed?where=path%20like%20'shapes%25'", "24 items. ")]
    [InlineData("/corpora/mixed?where=nonsense%20%3E%203", "&#x27;nonsense&#x27; is no column")]
    [InlineData("/selections?corpus=mixed&where=width%20%3E%2010", "24 items")]
    [InlineData("/corpora/mixed?view=quarantine", "broken/&lt;script&gt;.txt")]
    [InlineData("/corpora/mixed?view=about", "32 &#xD7; 32 pixels")]
    [InlineData("/encoders", "1,234,567")]
    [InlineData("/encoders/eyes", "View retrieval")]
    [InlineData("/encoders/eyes/compare", "There is no other encoder of image items.")]
    [InlineData("/encoders/eyes/compare?with=eyes", "rankme ratio")]
    [InlineData("/sets", "stale")]
    [InlineData("/sets/eyes-mixed", "vector::FLOAT[4]")]
    [InlineData("/clusterings", "12 leaves")]
    [InlineData("/clusterings/groups", "harbour")]
    [InlineData("/clusterings/groups?cluster=c.2.1", "engine b")]
    [InlineData("/clusterings/groups/map", "Map of 3,000 vectors")]
    [InlineData("/clusterings/groups/map", "placeholder=\"width &gt; 100")]
    [InlineData("/search?set=eyes-mixed", "for instance width &gt; 100")]
    [InlineData("/runs", "train slow")]
    [InlineData("/runs?state=failed", "train broken")]
    [InlineData("/runs?handler=List&state=running", "train slow")]
    [InlineData("/schedules?stage=train&corpus=mixed", "Continue from")]
    public async Task Every_page_shows_what_the_store_holds(string address, string expected)
    {
        var response = await server.Client.GetAsync(address);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains(expected, await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task The_pages_of_an_item_and_of_a_run_answer()
    {
        var item = await server.Client.GetStringAsync($"/corpora/mixed/items/{server.ItemOf(Modality.Audio).ItemId}");
        var run = await server.Client.GetStringAsync($"/runs/{server.Runs.Failed}");

        Assert.Contains("<audio controls", item);
        Assert.Contains("warning: The learning rate is &lt;high&gt;.", run);
    }

    [Theory]
    [InlineData("/encoders/nothing/compare")]
    [InlineData("/encoders/eyes/compare?with=nothing")]
    [InlineData("/encoders/eyes/compare?with=..%2fsecret")]
    [InlineData("/corpora/nothing")]
    [InlineData("/corpora/..%2f..%2fetc")]
    [InlineData("/corpora/mixed/items/xyz")]
    [InlineData("/corpora/mixed/items/00000000000000000000000000000000")]
    [InlineData("/corpora/mixed?view=smell")]
    [InlineData("/clusterings/groups?cluster=none")]
    [InlineData("/clusterings/nothing/map")]
    [InlineData("/encoders/nothing")]
    [InlineData("/runs/20260101-000000-train-00000000")]
    [InlineData("/runs/a%2fb")]
    public async Task What_does_not_exist_is_not_found(string address)
    {
        var response = await server.Client.GetAsync(address);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains("Not found", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_list_that_is_filtered_by_text_finds_runs_by_argument()
    {
        var page = await server.Client.GetStringAsync("/runs?text=broken");

        Assert.Contains("train broken", page);
        Assert.DoesNotContain("train slow", page);
    }
}
