// The JSON API: what it lists, curves and map bytes, starting and watching runs, schedules, and how it says no.
using System.Net;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Server.Tests;

public sealed class ApiTests(FilledServer server) : IClassFixture<FilledServer>
{
    private static readonly string _trainMixed = """{"kind":"train","spec":{"corpus":"mixed","encoder":"fresh","steps":10}}""";

    [Theory]
    [InlineData("corpora", "mixed")]
    [InlineData("encoders", "eyes")]
    [InlineData("sets", "eyes-mixed")]
    [InlineData("clusterings", "groups")]
    public async Task Lists_name_what_the_store_holds(string kind, string name)
    {
        var list = await server.Client.GetFromJsonAsync<JsonElement>($"/api/v1/{kind}");

        Assert.Equal(name, Assert.Single(list.EnumerateArray()).GetProperty("name").GetString());
    }

    [Fact]
    public async Task Curves_line_up_with_their_steps()
    {
        var curves = await server.Client.GetFromJsonAsync<JsonElement>("/api/v1/encoders/eyes/metrics?names=loss,retrieval.high");

        var steps = curves.GetProperty("steps").GetArrayLength();
        Assert.Equal(61, steps);
        Assert.Equal(steps, curves.GetProperty("series").GetProperty("loss").GetArrayLength());
        Assert.Equal(7, curves.GetProperty("series").GetProperty("retrieval.high").EnumerateArray().Count(value => value.ValueKind == JsonValueKind.Number));
    }

    [Fact]
    public async Task Encoders_are_compared_by_one_number()
    {
        var one = await server.Client.GetFromJsonAsync<JsonElement>("/api/v1/encoders/eyes/metrics?names=retrieval.high");
        var compared = await server.Client.GetFromJsonAsync<JsonElement>("/api/v1/encoders/eyes/compare?metric=retrieval.high&with=eyes");

        Assert.Equal(one.GetProperty("series").GetProperty("retrieval.high").GetRawText(), compared.GetProperty("series").GetProperty("eyes").GetRawText());
        Assert.Equal(HttpStatusCode.NotFound, (await server.Client.GetAsync("/api/v1/encoders/eyes/compare?with=nothing")).StatusCode);
    }

    [Fact]
    public async Task What_would_bring_the_store_up_to_date_can_be_seen_before()
    {
        var plan = await server.Client.GetFromJsonAsync<JsonElement>("/api/v1/stale/plan");
        var page = await server.Client.GetStringAsync("/");

        var stage = plan.GetProperty("stages")[0];
        Assert.Equal(("extract-eyes-mixed", "extract", "eyes"), (stage.GetProperty("name").GetString(), stage.GetProperty("kind").GetString(), stage.GetProperty("spec").GetProperty("encoder").GetString()));
        Assert.Contains("Bring up to date</button>", page);
    }

    [Fact]
    public async Task A_map_is_three_numbers_a_point_with_its_leaf()
    {
        var bytes = await server.Client.GetByteArrayAsync("/api/v1/clusterings/groups/map");
        var clusters = await server.Client.GetFromJsonAsync<JsonElement>("/api/v1/clusterings/groups/clusters");

        Assert.Equal(SampleStore.MapPointCount * 12, bytes.Length);
        Assert.Empty(await server.Client.GetByteArrayAsync($"/api/v1/clusterings/groups/map?first={SampleStore.MapPointCount}"));
        Assert.Equal(12 * 3, (await server.Client.GetByteArrayAsync($"/api/v1/clusterings/groups/map?first={SampleStore.MapPointCount - 3}")).Length);
        Assert.Equal(HttpStatusCode.BadRequest, (await server.Client.GetAsync("/api/v1/clusterings/groups/map?first=-1")).StatusCode);
        var leaves = MemoryMarshal.Cast<byte, int>(bytes).ToArray().Where((_, index) => index % 3 == 2).ToList();
        Assert.Equal(-1, leaves[0]);
        Assert.Equal("c.1.0", clusters[leaves[1]].GetProperty("cluster_id").GetString());
    }

