// The covariance of a batch and what lies beside its diagonal, for objectives that decorrelate dimensions.
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal static class Covariance
{
    /// <summary>Rows [N, P] to [P, P], centred, with the divisor N - 1.</summary>
    public static Tensor Of(Tensor rows)
    {
        var centred = rows - rows.mean([0], keepdim: true);
        return mm(centred.t(), centred) / (rows.size(0) - 1);
    }

    /// <summary>The sum of squares of a square matrix beside its diagonal.</summary>
    public static Tensor OffDiagonal(Tensor matrix) => (matrix - diag(matrix.diagonal())).square().sum();
}
