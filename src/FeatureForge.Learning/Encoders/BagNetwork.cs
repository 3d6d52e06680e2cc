// The text network of the CPU tier: word vectors, averaged with a learned weight per word that starts at the word's IDF,
// then one residual layer on the average.
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

    /// <summary>Padded token numbers [B, L], 0 = padding, to gated averages [B, D].</summary>
    public Tensor Average(Tensor tokens)
    {
        var present = (tokens != 0).to(ScalarType.Float32);
        var weights = Weights(tokens) * present; // [B, L]
        var sums = bmm(weights.unsqueeze(1), words.forward(tokens)).squeeze(1); // [B, D]
        return sums / weights.sum(1, keepdim: true).clamp_min(1e-6);
    }

    /// <summary>The learned weight of each token, positive.</summary>
    public Tensor Weights(Tensor tokens) => nn.functional.softplus(gate.forward(tokens).squeeze(-1));

    /// <summary>Word vectors [..., D].</summary>
    public Tensor Vectors(Tensor tokens) => words.forward(tokens);

    /// <summary>Averages [B, D] to document vectors [B, D].</summary>
    public Tensor Head(Tensor average) => average + outer.forward(nn.functional.relu(inner.forward(average)));
}
