// The form that asks for jobs: what it accepts, what it says when something is wrong, and the schedules it keeps.
using System.Net;
using System.Text.RegularExpressions;
using FeatureForge.Data;

namespace FeatureForge.Server.Tests;

public sealed partial class FormTests(FilledServer server) : IClassFixture<FilledServer>
{
    [Fact]
    public async Task Asking_for_a_job_now_queues_a_run_and_leads_to_its_page()
    {
        var response = await PostAsync("/schedules", "/schedules?stage=train", ("stage", "train"), ("when", "now"), ("corpus", "mixed"), ("encoder", "formed"), ("minutes", "2.5"));

        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        var run = server.Ledger.Get(response.Headers.Location!.ToString()["/runs/".Length..]);
        Assert.Equal(RunKind.Train, run.Kind);
        Assert.Contains("\"minutes\":2.5", run.Spec);
    }

    [Fact]
    public async Task Asking_by_cron_keeps_a_schedule_that_can_be_paused_and_deleted()
    {
        var kept = await PostAsync("/schedules", "/schedules", ("stage", "train"), ("when", "cron"), ("name", "weekly"), ("cron", "30 4 * * 1"), ("time_zone", "UTC"), ("corpus", "mixed"), ("encoder", "weekly"), ("minutes", "5"));
        var schedule = Assert.Single(server.Ledger.Schedules.List(), one => one.Name == "weekly");
        await PostAsync($"/schedules?handler=Enable&id={schedule.ScheduleId}&enabled=false", "/schedules");
        var paused = server.Ledger.Schedules.Get(schedule.ScheduleId);
        var missed = await server.Client.GetStringAsync($"/schedules?handler=Missed&id={schedule.ScheduleId}");
        var ran = await PostAsync($"/schedules?handler=Run&id={schedule.ScheduleId}", "/schedules");
        server.Ledger.RequestCancel(new RunFilter { ScheduleId = schedule.ScheduleId });
        await PostAsync($"/schedules?handler=Delete&id={schedule.ScheduleId}", "/schedules");

        Assert.Equal(HttpStatusCode.Redirect, kept.StatusCode);
        Assert.Equal((4, 30), (schedule.NextAt!.Value.UtcDateTime.Hour, schedule.NextAt.Value.UtcDateTime.Minute));
        Assert.False(paused.Enabled);
        Assert.Contains("It has run at every time since", missed);
        Assert.StartsWith("/runs/", ran.Headers.Location!.ToString());
        Assert.Null(server.Ledger.Schedules.Find(schedule.ScheduleId));
    }

    [Fact]
    public async Task A_job_at_one_time_is_kept_in_the_time_zone_that_was_chosen()
    {
        await PostAsync("/schedules", "/schedules", ("stage", "train"), ("when", "once"), ("name", "tomorrow"), ("at", "2031-02-03T04:05"), ("time_zone", "UTC"), ("corpus", "mixed"), ("encoder", "once"), ("steps", "5"));

        var schedule = Assert.Single(server.Ledger.Schedules.List(), one => one.Name == "tomorrow");
        Assert.Equal(new DateTimeOffset(2031, 2, 3, 4, 5, 0, TimeSpan.Zero), schedule.NextAt);
    }

    [Fact]
    public async Task Everything_wrong_with_a_form_is_said_at_once_and_what_was_entered_stays()
    {
        var response = await PostAsync("/schedules", "/schedules", ("stage", "train"), ("when", "cron"), ("name", ""), ("cron", "whenever"), ("time_zone", "Nowhere"), ("corpus", "mixed"), ("encoder", "a/b"), ("minutes", "many"));

        var page = await response.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        foreach (var problem in new[] { "needs a name", "is no cron expression", "Nowhere", "a/b", "is no number" }) Assert.Contains(problem, page);
        Assert.Contains("value=\"many\"", page);
    }

    [Fact]
    public async Task Items_of_a_condition_are_kept_as_a_selection_and_quarantined_files_tried_again()
    {
        var kept = await PostAsync("/selections?handler=Create", "/selections?corpus=mixed&where=modality%20%3D%20'text'", ("corpus", "mixed"), ("where", "modality = 'text'"), ("name", "readable"));
        var again = await PostAsync("/selections?handler=Create", "/selections?corpus=mixed&where=modality%20%3D%20'text'", ("corpus", "mixed"), ("where", "modality = 'text'"), ("name", "readable"));
        var removed = await PostAsync("/selections?handler=Remove", "/selections", ("name", "readable"));
        var tried = await PostAsync("/corpora/mixed?handler=Retry", "/corpora/mixed?view=quarantine", ("code", "unknown_charset"));

        Assert.Equal((HttpStatusCode.Redirect, "/corpora/mixed?where=selection%20%3D%20%27readable%27"), (kept.StatusCode, kept.Headers.Location!.ToString()));
        Assert.Contains("exists already (12 items)", await again.Content.ReadAsStringAsync());
        Assert.Equal(HttpStatusCode.Redirect, removed.StatusCode);
        Assert.Empty(server.Store.Selections());
        Assert.Equal(RunKind.Ingest, server.Ledger.Get(tried.Headers.Location!.ToString()["/runs/".Length..]).Kind);
    }

