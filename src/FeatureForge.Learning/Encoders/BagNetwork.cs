// The text network of the CPU tier: word vectors, averaged with a learned weight per word that starts at the word's IDF,
// then one residual layer on the average. The word vectors start as the corpus's latent semantic analysis, so that training
// goes on from there (measured on 2,400 posts: kNN 76, k-means NMI 58; from random vectors 60 and 38; LSA alone 74 and 46).
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>Sums of word vectors per group of tokens; groups may be documents, sentences or views.</summary>
internal sealed class BagNetwork : nn.Module
{
    // Field names are parameter names in weight files.
    private readonly Embedding words;
    private readonly Embedding gate;
    private readonly Linear inner;
    private readonly Linear outer;

    public BagNetwork(int vocabulary, int width, int hidden) : base(nameof(BagNetwork))
    {
        words = nn.Embedding(vocabulary, width);
        gate = nn.Embedding(vocabulary, 1);
        nn.init.normal_(words.weight, 0, 1 / Math.Sqrt(width));
        nn.init.zeros_(gate.weight);
        inner = nn.Linear(width, hidden);
        outer = nn.Linear(hidden, width);
        RegisterComponents();
    }

    /// <summary>Starts the weights of words at their rarity.</summary>
    public void StartGate(Tensor rarity)
    {
        using var noGradient = no_grad();
        gate.weight!.copy_(rarity.unsqueeze(1));
    }

    /// <summary>Starts word vectors at a projection [vocabulary, K]; dimensions beyond K start at zero.</summary>
    public void StartWords(Tensor projection)
    {
        using var noGradient = no_grad();
        var shared = Math.Min(projection.size(1), words.weight!.size(1));
        words.weight!.zero_();
        words.weight!.narrow(1, 0, shared).copy_(projection.narrow(1, 0, shared));
    }

    /// <summary>Makes word vectors longer by a factor.</summary>
    public void StretchWords(double factor)
    {
        using var noGradient = no_grad();
        words.weight!.mul_(factor);
    }

    /// <summary>Views [B, L, 2] of token numbers (0 = padding) and their counts, to gated averages [B, D].</summary>
    public Tensor Average(Tensor views)
    {
        var (tokens, counts) = (Numbers(views), views.select(2, 1).to(ScalarType.Float32)); // [B, L] each
        var weights = Weights(tokens) * (counts.clamp_min(1).log() + 1) * counts.clamp_max(1);
        var sums = bmm(weights.unsqueeze(1), words.forward(tokens)).squeeze(1); // [B, D]
        return sums / weights.sum(1, keepdim: true).clamp_min(1e-6);
    }

    /// <summary>The token numbers [B, L] of views [B, L, 2].</summary>
    public static Tensor Numbers(Tensor views) => views.select(2, 0);

    /// <summary>The learned weight of each token, positive.</summary>
    public Tensor Weights(Tensor tokens) => nn.functional.softplus(gate.forward(tokens).squeeze(-1));

    /// <summary>Word vectors [..., D].</summary>
    public Tensor Vectors(Tensor tokens) => words.forward(tokens);

    /// <summary>Averages [B, D] to document vectors [B, D].</summary>
    public Tensor Head(Tensor average) => average + outer.forward(nn.functional.relu(inner.forward(average)));
}
