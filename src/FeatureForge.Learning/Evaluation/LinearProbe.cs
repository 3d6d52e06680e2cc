// Linear probe: multinomial logistic regression by full-batch L-BFGS (Liu and Nocedal 1989) with Armijo backtracking, in
// float32 with the gradient written out, so that dense and sparse features take the same path. Deterministic: starts at zero.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Weights [D + 1, K]; the last row is the intercept.</summary>
internal static class LinearProbe
{
    private const int Iterations = 150;
    private const int History = 10;
    private const double SmallestGradient = 1e-4;
    private const int MostToChooseFrom = 10_000;
    private const int FewestToChooseFrom = 100;
    private static readonly double[] Strengths = [1, 10, 100, 1000];

    /// <summary>
    /// The strength that predicts a fifth of the training rows best from the other four; the test rows are not looked at. Wide or whitened vectors want more
    /// than the usual 1. Of few rows nothing is learned about it: then 1.
    /// </summary>
    /// <param name="rows">Rows of the training features by their numbers, with the column of ones.</param>
    public static double ChooseStrength(Func<IReadOnlyList<int>, Tensor> rows, IReadOnlyList<int> labels, int classes)
    {
        if (labels.Count < FewestToChooseFrom) return Strengths[0];
        using var scope = NewDisposeScope();
        var sample = Sampling.Evenly(labels.Count, MostToChooseFrom).ToList();
        var (kept, held) = (sample.Where((_, i) => i % 5 != 0).ToList(), sample.Where((_, i) => i % 5 == 0).ToList());
        var (fit, judge) = (rows(kept), rows(held));
        List<int> LabelsOf(List<int> items) => [.. items.Select(item => labels[item])];
        // The penalty stands against the sum of losses: of fewer rows in proportion less.
        var scale = kept.Count / (double)labels.Count;
        return Strengths.MaxBy(strength => Accuracy(fit, LabelsOf(kept), judge, LabelsOf(held), classes, strength * scale));
    }

    /// <summary>Share of the test rows whose label is predicted. Features must end with a column of ones; they may be sparse.</summary>
    /// <param name="strength">Weight of the squared weights against the sum of losses; the intercept goes free.</param>
    public static double Accuracy(Tensor train, IReadOnlyList<int> trainLabels, Tensor test, IReadOnlyList<int> testLabels, int classes, double strength)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var labels = HostCopies.ToTensor(trainLabels.Select(label => (long)label).ToArray(), [trainLabels.Count], train.device);
        var weights = Fit(train, nn.functional.one_hot(labels, classes).to(ScalarType.Float32), strength / trainLabels.Count);
        var predicted = HostCopies.ToArray<long>(mm(test, weights).argmax(1));
        return predicted.Zip(testLabels).Count(pair => pair.First == pair.Second) / (double)testLabels.Count;
    }

    /// <summary>Centred, scaled by the training rows, with a column of ones.</summary>
    public static (Tensor Train, Tensor Test) Standardise(Tensor train, Tensor test)
    {
        var mean = train.mean([0]);
        var deviation = train.std(0, unbiased: false).clamp_min(1e-6);
        Tensor Apply(Tensor rows) => cat([(rows - mean) / deviation, ones(rows.size(0), 1, device: rows.device)], 1);
        return (Apply(train), Apply(test));
    }

    private static Tensor Fit(Tensor features, Tensor targets, double decay)
    {
        var transposed = features.t();
        var penalised = ones(features.size(1), 1, device: targets.device);
        penalised[-1] = 0f;
        var weights = zeros(features.size(1), targets.size(1), device: targets.device); // [D + 1, K]
        var (loss, gradient) = Evaluate(features, transposed, targets, weights, penalised, decay);
        var history = new List<(Tensor Move, Tensor Change, double Curvature)>();
        for (var iteration = 0; iteration < Iterations && gradient.abs().max().item<float>() > SmallestGradient / 100; iteration++)
        {
            var direction = Direction(gradient, history);
            var slope = (direction * gradient).sum().item<float>();
            var (step, next, nextLoss, nextGradient) = (iteration == 0 ? 1.0 : 1.0, weights, loss, gradient);
            for (var attempt = 0; attempt < 20; attempt++, step /= 2)
            {
                next = weights + step * direction;
                (nextLoss, nextGradient) = Evaluate(features, transposed, targets, next, penalised, decay);
                if (nextLoss <= loss + 1e-4 * step * slope) break;
            }
            if (nextLoss >= loss) break;
            var (move, change) = (next - weights, nextGradient - gradient);
            var curvature = (move * change).sum().item<float>();
            if (curvature > 1e-12) history.Add((move, change, curvature));
            if (history.Count > History) history.RemoveAt(0);
            var improved = loss - nextLoss;
            (weights, loss, gradient) = (next, nextLoss, nextGradient);
            if (improved < 1e-6 * Math.Abs(loss)) break;
        }
        return weights;
    }

    /// <summary>Minus the inverse Hessian's estimate times the gradient: the two-loop recursion.</summary>
    private static Tensor Direction(Tensor gradient, List<(Tensor Move, Tensor Change, double Curvature)> history)
    {
        var direction = -gradient;
        var shares = new double[history.Count];
        for (var i = history.Count - 1; i >= 0; i--)
        {
            shares[i] = (history[i].Move * direction).sum().item<float>() / history[i].Curvature;
            direction -= shares[i] * history[i].Change;
        }
        if (history.Count > 0) direction *= history[^1].Curvature / history[^1].Change.pow(2).sum().item<float>();
        for (var i = 0; i < history.Count; i++)
            direction += (shares[i] - (history[i].Change * direction).sum().item<float>() / history[i].Curvature) * history[i].Move;
        return direction;
    }

    private static (double Loss, Tensor Gradient) Evaluate(Tensor features, Tensor transposed, Tensor targets, Tensor weights, Tensor penalised, double decay)
    {
        var logits = nn.functional.log_softmax(mm(features, weights), 1); // [N, K]
        var penalty = weights * penalised;
        var loss = -(logits * targets).sum().item<float>() / targets.size(0) + decay / 2 * (penalty * penalty).sum().item<float>();
        var gradient = mm(transposed, logits.exp() - targets) / targets.size(0) + decay * penalty;
        return (loss, gradient);
    }
}