    [Fact]
    public async Task Changes_to_a_cluster_become_runs_and_labels_of_it_are_given_at_once()
    {
        // This server performs no runs, so the page leads to the run.
        var renamed = await PostAsync("/clusterings/groups?handler=Rename&cluster=c.1.0", "/clusterings/groups?cluster=c.1.0", ("newName", "harbour scenes"));
        var labelled = await PostAsync("/clusterings/groups?handler=Label&cluster=c.1.0", "/clusterings/groups?cluster=c.1.0", ("labelSet", "places"), ("newName", "harbour"));
        var refused = await PostAsync("/clusterings/groups?handler=Label&cluster=c.1.0", "/clusterings/groups?cluster=c.1.0", ("labelSet", "no/name"), ("newName", ""));
        var missing = await PostAsync("/clusterings/groups?handler=Split&cluster=nothing", "/clusterings/groups?cluster=c.1.0", ("parts", "2"));

        var run = server.Ledger.Get(renamed.Headers.Location!.ToString()["/runs/".Length..]);
        Assert.Equal(RunKind.Edit, run.Kind);
        Assert.Contains("harbour scenes", run.Spec);
        Assert.Equal(HttpStatusCode.Redirect, labelled.StatusCode);
        var label = Assert.Single((await LabelLog.Existing(server.Store, "places").ReadAsync(default)).Active);
        Assert.Equal((LabelTarget.Cluster, "c.1.0", "harbour"), (label.Target, label.TargetId, label.Name));
        Assert.Equal((HttpStatusCode.UnprocessableEntity, HttpStatusCode.NotFound), (refused.StatusCode, missing.StatusCode));
        Assert.Contains("Nothing was changed", await refused.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task The_next_five_firings_are_shown()
    {
        var list = await server.Client.GetStringAsync("/schedules?handler=Firings&cron=0+3+*+*+*&time_zone=UTC");

        Assert.Equal(5, list.Split("03:00").Length - 1);
    }

    [Theory]
    [InlineData("ingest", "sources")]
    [InlineData("train", "minutes")]
    [InlineData("extract", "levels")]
    [InlineData("cluster", "method")]
    [InlineData("map", "clustering")]
    public async Task Every_stage_has_its_fields(string stage, string field)
    {
        var fields = await server.Client.GetStringAsync($"/schedules?handler=Fields&stage={stage}");

        Assert.Contains($"name=\"{field}\"", fields);
    }

    [Fact]
    public async Task All_runs_that_match_a_filter_are_stopped_and_resumed_together()
    {
        for (var i = 0; i < 3; i++) server.Ledger.Create(new() { Kind = RunKind.Selftest, Spec = $$"""{"name":"together-{{i}}"}""" });

        await PostAsync("/runs?handler=CancelAll&text=together-", "/runs?text=together-");
        var stopped = server.Ledger.List(new() { Text = "together-", State = RunState.Stopped }).Total;
        await PostAsync("/runs?handler=ResumeAll&text=together-", "/runs?text=together-");
        var queued = server.Ledger.List(new() { Text = "together-", State = RunState.Queued }).Total;
        server.Ledger.RequestCancel(new RunFilter { Text = "together-" });

        Assert.Equal((3, 3), (stopped, queued));
        Assert.DoesNotContain("handler=CancelAll", await server.Client.GetStringAsync("/runs"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_buttons_of_a_run_stop_it_and_resume_it()
    {
        var run = server.Ledger.Create(new() { Kind = RunKind.Selftest, Spec = """{"name":"buttons"}""" });
        await PostAsync($"/runs/{run.RunId}?handler=Cancel", $"/runs/{run.RunId}");
        var stopped = server.Ledger.Get(run.RunId).State;
        await PostAsync($"/runs/{run.RunId}?handler=Resume", $"/runs/{run.RunId}");

        Assert.Equal(RunState.Stopped, stopped);
        Assert.Equal(RunState.Queued, server.Ledger.Get(run.RunId).State);
    }

    private async Task<HttpResponseMessage> PostAsync(string address, string formPage, params (string Name, string Value)[] fields)
    {
        var page = await server.Client.GetStringAsync(formPage);
        var token = Token().Match(page).Groups[1].Value;
        return await server.Client.PostAsync(address, new FormUrlEncodedContent(
            [new("__RequestVerificationToken", token), .. fields.Select(field => new KeyValuePair<string, string>(field.Name, field.Value))]));
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\" type=\"hidden\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