    [Fact]
    public async Task A_point_of_the_map_leads_to_its_item()
    {
        var point = await server.Client.GetFromJsonAsync<JsonElement>("/api/v1/clusterings/groups/map/5");

        Assert.Equal(server.Items[5].ItemId, point.GetProperty("item_id").GetString());
        Assert.Equal(server.Items[5].Path, point.GetProperty("path").GetString());
    }

    [Fact]
    public async Task Items_come_page_by_page_across_parts()
    {
        var page = await server.Client.GetFromJsonAsync<JsonElement>("/api/v1/corpora/mixed/items?first=20&count=8");

        Assert.Equal(server.Items.Skip(20).Take(8).Select(item => item.ItemId), page.EnumerateArray().Select(item => item.GetProperty("item_id").GetString()));
    }

    [Fact]
    public async Task Starting_a_run_queues_it_and_cancelling_stops_it()
    {
        var started = await PostAsync("/api/v1/runs", _trainMixed);
        var id = (await started.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("run_id").GetString()!;
        var queued = server.Ledger.Get(id).State;
        var cancelled = await PostAsync($"/api/v1/runs/{id}/cancel", "{}");

        Assert.Equal(HttpStatusCode.Created, started.StatusCode);
        Assert.Equal(RunState.Queued, queued);
        Assert.Equal(HttpStatusCode.OK, cancelled.StatusCode);
        Assert.Equal(RunState.Stopped, server.Ledger.Get(id).State);
    }

    [Fact]
    public async Task Callers_do_not_get_to_private_addresses_unless_the_server_was_started_so()
    {
        const string spec = """{"sources":["http://192.168.0.1/list.txt"],"corpus":"inside","remote":{"allow_private_addresses":true}}""";
        string[] requests = [$$"""{"kind":"ingest","spec":{{spec}} }""", $$"""{"name":"nightly","cron":"0 3 * * *","time_zone":"UTC","pipeline":{"name":"p","stages":[{"kind":"ingest","spec":{{spec}} }] } }"""];
        string[] paths = ["/api/v1/runs", "/api/v1/schedules"];

        for (var i = 0; i < requests.Length; i++)
        {
            var response = await PostAsync(paths[i], requests[i]);

            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Contains("private addresses", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Runs_that_match_are_cancelled_and_resumed_together_but_not_all_by_mistake()
    {
        for (var i = 0; i < 3; i++) server.Ledger.Create(new() { Kind = RunKind.Selftest, Spec = $$"""{"name":"bulk-{{i}}"}""" });

        var empty = await PostAsync("/api/v1/runs/cancel", "{}");
        var cancelled = await PostAsync("/api/v1/runs/cancel", """{"text":"bulk-","kind":"selftest"}""");
        var resumed = await PostAsync("/api/v1/runs/resume", """{"text":"bulk-"}""");
        await PostAsync("/api/v1/runs/cancel", """{"text":"bulk-"}""");

        Assert.Equal(HttpStatusCode.BadRequest, empty.StatusCode);
        Assert.Equal("""{"runs":3}""", await cancelled.Content.ReadAsStringAsync());
        Assert.Equal("""{"runs":3}""", await resumed.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_wrong_spec_is_refused_with_every_problem()
    {
        var response = await PostAsync("/api/v1/runs", """{"kind":"train","spec":{"corpus":"nothing","encoder":"a/b","minutes":-1,"device":"abacus"}}""");

        var problems = (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("problems");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.True(problems.GetArrayLength() >= 4, problems.ToString());
    }

    [Theory]
    [InlineData("/api/v1/runs", "{", "application/json")]
    [InlineData("/api/v1/runs", """{"kind":"dance","spec":{}}""", "application/json")]
    [InlineData("/api/v1/runs", """{"kind":"train","spec":{"corpus":"mixed","encoder":"x"}}""", "text/plain")]
    public async Task Malformed_requests_are_refused(string address, string body, string mediaType)
    {
        var response = await server.Client.PostAsync(address, new StringContent(body, Encoding.UTF8, mediaType));

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Theory]
    [InlineData("/api/v1/nothing")]
    [InlineData("/api/v1/corpora/nothing")]
    [InlineData("/api/v1/runs/nothing")]
    [InlineData("/api/v1/runs/nothing/events")]
    [InlineData("/api/v1/clusterings/groups/map/999999")]
    public async Task What_does_not_exist_is_a_problem_of_status_404(string address)
    {
        var response = await server.Client.GetAsync(address);

        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
    }

    [Theory]
    [InlineData("/api/v1/runs?state=failed", 1)]
    [InlineData("/api/v1/runs?kind=train&text=slow", 1)]
    [InlineData("/api/v1/runs?kind=map", 0)]
    public async Task Runs_are_found_by_state_kind_and_argument(string address, int expected)
    {
        var page = await server.Client.GetFromJsonAsync<JsonElement>(address);

        Assert.Equal(expected, page.GetProperty("total").GetInt32());
    }

    [Theory]
    [InlineData("/api/v1/runs?state=lost")]
    [InlineData("/api/v1/runs?take=100000")]
    [InlineData("/api/v1/runs?take=many")]
    [InlineData("/api/v1/corpora/mixed/items?modality=smell")]
    public async Task Wrong_parameters_are_a_problem_of_status_400(string address)
    {
        var response = await server.Client.GetAsync(address);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task Events_of_an_ended_run_tell_its_log_its_state_and_the_end()
    {
        var events = await server.Client.GetStringAsync($"/api/v1/runs/{server.Runs.Failed}/events");

        Assert.Contains("event: log", events);
        Assert.Contains("\"state\":\"failed\"", events);
        Assert.EndsWith("event: end\ndata: \"failed\"\n\n", events);
    }

    [Fact]
    public async Task Events_of_a_run_at_work_go_on_with_what_is_new()
    {
        using var response = await server.Client.GetAsync($"/api/v1/runs/{server.Runs.Running}/events", HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        await ReadUntilAsync(reader, "\"percent\":\"30\"");

        server.Ledger.Journal.AddLog(server.Runs.Running, ("information", "A line that came later."));

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        Assert.Contains("A line that came later.", await ReadUntilAsync(reader, "later"));
    }

    [Fact]
    public async Task A_schedule_is_kept_listed_and_deleted()
    {
        var created = await PostAsync("/api/v1/schedules", """
            {"name":"nightly","cron":"0 3 * * *","time_zone":"UTC","pipeline":{"name":"nightly","stages":[{"kind":"train","spec":{"corpus":"mixed","encoder":"nightly","minutes":5}}]}}
            """);
        var id = (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("schedule_id").GetString();
        var listed = await server.Client.GetStringAsync("/api/v1/schedules");
        var missed = await server.Client.GetFromJsonAsync<JsonElement>($"/api/v1/schedules/{id}/missed?since=2026-01-01T00:00:00Z");
        var ran = await PostAsync($"/api/v1/schedules/{id}/run", "{}");
        var pipeline = await ran.Content.ReadFromJsonAsync<JsonElement>();
        foreach (var run in pipeline.GetProperty("runs").EnumerateArray()) server.Ledger.RequestCancel(run.GetProperty("run_id").GetString()!);
        var deleted = await server.Client.DeleteAsync($"/api/v1/schedules/{id}");

        Assert.Equal((0, "train"), (missed.GetProperty("count").GetInt32(), missed.GetProperty("stages")[0].GetProperty("name").GetString()));
        Assert.Equal((HttpStatusCode.Created, id), (ran.StatusCode, pipeline.GetProperty("schedule_id").GetString()));
        Assert.Equal(HttpStatusCode.NotFound, (await server.Client.GetAsync($"/api/v1/schedules/{id}/missed")).StatusCode);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Contains(id!, listed);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Null(server.Ledger.Schedules.Find(id!));
    }

    private Task<HttpResponseMessage> PostAsync(string address, string json) => server.Client.PostAsync(address, new StringContent(json, Encoding.UTF8, "application/json"));

    private static async Task<string> ReadUntilAsync(StreamReader reader, string expected)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await reader.ReadLineAsync(limit.Token) is { } line)
            if (line.Contains(expected, StringComparison.Ordinal)) return line;
        throw new EndOfStreamException($"The stream ended without '{expected}'.");
    }
}
