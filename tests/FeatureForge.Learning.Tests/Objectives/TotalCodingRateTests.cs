// The coding rate and EMP-SSL's objective against plain loops and an independent script.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class TotalCodingRateTests
{
    /// <summary>Half the logarithm of the determinant of I + scale · Z'Z, by elimination.</summary>
    internal static double Rate(double[][] rows, double squaredPrecision)
    {
        var (items, width) = (rows.Length, rows[0].Length);
        var matrix = new double[width, width];
        for (var i = 0; i < width; i++)
            for (var j = 0; j < width; j++)
                matrix[i, j] = (i == j ? 1 : 0) + width / (items * squaredPrecision) * rows.Sum(row => row[i] * row[j]);
        var half = 0.0;
        for (var pivot = 0; pivot < width; pivot++)
        {
            half += Math.Log(matrix[pivot, pivot]) / 2;
            for (var i = pivot + 1; i < width; i++)
                for (var j = width - 1; j >= pivot; j--) matrix[i, j] -= matrix[i, pivot] / matrix[pivot, pivot] * matrix[pivot, j];
        }
        return half;
    }

    private static double Reference(double[][][] views, TotalCodingRateSpec spec)
    {
        var unit = views.Select(view => view.Select(Waves.Unit).ToArray()).ToArray();
        var (items, width) = (views[0].Length, views[0][0].Length);
        var agreement = Enumerable.Range(0, items).Average(n =>
        {
            var mean = Waves.Unit([.. Enumerable.Range(0, width).Select(p => unit.Average(view => view[n][p]))]);
            return unit.Average(view => Waves.Dot(view[n], mean));
        });
        return -unit.Average(view => Rate(view, spec.SquaredPrecision)) / width - spec.Lambda * agreement;
    }

    private static double RateOf(Tensor rows) => CodingRate.Of(rows, 0.2).item<float>();

    [Theory]
    [InlineData(0.3, 0.2, 0.2)]
    [InlineData(1.1, 2, 0.05)]
    public void Equals_the_papers_formula_computed_in_plain_loops(double phase, double lambda, double precision)
    {
        using var scope = NewDisposeScope();
        var (views, spec) = (Waves.Views(phase, 5, 6, 4), new TotalCodingRateSpec { Lambda = lambda, SquaredPrecision = precision });

        Assert.Equal(Reference(views, spec), TotalCodingRate.Combine(Waves.Of(views), spec).item<float>(), 1e-4); // float32 against float64
    }

    [Fact]
    public void Equals_what_an_independent_script_computed()
    {
        using var scope = NewDisposeScope();

        Assert.Equal(Waves.Golden("total-coding-rate"), TotalCodingRate.Combine(Waves.Tensor(0.3, 3, 6, 4), new()).item<float>(), 1e-5);
    }

    [Theory]
    [InlineData(12, 4)]
    [InlineData(4, 12)]
    public void The_rate_is_the_same_from_either_gram_matrix(int items, int width)
    {
        using var scope = NewDisposeScope();
        var rows = Waves.Rows(0.3, items, width);

        Assert.Equal(Rate(rows, 0.2), RateOf(Waves.Of(rows)), 1e-4);
    }

    [Fact]
    public void Among_unit_vectors_the_rate_is_largest_when_all_directions_are_filled_evenly()
    {
        using var scope = NewDisposeScope();
        var even = cat([eye(4), -eye(4)], 0);
        var uneven = nn.functional.normalize(Waves.Tensor(0.3, 8, 4), p: 2, dim: -1);
        var collapsed = eye(4)[0].expand(8, 4);

        Assert.Equal(4 * Math.Log(1 + 1 / 0.2) / 2, RateOf(even), 1e-4);
        Assert.True(RateOf(even) > RateOf(uneven) && RateOf(uneven) > RateOf(collapsed));
    }

    [Fact]
    public void Does_not_depend_on_the_order_of_views_and_views_that_agree_cost_less()
    {
        using var scope = NewDisposeScope();
        var views = Waves.Tensor(0.3, 5, 6, 4);
        double Loss(Tensor of) => TotalCodingRate.Combine(of, new()).item<float>();

        Assert.Equal(Loss(views), Loss(views.flip(0)), 1e-5);
        Assert.True(Loss(views[0].unsqueeze(0).expand(5, 6, 4)) < Loss(cat([views.narrow(0, 0, 1), views.narrow(0, 0, 1).roll(1, 1)], 0)) - 0.05);
    }

    [Fact]
    public void A_value_that_is_not_a_number_comes_back_as_such_instead_of_ending_the_process()
    {
        using var scope = NewDisposeScope();

        Assert.True(double.IsNaN(RateOf(full(6, 4, float.NaN))));
    }
}
