// The objective against an independent plain-loop computation, and what must hold of it.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class NtXentTests
{
    private static float[] Draw(int count, int seed)
    {
        var random = new StepRandom(seed, 0, DrawPurpose.Sample);
        return [.. Enumerable.Range(0, count).Select(_ => random.Normal())];
    }

    private static double Loss(float[] rows, int dimension, double temperature)
    {
        using var scope = NewDisposeScope();
        var views = HostCopies.ToTensor(rows, [2, rows.Length / dimension / 2, dimension], CPU);
        return NtXent.Pair(views[0], views[1], temperature).item<float>();
    }

    private static double Reference(float[] rows, int dimension, double temperature)
    {
        var count = rows.Length / dimension;
        double Similarity(int a, int b)
        {
            double product = 0, first = 0, second = 0;
            for (var d = 0; d < dimension; d++)
            {
                product += (double)rows[a * dimension + d] * rows[b * dimension + d];
                first += (double)rows[a * dimension + d] * rows[a * dimension + d];
                second += (double)rows[b * dimension + d] * rows[b * dimension + d];
            }
            return product / Math.Sqrt(first * second);
        }
        var total = 0.0;
        for (var i = 0; i < count; i++)
        {
            var partner = i < count / 2 ? i + count / 2 : i - count / 2;
            var others = Enumerable.Range(0, count).Where(k => k != i).Sum(k => Math.Exp(Similarity(i, k) / temperature));
            total -= Math.Log(Math.Exp(Similarity(i, partner) / temperature) / others);
        }
        return total / count;
    }

    [Theory]
    [InlineData(0.2, 1)]
    [InlineData(0.5, 2)]
    public void Equals_the_papers_formula_computed_in_plain_loops(double temperature, int seed)
    {
        var rows = Draw(12 * 5, seed);

        Assert.Equal(Reference(rows, 5, temperature), Loss(rows, 5, temperature), 1e-4); // float32 against float64
    }

    [Fact]
    public void Equals_what_an_independent_script_computed()
    {
        using var scope = NewDisposeScope();
        var views = Waves.Tensor(0.3, 3, 6, 4);

        Assert.Equal(Waves.Golden("nt-xent"), NtXent.Pair(views[0], views[1], 0.2).item<float>(), 1e-5);
    }

    [Fact]
    public void Does_not_depend_on_which_view_comes_first()
    {
        var rows = Draw(8 * 4, 3);
        float[] swapped = [.. rows[16..], .. rows[..16]];

        Assert.Equal(Loss(rows, 4, 0.2), Loss(swapped, 4, 0.2), 1e-5);
    }

    [Fact]
    public void Vectors_that_are_all_equal_cost_the_logarithm_of_the_other_views()
    {
        var rows = Enumerable.Repeat(1f, 10 * 3).ToArray();

        Assert.Equal(Math.Log(9), Loss(rows, 3, 0.2), 1e-5);
    }

    [Fact]
    public void Refuses_views_of_a_single_item() => Assert.Throws<ArgumentException>(() => Loss(Draw(2 * 4, 0), 4, 0.2));
}
