// Mean and deviation of every level's item vectors over the training corpus. Vectors leave the encoder centred and scaled,
// because cosine and k-means on ReLU features see little but their common offset otherwise.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Buffers "mean_LEVEL" and "deviation_LEVEL"; identity until fitted.</summary>
internal sealed class LevelScale : nn.Module
{
    public LevelScale(IEnumerable<(string Level, int Dimension)> levels) : base(nameof(LevelScale))
    {
        foreach (var (level, dimension) in levels)
        {
            register_buffer($"mean_{level}", zeros(dimension));
            register_buffer($"deviation_{level}", ones(dimension));
        }
        RegisterComponents();
    }

    /// <summary>[..., D] to [..., D].</summary>
    public Tensor Apply(string level, Tensor vectors) =>
        (vectors - Mean(level)) / Deviation(level);

    public Tensor Mean(string level) => get_buffer($"mean_{level}")!;

    public Tensor Deviation(string level) => get_buffer($"deviation_{level}")!;

    /// <summary>Back to the identity.</summary>
    public void Reset(string level)
    {
        using var noGradient = no_grad();
        Mean(level).zero_();
        Deviation(level).fill_(1);
    }

    /// <summary>Sets a level's statistics from unscaled item vectors [N, D].</summary>
    public void Fit(string level, Tensor vectors, Scaling scaling)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        if (scaling == Scaling.None) return;
        Mean(level).copy_(vectors.mean([0]));
        if (scaling == Scaling.Centre) return;
        var deviation = vectors.std(0, unbiased: false);
        // A dimension that never varies says nothing: leave it at zero instead of blowing up its rounding errors.
        Deviation(level).copy_(deviation.where(deviation > 1e-6, ones_like(deviation)));
    }
}

/// <summary>How a level's vectors leave the encoder.</summary>
internal enum Scaling
{
    None,
    Centre,
    CentreAndScale,
}
