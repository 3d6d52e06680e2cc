// A classifier on frozen vectors: k nearest labelled neighbours, logistic regression, or one hidden layer. All give log probabilities
// [rows, classes] before the temperature. What they hold are plain arrays, so that a head is a file and a prediction a few matrix products.
using FeatureForge.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FeatureForge.Labelling;

/// <summary>The arrays of a head by name, row-major, with their shapes.</summary>
internal sealed record HeadArrays(IReadOnlyDictionary<string, (float[] Values, long[] Shape)> ByName)
{
    internal Tensor Tensor(string name, Device device) => HostCopies.ToTensor(ByName[name].Values, ByName[name].Shape, device);
}

/// <summary>What a head learns from.</summary>
/// <param name="Vectors">[Rows, Dimension], row-major.</param>
internal sealed record HeadRows(float[] Vectors, int Dimension, int[] Labels, float[] Weights, int Classes)
{
    internal int Rows => Labels.Length;

    internal HeadRows Only(IReadOnlyList<int> rows)
    {
        var vectors = new float[(long)rows.Count * Dimension];
        for (var i = 0; i < rows.Count; i++) Vectors.AsSpan(rows[i] * Dimension, Dimension).CopyTo(vectors.AsSpan(i * Dimension));
        return new(vectors, Dimension, [.. rows.Select(row => Labels[row])], [.. rows.Select(row => Weights[row])], Classes);
    }
}

/// <summary>A kind with its settings. <paramref name="Neighbours"/> is for knn, <paramref name="Decay"/> and <paramref name="Hidden"/> for the others.</summary>
internal sealed record HeadShape(string Kind, int Neighbours = 0, double Decay = 0, int Hidden = 0)
{
    private const int Steps = 300;

    /// <summary>What cross-validation chooses among.</summary>
    internal static IReadOnlyList<HeadShape> Of(string kind) => kind switch
    {
        "knn" => [new("knn", 1), new("knn", 5), new("knn", 15)],
        "linear" => [new("linear", Decay: 1e-3), new("linear", Decay: 1e-2), new("linear", Decay: 1e-1)],
        "mlp" => [new("mlp", Decay: 1e-2, Hidden: 128)],
        _ => [.. Of("knn"), .. Of("linear"), .. Of("mlp")],
    };

    internal string Settings => Kind == "knn" ? $"neighbours {Neighbours}" : FormattableString.Invariant($"decay {Decay}{(Hidden > 0 ? $", hidden {Hidden}" : "")}");

    internal HeadArrays Fit(HeadRows rows, int seed, Device device, CancellationToken stop) => FreedScalar.Repeat(() => FitOnce(rows, seed, device, stop), _ => { });

    private HeadArrays FitOnce(HeadRows rows, int seed, Device device, CancellationToken stop)
    {
        using var scope = NewDisposeScope();
        if (Kind == "knn")
            return new(new Dictionary<string, (float[], long[])>
            {
                ["vectors"] = (rows.Vectors, [rows.Rows, rows.Dimension]),
                ["labels"] = ([.. rows.Labels.Select(label => (float)label)], [rows.Rows]),
                ["weights"] = (rows.Weights, [rows.Rows]),
            });
        var vectors = HostCopies.ToTensor(rows.Vectors, [rows.Rows, rows.Dimension], device); // [N, D]
        var mean = vectors.mean([0L]);
        // One scale for all dimensions: a few labels say nothing about single deviations, and dividing by them would blow noise up to the size of the signal.
        var deviation = ones(rows.Dimension, device: device) * Math.Max((vectors - mean).square().mean().sqrt().item<float>(), 1e-6f);
        var input = (vectors - mean) / deviation;
        var labels = HostCopies.ToTensor(rows.Labels.Select(label => (long)label).ToArray(), [rows.Rows], device);
        var weights = HostCopies.ToTensor(rows.Weights, [rows.Rows], device);
        weights = weights / weights.sum();
        var layers = Layers(rows.Dimension, rows.Classes, seed, device).ConvertAll(layer => new Parameter(layer));
        using var optimiser = optim.Adam(layers, lr: 0.02);
        for (var step = 0; step < Steps; step++)
        {
            stop.ThrowIfCancellationRequested();
            using var inner = NewDisposeScope();
            foreach (var group in optimiser.ParamGroups) group.LearningRate = 0.02 * 0.5 * (1 + Math.Cos(Math.PI * step / Steps));
            optimiser.zero_grad();
            var logs = Forward(input, layers);
            var loss = -(logs.gather(1, labels.unsqueeze(1)).squeeze(1) * weights).sum();
            for (var layer = 0; layer < layers.Count; layer += 2) loss = loss + layers[layer].square().sum() * (Decay / 2);
            loss.backward();
            optimiser.step();
        }
        var arrays = new Dictionary<string, (float[], long[])> { ["mean"] = (HostCopies.ToArray<float>(mean), [rows.Dimension]), ["deviation"] = (HostCopies.ToArray<float>(deviation), [rows.Dimension]) };
        for (var layer = 0; layer < layers.Count; layer++) arrays[$"{(layer % 2 == 0 ? "weight" : "bias")}_{layer / 2}"] = (HostCopies.ToArray<float>(layers[layer]), layers[layer].shape);
        return new(arrays);
    }

