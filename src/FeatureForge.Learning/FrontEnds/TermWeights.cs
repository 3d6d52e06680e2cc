// TF-IDF with logarithmic term frequency and rows of length one (Salton and Buckley 1988): the closed-form view of a text.
using FeatureForge.Data;

namespace FeatureForge.Learning;

/// <summary>Weights of tokens, such that the sum of one-hot rows times weight is the TF-IDF row.</summary>
internal static class TermWeights
{
    /// <summary>Rarity of every token number below <paramref name="size"/>, from how many of the corpus's documents hold it; padding (0) has none.</summary>
    public static float[] InverseFrequency(PreparedCorpus corpus, Func<string, int[]> tokensOf, int size, CancellationToken stop)
    {
        var holding = new int[size];
        for (var item = 0; item < corpus.Count; item++)
        {
            stop.ThrowIfCancellationRequested();
            foreach (var token in tokensOf(corpus.Text(item)).Distinct()) holding[token]++;
        }
        var rarity = new float[size];
        for (var i = 1; i < size; i++) rarity[i] = (float)(Math.Log((1.0 + corpus.Count) / (1 + holding[i])) + 1);
        return rarity;
    }

    /// <summary>One weight per distinct token of a bag; their squares add up to one.</summary>
    public static float[] Of(TokenBag bag, ReadOnlySpan<float> rarity)
    {
        var weights = new float[bag.Numbers.Length];
        var square = 0.0;
        for (var i = 0; i < weights.Length; i++)
        {
            weights[i] = Frequency(bag.Counts[i]) * rarity[bag.Numbers[i]];
            square += (double)weights[i] * weights[i];
        }
        if (square == 0) return weights;
        var scale = (float)(1 / Math.Sqrt(square));
        for (var i = 0; i < weights.Length; i++) weights[i] *= scale;
        return weights;
    }

    /// <summary>One weight per occurrence of a token, where order matters; padding (0) weighs nothing. The TF-IDF row they add up to has length one.</summary>
    public static void Fill(ReadOnlySpan<int> tokens, ReadOnlySpan<float> rarity, Span<float> weights)
    {
        var bag = TokenBag.Of(tokens);
        var ofBag = Of(bag, rarity);
        for (var i = 0; i < tokens.Length; i++)
        {
            var place = Array.BinarySearch(bag.Numbers, tokens[i]);
            weights[i] = place < 0 ? 0 : ofBag[place] / bag.Counts[place];
        }
    }

    /// <summary>What so many occurrences of a token count: a word said ten times is not ten times the topic.</summary>
    public static float Frequency(int count) => (float)(1 + Math.Log(count));
}
