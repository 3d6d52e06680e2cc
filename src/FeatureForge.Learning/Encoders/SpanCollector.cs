// Turns moments of windows into rows: a segment or patch is one cell of one window, an item is all its windows together.
// Sums of an item that spans several batches are carried over, so memory does not grow with an item's length.
using FeatureForge.Data;
using FeatureForge.Tensors;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Collects the rows of every (level, grain) of a conv encoder.</summary>
internal sealed class SpanCollector
{
    private sealed class Rows
    {
        public readonly List<string> Ids = [];
        public readonly List<int> Index = [];
        public readonly List<ItemSpan> Spans = [];
        public readonly List<float> Values = [];
    }

    /// <summary>The item whose windows are still coming.</summary>
    private sealed class Running
    {
        public double Weight;
        public double[] Mean = [];
        public double[] Square = [];
    }

    private readonly PreparedCorpus _corpus;
    private readonly ConvEncoder _encoder;
    private readonly IReadOnlyList<Grain> _grains;
    private readonly Dictionary<(string Level, Grain Grain), Rows> _rows = [];
    private readonly Dictionary<string, Running> _running = [];
    private readonly Dictionary<string, int> _dimensions;
    private readonly Dictionary<Grain, int> _spanIndex = [];

    public SpanCollector(PreparedCorpus corpus, ConvEncoder encoder, IReadOnlyList<string> levels, IReadOnlyList<Grain> grains)
    {
        (_corpus, _encoder, _grains) = (corpus, encoder, grains);
        _dimensions = encoder.Levels.ToDictionary(level => level.Name, level => level.Dimension);
        foreach (var level in levels)
        {
            _running[level] = new();
            foreach (var grain in grains) _rows[(level, grain)] = new();
        }
    }

    public void Add(SpanWindow[] windows, WindowBatch batch)
    {
        foreach (var ((level, grain), rows) in _rows)
            rows.Values.EnsureCapacity(rows.Values.Count + (grain == Grain.Item ? windows.Length * _dimensions[level] : batch.Spans[(level, grain)].Length));
        for (var w = 0; w < windows.Length; w++)
        {
            if (windows[w].Index == 0) foreach (var grain in _grains) _spanIndex[grain] = 0;
            foreach (var grain in _grains)
            {
                if (grain == Grain.Item) AddToItem(windows[w], w, batch.Items);
                else AddSpans(windows[w], w, grain, batch.Spans, windows.Length);
            }
        }
    }

    private void AddToItem(SpanWindow window, int number, Dictionary<string, WindowMoments> moments)
    {
        var weight = _encoder.Weight(_corpus, window);
        foreach (var (level, running) in _running) Accumulate(running, moments[level], number, window.Index == 0, weight);
        if (!window.Last) return;
        foreach (var (_, span) in _encoder.Spans(_corpus, window, Grain.Item))
        {
            var index = _spanIndex[Grain.Item]++;
            foreach (var (level, running) in _running) Finish(Row(level, Grain.Item, window, index, span), running);
        }
    }

    private void AddSpans(SpanWindow window, int number, Grain grain, Dictionary<(string Level, Grain Grain), float[]> vectors, int windows)
    {
        foreach (var (cell, span) in _encoder.Spans(_corpus, window, grain))
        {
            var index = _spanIndex[grain]++;
            foreach (var level in _running.Keys)
            {
                var found = vectors[(level, grain)];
                var (each, width) = (found.Length / windows, _dimensions[level]);
                Row(level, grain, window, index, span).AddRange(found.AsSpan(number * each + cell * width, width));
            }
        }
    }

    /// <summary>A new row; its vector goes to the end of the list.</summary>
    private List<float> Row(string level, Grain grain, SpanWindow window, int index, ItemSpan span)
    {
        var rows = _rows[(level, grain)];
        rows.Ids.Add(_corpus.ItemId(window.Item));
        rows.Index.Add(index);
        rows.Spans.Add(span);
        return rows.Values;
    }

    private static void Accumulate(Running running, WindowMoments moments, int number, bool isFirst, double weight)
    {
        if (isFirst) (running.Mean, running.Square, running.Weight) = (new double[moments.Channels], new double[moments.Spreads], 0);
        running.Weight += weight;
        for (var c = 0; c < moments.Channels; c++) running.Mean[c] += weight * moments.Mean[number * moments.Channels + c];
        for (var c = 0; c < moments.Spreads; c++) running.Square[c] += weight * moments.Square[number * moments.Spreads + c];
    }

    // Not scaled yet: that is done for many items together.
    private static void Finish(List<float> values, Running running)
    {
        foreach (var mean in running.Mean) values.Add((float)(mean / running.Weight));
        for (var c = 0; c < running.Square.Length; c++)
        {
            var mean = running.Mean[c] / running.Weight;
            values.Add((float)SpanPooling.Deviation(running.Square[c] / running.Weight - mean * mean));
        }
    }

    /// <summary>Hands out the tables that have at least that many rows.</summary>
    public IEnumerable<SpanVectors> Take(int minimumRows)
    {
        foreach (var ((level, grain), rows) in _rows.ToList())
        {
            if (rows.Ids.Count < minimumRows) continue;
            _rows[(level, grain)] = new();
            var values = rows.Values.ToArray();
            yield return new(level, grain, new(rows.Ids, rows.Index, rows.Spans, grain == Grain.Item ? Scaled(level, values) : values, _dimensions[level]));
        }
    }

    private float[] Scaled(string level, float[] values)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        return HostCopies.ToArray<float>(_encoder.Scale.Apply(level, HostCopies.ToTensor(values, [values.Length / _dimensions[level], _dimensions[level]], _encoder.Device)));
    }
}
