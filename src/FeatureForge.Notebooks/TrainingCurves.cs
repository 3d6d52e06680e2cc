// Numbers over the steps of a training run.
using FeatureForge.Data;
using Microsoft.Data.Analysis;
using Microsoft.DotNet.Interactive.Formatting;

namespace FeatureForge.Notebooks;

/// <summary>Metrics of one encoder's training. Shown as one plot per family of names: loss, retrieval, rankme_ratio …</summary>
[TypeFormatterSource(typeof(RenderedSource<TrainingCurves>))]
public sealed class TrainingCurves : IRendered
{
    internal TrainingCurves(string title, IReadOnlyList<MetricRow> rows) => (Title, Rows) = (title, rows);

    /// <summary>Whose numbers these are.</summary>
    public string Title { get; }
    /// <summary>All numbers.</summary>
    public IReadOnlyList<MetricRow> Rows { get; }

    /// <summary>Only names that begin with one of these.</summary>
    public TrainingCurves Only(params string[] prefixes) => new(Title, [.. Rows.Where(row => prefixes.Any(prefix => row.Name.StartsWith(prefix, StringComparison.Ordinal)))]);

    /// <summary>One row per number: step, name, value. Also an IDataView.</summary>
    public DataFrame ToDataFrame() => new(
        new Int64DataFrameColumn("step", Rows.Select(row => row.Step)),
        new StringDataFrameColumn("name", Rows.Select(row => row.Name)),
        new DoubleDataFrameColumn("value", Rows.Select(row => row.Value)));

    /// <inheritdoc/>
    public string ToHtml() => $"<div><b>{Html.Text(Title)}</b></div>" + string.Concat(Rows.Where(row => double.IsFinite(row.Value))
        .GroupBy(row => row.Name.Split('.')[0]).OrderBy(family => family.Key, StringComparer.Ordinal).Select(family => $"<div>{Html.Text(family.Key)}{Plot.Lines(LinesOf(family))}</div>"));

    private static List<(string, IReadOnlyList<(double, double)>)> LinesOf(IEnumerable<MetricRow> family) =>
        [.. family.GroupBy(row => row.Name).OrderBy(line => line.Key, StringComparer.Ordinal).Select(line => (line.Key, (IReadOnlyList<(double, double)>)[.. line.OrderBy(row => row.Step).Select(row => ((double)row.Step, row.Value))]))];
}
