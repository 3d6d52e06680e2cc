// Turns token vectors of windows into rows of spans. A span may reach over several windows: its sums are carried on, so memory
// depends on the windows of a batch and on finished rows, not on a document's length.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>The spans of one document at one grain: where each begins among the tokens, and what every token weighs in its raw vector.</summary>
internal sealed record GrainSpans(IReadOnlyList<TextSpan> Spans, int[] First, float[] Weights)
{
    public static GrainSpans Of(TextDocument document, Grain grain, Func<ReadOnlySpan<int>, float[]> weigh)
    {
        var spans = TextSpans.Of(document, grain).ToList();
        var (first, weights) = (new int[spans.Count], new float[document.Numbers.Length]);
        for (int s = 0, at = 0; s < spans.Count; at += spans[s++].Tokens.Length)
        {
            first[s] = at;
            weigh(spans[s].Tokens.Span).CopyTo(weights.AsSpan(at));
        }
        return new(spans, first, weights);
    }

    /// <summary>Which span a token is in.</summary>
    public int SpanOf(int token) => Array.BinarySearch(First, token) is var found && found >= 0 ? found : ~found - 1;
}

/// <summary>A window of a document, with the spans of all grains.</summary>
internal sealed record DocumentWindow(TextDocument Document, IReadOnlyDictionary<Grain, GrainSpans> Spans, TokenWindow Window);

/// <summary>Collects the rows of every (level, grain).</summary>
internal sealed class TokenCollector
{
    /// <summary>The span that the next tokens may still belong to.</summary>
    private sealed class Open
    {
        public TextSpan Span;
        public int Tokens;
        public readonly Dictionary<string, double[]> Sums = [];
    }

    private sealed class Rows
    {
        public readonly List<TextSpan> Spans = [];
        public readonly List<float> Values = [];
    }

    private readonly Dictionary<string, (float[] Mean, float[] Deviation)> _scale;
    private readonly Dictionary<(string Level, Grain Grain), Rows> _rows = [];
    private readonly Dictionary<Grain, Open> _open = [];
    private readonly IReadOnlyList<string> _levels;

    public TokenCollector(LevelScale scale, IReadOnlyList<string> levels, IReadOnlyList<Grain> grains)
    {
        _levels = levels;
        _scale = levels.ToDictionary(level => level, level => (HostCopies.ToArray<float>(scale.Mean(level)), HostCopies.ToArray<float>(scale.Deviation(level))));
        foreach (var level in levels)
            foreach (var grain in grains) _rows[(level, grain)] = new();
    }

    /// <summary>A run of answered tokens that belong to one span.</summary>
    private readonly record struct Run(TextSpan Span, int Tokens);

    /// <param name="vectors">Per level the answered tokens of all windows, [tokens, D].</param>
    public void Add(Grain grain, DocumentWindow[] windows, IReadOnlyDictionary<string, Tensor> vectors)
    {
        var (runs, owners, weights) = (new List<Run>(), new List<long>(), new List<float>());
        foreach (var window in windows)
        {
            var spans = window.Spans[grain];
            // An empty document still has itself as a span.
            if (window.Document.Numbers.Length == 0 && spans.Spans.Count > 0) runs.Add(new(spans.Spans[0], 0));
            for (var token = window.Window.From; token < window.Window.To;)
            {
                var number = spans.SpanOf(token);
                var end = Math.Min(window.Window.To, spans.First[number] + spans.Spans[number].Tokens.Length);
                runs.Add(new(spans.Spans[number], end - token));
                for (; token < end; token++)
                {
                    owners.Add(runs.Count - 1);
                    weights.Add(spans.Weights[token]);
                }
            }
        }
        if (runs.Count == 0) return;
        using var scope = NewDisposeScope();
        var device = vectors[_levels[0]].device;
        var owner = HostCopies.ToTensor(owners.ToArray(), [owners.Count], device);
        var sums = new Dictionary<string, float[]>();
        foreach (var level in _levels)
        {
            var values = level == Level.Raw ? vectors[level] * HostCopies.ToTensor(weights.ToArray(), [weights.Count, 1], device) : vectors[level];
            sums[level] = HostCopies.ToArray<float>(zeros(runs.Count, values.size(1), device: device).index_add_(0, owner, values.to(ScalarType.Float32), 1));
        }
        for (var r = 0; r < runs.Count; r++) Continue(grain, runs[r], r, sums);
    }

    private void Continue(Grain grain, Run run, int number, Dictionary<string, float[]> sums)
    {
        if (!_open.TryGetValue(grain, out var open) || open.Span.ItemId != run.Span.ItemId || open.Span.Index != run.Span.Index)
        {
            Finish(grain);
            _open[grain] = open = new() { Span = run.Span };
        }
        open.Tokens += run.Tokens;
        foreach (var (level, values) in sums)
        {
            var width = _scale[level].Mean.Length;
            if (!open.Sums.TryGetValue(level, out var sum)) open.Sums[level] = sum = new double[width];
            for (var i = 0; i < width; i++) sum[i] += values[number * width + i];
        }
    }

    private void Finish(Grain grain)
    {
        if (!_open.Remove(grain, out var open)) return;
        foreach (var (level, sum) in open.Sums)
        {
            var (mean, deviation) = _scale[level];
            var rows = _rows[(level, grain)];
            rows.Spans.Add(open.Span);
            // Raw weights have been divided already: their row has length one before it is projected.
            var count = level == Level.Raw ? 1.0 : Math.Max(1, open.Tokens);
            for (var i = 0; i < sum.Length; i++) rows.Values.Add((float)((sum[i] / count - mean[i]) / deviation[i]));
        }
    }

    /// <summary>No more tokens will come.</summary>
    public void Close()
    {
        foreach (var grain in _open.Keys.ToList()) Finish(grain);
    }

    /// <summary>Hands out the tables that have at least that many rows.</summary>
    public IEnumerable<SpanVectors> Take(int minimumRows)
    {
        foreach (var ((level, grain), rows) in _rows.ToList())
        {
            if (rows.Spans.Count < minimumRows) continue;
            _rows[(level, grain)] = new();
            yield return new(level, grain, new([.. rows.Spans.Select(span => span.ItemId)], [.. rows.Spans.Select(span => span.Index)], [.. rows.Spans.Select(span => span.Span)],
                [.. rows.Values], rows.Values.Count / rows.Spans.Count));
        }
    }
}
