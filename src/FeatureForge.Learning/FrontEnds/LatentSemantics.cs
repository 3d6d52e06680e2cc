// Latent semantic analysis: the leading right singular vectors of the TF-IDF matrix, by randomised subspace iteration
// (Halko, Martinsson, Tropp 2011, algorithm 4.4). The matrix is never made: each pass streams over the documents.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>A document's tokens with their TF-IDF weights.</summary>
internal readonly record struct WeightedTokens(int[] Tokens, float[] Weights);

internal static class LatentSemantics
{
    private const int Passes = 3;
    private const int Oversampling = 16;

    /// <summary>The projection [vocabulary, dimensions], orthonormal columns, strongest direction first; zero columns when the corpus has fewer.</summary>
    public static Tensor Projection(Func<IEnumerable<WeightedTokens>> documents, int vocabulary, int dimensions, int seed, CancellationToken stop)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var width = Math.Min(dimensions + Oversampling, vocabulary);
        var random = new StepRandom(seed, 0, DrawPurpose.Subspace);
        var start = new float[vocabulary * width];
        for (var i = 0; i < start.Length; i++) start[i] = random.Normal();
        var basis = linalg.qr(HostCopies.ToTensor(start, [vocabulary, width], CPU)).Q; // [W, K]
        for (var pass = 0; pass < Passes; pass++)
            basis = linalg.qr(MultiplyByGram(documents, basis, stop)).Q.MoveToOuterDisposeScope();

        // Inside the subspace the small Gram matrix gives the singular directions in order.
        var small = mm(basis.t(), MultiplyByGram(documents, basis, stop)); // [K, K]
        var directions = linalg.eigh((small + small.t()) / 2).Item2.flip([1]); // strongest first
        var projection = mm(basis, directions)[.., ..(int)Math.Min(width, dimensions)];
        if (projection.size(1) < dimensions) projection = cat([projection, zeros(vocabulary, dimensions - projection.size(1))], 1);
        return WithFixedSigns(projection).MoveToOuterDisposeScope();
    }

    // Singular vectors are defined up to sign: the largest entry of each is made positive.
    private static Tensor WithFixedSigns(Tensor columns)
    {
        var largest = columns.gather(0, columns.abs().argmax(0, keepdim: true)); // [1, K]
        return columns * where(largest < 0, tensor(-1f), tensor(1f));
    }

    /// <summary>(transposed A) A basis, A = TF-IDF matrix; one pass over the documents.</summary>
    private static Tensor MultiplyByGram(Func<IEnumerable<WeightedTokens>> documents, Tensor basis, CancellationToken stop)
    {
        var product = zeros_like(basis);
        foreach (var batch in documents().Chunk(512))
        {
            stop.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var tokens = batch.SelectMany(document => document.Tokens).Select(token => (long)token).ToArray();
            if (tokens.Length == 0) continue;
            var owners = batch.SelectMany((document, number) => Enumerable.Repeat((long)number, document.Tokens.Length)).ToArray();
            var numbers = HostCopies.ToTensor(tokens, [tokens.Length], CPU);
            var rows = HostCopies.ToTensor(owners, [owners.Length], CPU);
            var weights = HostCopies.ToTensor(batch.SelectMany(document => document.Weights).ToArray(), [tokens.Length, 1], CPU);
            var projected = zeros(batch.Length, basis.size(1)).index_add_(0, rows, basis.index_select(0, numbers) * weights, 1); // A basis
            product.index_add_(0, numbers, projected.index_select(0, rows) * weights, 1);
        }
        return product;
    }
}
