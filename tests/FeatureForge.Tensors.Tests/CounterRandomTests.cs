// Counter-based draws: known values, ranges, samples.
namespace FeatureForge.Tensors.Tests;

public sealed class CounterRandomTests
{
    [Fact]
    public void Draws_have_mean_and_variance_of_their_distribution()
    {
        var random = new CounterRandom(5);
        var unit = Enumerable.Range(0, 20_000).Select(i => random.Unit(i)).ToList();
        var normal = Enumerable.Range(0, 20_000).Select(i => random.Normal(i)).ToList();

        // Three standard errors of 20,000 draws.
        Assert.Equal(0.5, unit.Average(), 0.007);
        Assert.Equal(0, normal.Average(), 0.022);
        Assert.Equal(1, normal.Average(value => value * value), 0.03);
        Assert.All(unit, value => Assert.InRange(value, 1e-17, 1 - 1e-17));
    }

    [Fact]
    public void A_sample_holds_different_numbers_in_order_and_the_full_sample_all_of_them()
    {
        var sample = new CounterRandom(3).Sample(50, 1000);

        Assert.Equal(sample.Distinct().Order(), sample);
        Assert.Equal(50, sample.Length);
        Assert.InRange(sample.Average(), 300, 700);
        Assert.Equal(Enumerable.Range(0, 9), new CounterRandom(3).Sample(9, 9));
    }

    [Fact]
    public void Streams_of_one_seed_differ() =>
        Assert.NotEqual(new CounterRandom(1).Stream(0).Bits(0), new CounterRandom(1).Stream(1).Bits(0));
}
