// Mean and deviation of every level's item vectors over the training corpus. Vectors leave the encoder centred and scaled,
// because cosine and k-means on ReLU features see little but their common offset otherwise. A level may be whitened besides:
// Kessy, Lewin, Strimmer 2018 (arXiv 1512.00809), ZCA-cor; neighbours improve (measured on spoken digits: kNN-20 91.7 to 95.7).
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Buffers "mean_LEVEL" and "deviation_LEVEL"; identity until fitted.</summary>
internal sealed class LevelScale : nn.Module
{
    private readonly HashSet<string> _whitened;
    private readonly double _smallestLift;

    /// <param name="lift">Eigenvalues are lifted by at least that much of their mean: the smallest ones are noise.</param>
    public LevelScale(IEnumerable<(string Level, int Dimension)> levels, IEnumerable<string>? whitened = null, double lift = 0.05) : base(nameof(LevelScale))
    {
        (_whitened, _smallestLift) = ([.. whitened ?? []], lift);
        foreach (var (level, dimension) in levels)
        {
            if (_whitened.Contains(level)) register_buffer($"rotation_{level}", eye(dimension));
            register_buffer($"mean_{level}", zeros(dimension));
            register_buffer($"deviation_{level}", ones(dimension));
        }
        RegisterComponents();
    }

    /// <summary>[..., D] to [..., D].</summary>
    public Tensor Apply(string level, Tensor vectors)
    {
        var scaled = (vectors - Mean(level)) / Deviation(level);
        return Rotation(level) is { } rotation ? HostProduct.Multiply(scaled.flatten(0, -2), rotation).view(scaled.shape) : scaled;
    }

    public Tensor Mean(string level) => get_buffer($"mean_{level}")!;

    public Tensor Deviation(string level) => get_buffer($"deviation_{level}")!;

    /// <summary>What scaled vectors are multiplied with, [D, D]; null when the level is not whitened.</summary>
    public Tensor? Rotation(string level) => _whitened.Contains(level) ? get_buffer($"rotation_{level}") : null;

    /// <summary>Back to the identity.</summary>
    public void Reset(string level)
    {
        using var noGradient = no_grad();
        Mean(level).zero_();
        Deviation(level).fill_(1);
        if (Rotation(level) is { } rotation) rotation.copy_(eye(rotation.size(0), device: rotation.device));
    }

    /// <summary>Sets a level's statistics from unscaled item vectors [N, D].</summary>
    /// <param name="parts">Parts of the vectors that are brought to lengths in proportion; none = the vectors are one part.</param>
    public void Fit(string level, Tensor vectors, Scaling scaling, IReadOnlyList<LevelPart>? parts = null)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        if (scaling == Scaling.None) return;
        Mean(level).copy_(vectors.mean([0]));
        if (scaling == Scaling.Centre)
        {
            Balance(level, vectors, parts ?? []);
            return;
        }
        var deviation = vectors.std(0, unbiased: false);
        // A dimension that never varies says nothing: leave it at zero instead of blowing up its rounding errors.
        Deviation(level).copy_(deviation.where(deviation > 1e-6, ones_like(deviation)));
        Rotation(level)?.copy_(Whitening((vectors - Mean(level)) / Deviation(level)));
    }

    // Each part's usual length (root mean square, centred) becomes its share.
    private void Balance(string level, Tensor vectors, IReadOnlyList<LevelPart> parts)
    {
        var from = 0;
        foreach (var part in parts)
        {
            var centred = vectors.narrow(1, from, part.Width) - Mean(level).narrow(0, from, part.Width);
            var length = Math.Sqrt(centred.pow(2).sum([1L]).mean().item<float>());
            if (length > 1e-6) Deviation(level).narrow(0, from, part.Width).fill_((float)(length / part.Share));
            from += part.Width;
        }
    }

    // The inverse square root of the correlations. Few items say little about them: the lift is D / N at least.
    private Tensor Whitening(Tensor scaled)
    {
        var (rows, width) = (scaled.size(0), scaled.size(1));
        var covariance = mm(scaled.t(), scaled).to(ScalarType.Float64) / rows; // [D, D]
        var (values, directions) = linalg.eigh(covariance);
        var lift = Math.Max(_smallestLift, (double)width / rows) * values.mean().clamp_min(1e-6);
        return mm(directions * (values.clamp_min(0) + lift).rsqrt(), directions.t()).to(ScalarType.Float32);
    }
}

/// <summary>Consecutive dimensions of a level, and how long they are beside the other parts.</summary>
internal readonly record struct LevelPart(int Width, double Share);

/// <summary>How a level's vectors leave the encoder.</summary>
internal enum Scaling
{
    None,
    Centre,
    CentreAndScale,
}
