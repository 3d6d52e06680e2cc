// Small fixed tensors of the objectives' tests: values by a formula that goldens.py repeats, as doubles for references in plain loops.
using System.Reflection;
using System.Text.Json;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

internal static class Waves
{
    private static readonly IReadOnlyDictionary<string, double> _goldens = ReadGoldens();

    /// <summary>What goldens.py computed for a kind of objective.</summary>
    public static double Golden(string kind) => _goldens[kind];

    /// <summary>The n-th value is sin(1.7 n + 0.01 n² + phase) · (1 + n mod 3 / 4).</summary>
    public static double[] Values(double phase, int count) =>
        [.. Enumerable.Range(0, count).Select(n => Math.Sin(1.7 * n + 0.01 * n * n + phase) * (1 + n % 3 / 4.0))];

    public static double[][] Rows(double phase, int rows, int width) => [.. Values(phase, rows * width).Chunk(width)];

    public static double[][][] Views(double phase, int views, int items, int width) => [.. Rows(phase, views * items, width).Chunk(items)];

    public static Tensor Tensor(double phase, params long[] shape) => Of(Values(phase, (int)shape.Aggregate(1L, (a, b) => a * b)), shape);

    public static Tensor Of(IEnumerable<double> values, params long[] shape) => HostCopies.ToTensor(values.Select(value => (float)value).ToArray(), shape, CPU);

    public static Tensor Of(double[][][] views) => Of(views.SelectMany(view => view).SelectMany(row => row), views.Length, views[0].Length, views[0][0].Length);

    public static Tensor Of(double[][] rows) => Of(rows.SelectMany(row => row), rows.Length, rows[0].Length);

    /// <summary>Standard normal draws.</summary>
    public static Tensor Normal(int seed, params long[] shape)
    {
        var random = new StepRandom(seed, 0, DrawPurpose.Sample);
        return Of(Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(_ => (double)random.Normal()), shape);
    }

    /// <summary>The gradient of a scalar function at a point, and its Euclidean length.</summary>
    public static (Tensor Gradient, double Length) Gradient(Tensor at, Func<Tensor, Tensor> loss)
    {
        var point = at.detach().clone().requires_grad_(true);
        loss(point).backward();
        return (point.grad!, point.grad!.pow(2).sum().sqrt().item<float>());
    }

    public static double[] Unit(double[] row)
    {
        var length = Math.Sqrt(row.Sum(value => value * value));
        return [.. row.Select(value => value / length)];
    }

    public static double Dot(double[] a, double[] b) => a.Zip(b, (x, y) => x * y).Sum();

    private static Dictionary<string, double> ReadGoldens()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("goldens.json")!;
        return JsonSerializer.Deserialize<Dictionary<string, double>>(stream)!;
    }
}
