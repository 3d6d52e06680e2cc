// The overview: what there is, what runs, what failed, what is out of date, and what the machine has left.
using FeatureForge.Data;
using FeatureForge.Jobs;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace FeatureForge.Server.Pages;

public sealed class IndexModel(Store store, RunLedger ledger, RunDesk desk, JobWakeUp jobs, TimeProvider time) : PageModel
{
    public string StorePath => store.Address;
    public IReadOnlyList<CorpusManifest> Corpora { get; private set; } = [];
    public IReadOnlyList<EncoderManifest> Encoders { get; private set; } = [];
    public IReadOnlyList<SetManifest> Sets { get; private set; } = [];
    public IReadOnlyList<ClusteringManifest> Clusterings { get; private set; } = [];
    public IReadOnlyList<StaleThing> Stale { get; private set; } = [];
    /// <summary>The runs that bring what is stale up to date.</summary>
    public RefreshPlan Plan { get; private set; } = null!;
    public RunLines Active { get; private set; } = null!;
    public RunLines Failed { get; private set; } = null!;
    public MachineFacts Machine { get; private set; } = null!;
    /// <summary>Money spent in the last 30 days by kind of run, most first.</summary>
    public IReadOnlyList<(string Kind, double Cost)> Costs { get; private set; } = [];
    public string Currency { get; private set; } = "";
    public bool IsEmpty => Corpora.Count + Encoders.Count + Sets.Count + Clusterings.Count == 0;

    public void OnGet()
    {
        (Corpora, Encoders, Sets, Clusterings) = (store.Corpora(), store.Encoders(), store.Sets(), store.Clusterings());
        Stale = Staleness.Find(store);
        Plan = Stale.Count == 0 ? RefreshPlan.Nothing : RefreshPlan.Of(store);
        Active = ReadActive();
        Failed = new(ledger.List(new() { State = RunState.Failed, Take = 5 }).Runs, "No run has failed.");
        Machine = MachineFacts.Read(store.Root);
        Costs = [.. ledger.CostsSince(time.GetUtcNow().AddDays(-30)).OrderByDescending(one => one.Value).Select(one => (one.Key.ToString().ToLowerInvariant(), one.Value))];
        Currency = PriceTable.OrUsual(store).Currency;
    }

    /// <summary>Asks for what is missing.</summary>
    public IActionResult OnPostRefresh()
    {
        if (RefreshPlan.Of(store).ToPipeline() is { } pipeline)
        {
            desk.Submit(pipeline);
            jobs.Wake();
        }
        return RedirectToPage("/Runs/Index");
    }

    /// <summary>The list of running runs alone; the page asks for it every two seconds.</summary>
    public PartialViewResult OnGetRunning() => Partial("_RunLines", ReadActive());

    private RunLines ReadActive() => new(
    [
        .. ledger.List(new() { State = RunState.Running, Take = 10 }).Runs,
        .. ledger.List(new() { State = RunState.Queued, Take = 5 }).Runs,
    ], "Nothing runs.");
}
