// Watching runs of a store that some server or terminal works on: one card that is brought up to date until the run has ended.
using FeatureForge.Data;

namespace FeatureForge.Notebooks;

/// <summary>Runs of a store.</summary>
public static class RunFollowing
{
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(500);

    /// <summary>The newest runs.</summary>
    public static RunList Runs(this Store store, int take = 20)
    {
        using var ledger = RunLedger.Open(store, TimeProvider.System);
        return new(ledger.List(new() { Take = take }).Runs);
    }

    /// <summary>Shows the run and keeps the card up to date until it has succeeded, failed or been stopped.</summary>
    /// <returns>The run as it ended.</returns>
    /// <exception cref="BadRequestException">There is no such run.</exception>
    public static async Task<RunRow> FollowAsync(this Store store, string runId, CancellationToken stop = default)
    {
        using var ledger = RunLedger.Open(store, TimeProvider.System);
        return await FollowAsync(() => Task.FromResult(ledger.Get(runId)), stop);
    }

    internal static async Task<RunRow> FollowAsync(Func<Task<RunRow>> look, CancellationToken stop)
    {
        var run = await look();
        var card = new RunView(run).Display();
        while (!run.IsEnded)
        {
            await Task.Delay(_look, stop);
            run = await look();
            card.Update(new RunView(run));
        }
        return run;
    }
}
