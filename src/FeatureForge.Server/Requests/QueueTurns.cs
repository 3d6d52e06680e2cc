// Turns of a labelling queue, asked for in a process of their own: ranking reads all vectors of a set and runs LibTorch, and neither may weigh on the server.
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Jobs;
using FeatureForge.Labelling;

namespace FeatureForge.Server;

/// <summary>What to label next, through `featureforge label queue`. Thread-safe; one turn at a time is worked out.</summary>
public sealed class QueueTurns(Store store, WorkerCommand program) : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(5);
    private readonly SemaphoreSlim _one = new(1);

    /// <summary>The next items for one person, held for half an hour.</summary>
    /// <exception cref="BadRequestException">The request is wrong or does not fit the store.</exception>
    public async Task<QueueTurn> NextAsync(QueueSpec spec, string author, int count, CancellationToken stop)
    {
        BadRequestException.ThrowIfAny(spec.Problems());
        if (string.IsNullOrWhiteSpace(author) || author.StartsWith('-')) throw new BadRequestException("The queue needs to know who labels: give a name that does not begin with a hyphen.");
        if (count is < 1 or > 100) throw new BadRequestException($"Asked for {count} items; expected 1 to 100.");
        await _one.WaitAsync(stop);
        try { return await AskAsync(spec, author, count, stop); }
        finally { _one.Release(); }
    }

    private async Task<QueueTurn> AskAsync(QueueSpec spec, string author, int count, CancellationToken stop)
    {
        List<string> arguments = ["label", "queue", "--label-set", spec.LabelSet, "--set", spec.Set, "--level", spec.Level, "--author", author, "--count", count.ToString(CultureInfo.InvariantCulture), "--json", "--quiet"];
        if (spec.Clustering is not null) arguments.AddRange(["--clustering", spec.Clustering]);
        if (spec.Selection is not null) arguments.AddRange(["--selection", spec.Selection]);
        var start = program.On(store, arguments);
        using var process = Process.Start(start)!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(_patience);
        try
        {
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
            await process.WaitForExitAsync(limit.Token);
            if (process.ExitCode == 0) return JsonSerializer.Deserialize<QueueTurn>(await output, SpecJson.Strict)!;
            if (process.ExitCode == 2) throw new BadRequestException([.. (await errors).Split('\n', StringSplitOptions.RemoveEmptyEntries)]);
            throw new InvalidOperationException($"The queue's process ended with {process.ExitCode}: {await errors}");
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    public void Dispose() => _one.Dispose();
}
