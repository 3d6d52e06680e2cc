// Asking for runs: one form for every stage, once now, once at a time, or by cron; and the schedules that are kept.
using System.Globalization;
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Jobs;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Primitives;

namespace FeatureForge.Server.Pages.Schedules;

/// <summary>What the _Field partial shows.</summary>
public sealed record EnteredField(StageField Field, IReadOnlyList<string> Values);

public sealed class IndexModel(Store store, RunLedger ledger, RunDesk desk, JobWakeUp jobs, TimeProvider time) : PageModel
{
    private Func<string, StringValues> _entered = _ => StringValues.Empty;

    public IReadOnlyList<StageForm> Forms { get; private set; } = [];
    public StageForm Form { get; private set; } = null!;
    /// <summary>now, once or cron.</summary>
    public string When { get; private set; } = "now";
    public IReadOnlyList<string> Problems { get; private set; } = [];
    public IReadOnlyList<ScheduleRow> Schedules { get; private set; } = [];
    /// <summary>The name of a schedule that was just kept.</summary>
    public string? Kept { get; private set; }
    public IEnumerable<string> TimeZones => TimeZoneInfo.GetSystemTimeZones().Select(zone => zone.Id).Append("UTC").Distinct().Order(StringComparer.Ordinal);

    public string Entered(string name) => _entered(name).ToString();

    /// <summary>What was entered for the field, else its default.</summary>
    public IReadOnlyList<string> EnteredFor(StageField field)
    {
        var entered = _entered(field.Name);
        if (entered.Count > 0) return [.. entered.OfType<string>()];
        if (field.Default.Length == 0) return [];
        return field.Kind == FieldKind.Choices ? field.Default.Split(',') : [field.Default];
    }

    public void OnGet(string? stage, string? kept)
    {
        Prepare(stage, name => Request.Query[name]);
        Kept = kept;
    }

    public PartialViewResult OnGetFields(string? stage)
    {
        Prepare(stage, _ => StringValues.Empty);
        return Partial("_Fields", this);
    }

    /// <summary>The next five times of a cron expression, or what is wrong with it.</summary>
    public PartialViewResult OnGetFirings(string? cron, [FromQuery(Name = "time_zone")] string? timeZone)
    {
        var request = new ScheduleRequest { Name = "preview", Pipeline = new() { Stages = [] }, Cron = cron ?? "", TimeZone = timeZone ?? "UTC" };
        if (ScheduleClock.Problems(request) is { Count: > 0 } problems) return Partial("_Firings", problems);
        var zone = TimeZoneInfo.FindSystemTimeZoneById(request.TimeZone);
        var firings = new List<string>();
        DateTimeOffset? next = time.GetUtcNow();
        while (firings.Count < 5 && (next = ScheduleClock.Next(request.Cron, request.TimeZone, next.Value)) != null)
            firings.Add(TimeZoneInfo.ConvertTime(next.Value, zone).ToString("ddd yyyy-MM-dd HH:mm zzz", CultureInfo.InvariantCulture));
        return Partial("_Firings", (IReadOnlyList<string>)firings);
    }

    public IActionResult OnPost(string? stage)
    {
        Prepare(stage, name => Request.Form[name]);
        var problems = new List<string>();
        var spec = Form.ToSpec(_entered, problems);
        var schedule = When == "now" ? null : ReadSchedule(spec, problems);
        problems.AddRange(SpecProblems(spec));
        if (problems.Count == 0)
        {
            try
            {
                if (schedule == null)
                {
                    var ticket = desk.Submit(Form.Kind, spec);
                    jobs.Wake();
                    return Redirect($"/runs/{ticket.Run.RunId}");
                }
                return RedirectToPage(new { kept = desk.Schedule(schedule).Name });
            }
            catch (BadRequestException error) { problems.AddRange(error.Problems); }
        }
        Problems = problems;
        Response.StatusCode = 422;
        return Page();
    }

    public IActionResult OnPostEnable(string id, bool enabled)
    {
        if (ledger.Schedules.Find(id) == null) return NotFound();
        desk.SetScheduleEnabled(id, enabled);
        jobs.Wake();
        return RedirectToPage();
    }

    /// <summary>What a schedule did not do, and what a run now would.</summary>
    public IActionResult OnGetMissed(string id) => ledger.Schedules.Find(id) == null ? NotFound() : Partial("_Missed", desk.Missed(id, null));

    public IActionResult OnPostRun(string id)
    {
        if (ledger.Schedules.Find(id) == null) return NotFound();
        var pipeline = desk.RunSchedule(id).Pipeline;
        jobs.Wake();
        return Redirect($"/runs/{pipeline.Runs[0].RunId}");
    }

    public IActionResult OnPostDelete(string id)
    {
        if (ledger.Schedules.Find(id) == null) return NotFound();
        ledger.Schedules.Delete(id);
        return RedirectToPage();
    }

    private void Prepare(string? stage, Func<string, StringValues> entered)
    {
        Forms = StageForm.All(store);
        Form = Forms.FirstOrDefault(form => form.Kind.ToString().Equals(stage, StringComparison.OrdinalIgnoreCase)) ?? Forms[0];
        _entered = entered;
        When = Entered("when") is "once" or "cron" ? Entered("when") : "now";
        Schedules = ledger.Schedules.List();
    }

    private ScheduleRequest ReadSchedule(JsonElement spec, List<string> problems)
    {
        var zoneName = Entered("time_zone");
        DateTimeOffset? at = null;
        if (When == "once" && DateTime.TryParse(Entered("at"), CultureInfo.InvariantCulture, DateTimeStyles.None, out var local) && TimeZoneInfo.TryFindSystemTimeZoneById(zoneName, out var zone))
            at = new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUniversalTime();
        var request = new ScheduleRequest
        {
            Name = Entered("name").Trim(),
            Pipeline = RunDesk.Single(Form.Kind, spec),
            Cron = When == "cron" ? Entered("cron").Trim() : null,
            OnceAt = at,
            TimeZone = zoneName,
        };
        problems.AddRange(ScheduleClock.Problems(request));
        return request;
    }

    private IReadOnlyList<string> SpecProblems(JsonElement spec)
    {
        try
        {
            var stage = Stage.Of(Form.Kind);
            var normal = stage.Normalise(spec);
            return [.. stage.Problems(normal), .. When == "now" ? stage.StoreProblems(normal, store) : []];
        }
        catch (BadRequestException error) { return error.Problems; }
    }
}
