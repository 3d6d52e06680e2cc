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
    private readonly Dictionary<string, (float[] Mean, float[] Deviation)> _scale = [];
    private readonly Dictionary<Grain, int> _spanIndex = [];

    public SpanCollector(PreparedCorpus corpus, ConvEncoder encoder, IReadOnlyList<string> levels, IReadOnlyList<Grain> grains)
    {
        (_corpus, _encoder, _grains) = (corpus, encoder, grains);
        foreach (var level in levels)
        {
            _running[level] = new();
            _scale[level] = (HostCopies.ToArray<float>(encoder.Scale.Mean(level)), HostCopies.ToArray<float>(encoder.Scale.Deviation(level)));
            foreach (var grain in grains) _rows[(level, grain)] = new();
        }
    }

    public void Add(SpanWindow[] windows, Dictionary<(string Level, Grain Grain), WindowMoments> moments)
    {
        for (var w = 0; w < windows.Length; w++)
        {
            if (windows[w].Index == 0) foreach (var grain in _grains) _spanIndex[grain] = 0;
            foreach (var grain in _grains) AddWindow(windows[w], w, grain, moments);
        }
    }

    private void AddWindow(SpanWindow window, int number, Grain grain, Dictionary<(string Level, Grain Grain), WindowMoments> moments)
    {
        if (grain == Grain.Item)
        {
            var weight = _encoder.Weight(_corpus, window);
            foreach (var (level, running) in _running) Accumulate(running, moments[(level, grain)], number, window.Index == 0, weight);
            if (!window.Last) return;
        }
        var spans = _encoder.Spans(_corpus, window, grain).ToList();
        foreach (var level in _running.Keys)
        {
            var rows = _rows[(level, grain)];
            var found = moments[(level, grain)];
            var index = _spanIndex[grain];
            foreach (var (cell, span) in spans)
            {
                rows.Ids.Add(_corpus.ItemId(window.Item));
                rows.Index.Add(index++);
                rows.Spans.Add(span);
                if (grain == Grain.Item) AddVector(rows, level, _running[level]);
                else AddVector(rows, level, found, number * found.Spans + cell);
            }
        }
        _spanIndex[grain] += spans.Count;
    }

    private static void Accumulate(Running running, WindowMoments moments, int number, bool isFirst, double weight)
    {
        if (isFirst) (running.Mean, running.Square, running.Weight) = (new double[moments.Channels], new double[moments.Spreads], 0);
        running.Weight += weight;
        for (var c = 0; c < moments.Channels; c++) running.Mean[c] += weight * moments.Mean[number * moments.Channels + c];
        for (var c = 0; c < moments.Spreads; c++) running.Square[c] += weight * moments.Square[number * moments.Spreads + c];
    }

    private void AddVector(Rows rows, string level, Running running) =>
        Append(rows, level, running.Mean.Length, running.Square.Length, c => running.Mean[c] / running.Weight, c => running.Square[c] / running.Weight);

    private void AddVector(Rows rows, string level, WindowMoments moments, int span) =>
        Append(rows, level, moments.Channels, moments.Spreads, c => moments.Mean[span * moments.Channels + c], c => moments.Square[span * moments.Spreads + c]);

    private void Append(Rows rows, string level, int channels, int spreads, Func<int, double> mean, Func<int, double> square)
    {
        var (centre, deviation) = _scale[level];
        for (var c = 0; c < channels; c++) rows.Values.Add((float)((mean(c) - centre[c]) / deviation[c]));
        for (var c = 0; c < spreads; c++)
        {
            var spread = SpanPooling.Deviation(square(c) - mean(c) * mean(c));
            rows.Values.Add((float)((spread - centre[channels + c]) / deviation[channels + c]));
        }
    }

    /// <summary>Hands out the tables that have at least that many rows.</summary>
    public IEnumerable<SpanVectors> Take(int minimumRows)
    {
        foreach (var ((level, grain), rows) in _rows.ToList())
        {
            if (rows.Ids.Count < minimumRows) continue;
            _rows[(level, grain)] = new();
            var width = rows.Values.Count / rows.Ids.Count;
            yield return new(level, grain, new(rows.Ids, rows.Index, rows.Spans, Rotated(level, [.. rows.Values], width), width));
        }
    }

    private float[] Rotated(string level, float[] values, int width)
    {
        if (_encoder.Scale.Rotation(level) is not { } rotation) return values;
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        return HostCopies.ToArray<float>(mm(HostCopies.ToTensor(values, [values.Length / width, width], rotation.device), rotation));
    }
}
