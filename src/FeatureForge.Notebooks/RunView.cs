// A run as a card with a bar, and the list of runs as a table.
using System.Globalization;
using FeatureForge.Data;
using Microsoft.DotNet.Interactive.Formatting;

namespace FeatureForge.Notebooks;

/// <summary>One run at one moment. Shown as a card: state, progress, last error.</summary>
[TypeFormatterSource(typeof(RenderedSource<RunView>))]
public sealed record RunView(RunRow Run) : IRendered
{
    /// <inheritdoc/>
    public string ToHtml()
    {
        var progress = Run.Progress;
        var share = Run.State == RunState.Succeeded ? 1 : progress is { Total: > 0 } ? Math.Clamp((double)progress.Done / progress.Total, 0, 1) : 0;
        var line = progress is null ? "" : string.Create(CultureInfo.InvariantCulture, $" · {progress.Phase} {progress.Done}{(progress.Total > 0 ? $" of {progress.Total}" : "")} {progress.Unit}{(progress.PerSecond > 0 ? $" · {progress.PerSecond:0.#}/s" : "")}{(progress.EtaSeconds is { } eta ? $" · {eta:0} s left" : "")}");
        return $"<div><b>{Html.Text(Run.RunId)}</b> · {Html.Text(Run.State.ToString().ToLowerInvariant())}{Html.Text(line)}<br><progress max=\"1\" value=\"{share.ToString("0.###", CultureInfo.InvariantCulture)}\"></progress>{(Run.Error is { } error ? $"<div>{Html.Text(error)}</div>" : "")}</div>";
    }
}

/// <summary>Runs of a store, newest first. Shown as a table.</summary>
[TypeFormatterSource(typeof(RenderedSource<RunList>))]
public sealed record RunList(IReadOnlyList<RunRow> Runs) : IRendered
{
    /// <inheritdoc/>
    public string ToHtml() => Html.Table(["run", "kind", "state", "created", "error"], Runs.Select(run => (IReadOnlyList<object?>)[run.RunId, run.Kind.ToString().ToLowerInvariant(), run.State.ToString().ToLowerInvariant(), run.CreatedAt.ToString("u", CultureInfo.InvariantCulture), run.Error]));
}