    /// <summary>Log probabilities [rows, classes].</summary>
    internal float[] Predict(HeadArrays arrays, float[] vectors, int rows, int dimension, int classes, VectorMetric metric, Device device, CancellationToken stop) =>
        FreedScalar.Repeat(() => PredictOnce(arrays, vectors, rows, dimension, classes, metric, device, stop), _ => { });

    private float[] PredictOnce(HeadArrays arrays, float[] vectors, int rows, int dimension, int classes, VectorMetric metric, Device device, CancellationToken stop)
    {
        const int block = 20_000;
        var logs = new float[(long)rows * classes];
        using var gradients = no_grad();
        for (var first = 0; first < rows; first += block)
        {
            stop.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var count = Math.Min(block, rows - first);
            var some = HostCopies.ToTensor(vectors.AsSpan(first * dimension, count * dimension), [count, dimension], device);
            var target = logs.AsSpan(first * classes, count * classes);
            if (Kind == "knn") Vote(arrays, some, classes, metric, target, device, stop);
            else
            {
                List<Tensor> layers = [];
                for (var layer = 0; arrays.ByName.ContainsKey($"weight_{layer}"); layer++) layers.AddRange([arrays.Tensor($"weight_{layer}", device), arrays.Tensor($"bias_{layer}", device)]);
                HostCopies.CopyTo(Forward((some - arrays.Tensor("mean", device)) / arrays.Tensor("deviation", device), layers), target);
            }
        }
        return logs;
    }

    private List<Tensor> Layers(int dimension, int classes, int seed, Device device)
    {
        // Linear: zeros, the optimum is one. Hidden layer: small normals of our own generator, the same on every machine.
        if (Hidden == 0) return [zeros(dimension, classes, device: device), zeros(classes, device: device)];
        var random = new CounterRandom(seed);
        Tensor Normal(int from, int to, CounterRandom stream) => HostCopies.ToTensor(Enumerable.Range(0, from * to).Select(i => (float)(stream.Normal(i) * Math.Sqrt(2.0 / from))).ToArray(), [from, to], device);
        return [Normal(dimension, Hidden, random.Stream(1)), zeros(Hidden, device: device), Normal(Hidden, classes, random.Stream(2)) * 0.1, zeros(classes, device: device)];
    }

    private static Tensor Forward(Tensor input, IReadOnlyList<Tensor> layers)
    {
        for (var layer = 0; layer < layers.Count; layer += 2)
        {
            input = addmm(layers[layer + 1].unsqueeze(0), input, layers[layer], 1, 1);
            if (layer + 2 < layers.Count) input = nn.functional.relu(input);
        }
        return nn.functional.log_softmax(input, 1);
    }

    // Each neighbour's vote counts by its weight and falls with its distance; half a vote is spread over all classes.
    private void Vote(HeadArrays arrays, Tensor some, int classes, VectorMetric metric, Span<float> logs, Device device, CancellationToken stop)
    {
        var (labels, weights) = (arrays.ByName["labels"].Values, arrays.ByName["weights"].Values);
        var table = Tensors.Neighbours.Of(some, arrays.Tensor("vectors", device), Math.Min(Neighbours, labels.Length), metric, null, stop);
        for (var row = 0; row < table.Queries; row++)
        {
            var votes = logs.Slice(row * classes, classes);
            votes.Fill(0.5f / classes);
            var farthest = Math.Max(table.Distance[row * table.K + table.K - 1], 1e-6f);
            float sum = 0.5f;
            for (var i = 0; i < table.K; i++)
            {
                var at = table.Index[row * table.K + i];
                var vote = weights[at] * MathF.Exp(-table.Distance[row * table.K + i] / farthest);
                votes[(int)labels[at]] += vote;
                sum += vote;
            }
            for (var c = 0; c < classes; c++) votes[c] = MathF.Log(votes[c] / sum);
        }
    }
}
