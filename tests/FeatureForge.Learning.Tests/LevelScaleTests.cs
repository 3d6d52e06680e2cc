// What centring, scaling and whitening do to the vectors of a level.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class LevelScaleTests
{
    // Ten dimensions that are mixtures of each other, off the origin.
    private static Tensor Correlated(int rows)
    {
        var mixture = randn(10, 10, generator: new Generator(1)) + 2;
        return mm(randn(rows, 10, generator: new Generator(2)), mixture) + 5;
    }

    private static Tensor Covariance(Tensor rows) => mm((rows - rows.mean([0])).t(), rows - rows.mean([0])) / rows.size(0);

    private static LevelScale Fitted(Tensor vectors, params string[] whitened)
    {
        var scale = new LevelScale([("high", (int)vectors.size(1))], whitened);
        scale.Fit("high", vectors, Scaling.CentreAndScale);
        return scale;
    }

    [Fact]
    public void A_whitened_level_has_nearly_uncorrelated_dimensions_and_a_scaled_one_has_not()
    {
        using var scope = NewDisposeScope();
        var vectors = Correlated(5_000);
        static float Strongest(Tensor covariance) => (covariance - covariance.diag().diag()).abs().max().item<float>();

        Assert.True(Strongest(Covariance(Fitted(vectors).Apply("high", vectors))) > 0.5f);
        Assert.True(Strongest(Covariance(Fitted(vectors, "high").Apply("high", vectors))) < 0.25f);
    }

    [Fact]
    public void Whitening_keeps_the_order_of_directions_but_brings_them_closer()
    {
        using var scope = NewDisposeScope();
        var vectors = Correlated(5_000);
        Tensor Widths(params string[] whitened) => linalg.eigvalsh(Covariance(Fitted(vectors, whitened).Apply("high", vectors)));
        static float Ratio(Tensor widths) => (widths[-1] / widths[0].clamp_min(1e-9)).item<float>();

        Assert.True(Ratio(Widths("high")) < Ratio(Widths()) / 5);
        Assert.True(Widths("high").max().item<float>() <= 1.001f);
    }

    [Fact]
    public void With_fewer_items_than_dimensions_no_direction_is_blown_up()
    {
        using var scope = NewDisposeScope();
        var vectors = Correlated(4);

        var rotation = Fitted(vectors, "high").Rotation("high")!;

        Assert.True(rotation.isfinite().all().item<bool>());
        Assert.True(linalg.eigvalsh(rotation).max().item<float>() <= 1);
    }

    [Fact]
    public void Reset_brings_back_the_identity()
    {
        using var scope = NewDisposeScope();
        var vectors = Correlated(100);
        var scale = Fitted(vectors, "high");

        scale.Reset("high");

        Assert.Equal(0, (scale.Apply("high", vectors) - vectors).abs().max().item<float>());
    }
}
