// How many bits a batch of vectors needs at a given precision: large when they fill all directions evenly, 0 when all are 0.
// Ma, Derksen, Hong, Wright 2007; Yu, Chan, You, Song, Ma 2020 (arXiv 2006.08558): R = 1/2 log det(I + P / (N e^2) Z^T Z).
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal static class CodingRate
{
    /// <summary>The rate of rows [N, P], not centred, in nats.</summary>
    /// <param name="squaredPrecision">e^2, the mean squared error that is allowed.</param>
    public static Tensor Of(Tensor rows, double squaredPrecision)
    {
        var (count, width) = (rows.size(0), rows.size(1));
        // Both Gram matrices have the same determinant; the smaller one is cheaper.
        var gram = count < width ? mm(rows, rows.t()) : mm(rows.t(), rows);
        return logdet(gram * (width / (count * squaredPrecision)) + eye(gram.size(0), device: rows.device)) / 2;
    }
}
