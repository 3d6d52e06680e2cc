// TF-IDF with logarithmic term frequency and rows of length one (Salton and Buckley 1988): the closed-form view of a text.
namespace FeatureForge.Learning;

/// <summary>Weights per token occurrence, such that the sum of one-hot rows times weight is the TF-IDF row.</summary>
internal static class TermWeights
{
    /// <summary>Rarity of every token number, from how many of the documents hold it.</summary>
    public static float[] InverseFrequency(ReadOnlySpan<int> documentsHolding, int documents)
    {
        var rarity = new float[documentsHolding.Length];
        for (var i = 1; i < rarity.Length; i++) rarity[i] = (float)(Math.Log((1.0 + documents) / (1 + documentsHolding[i])) + 1);
        return rarity;
    }

    /// <summary>One weight per token of one group; padding (0) weighs nothing. The TF-IDF row they add up to has length one.</summary>
    public static void Fill(ReadOnlySpan<int> tokens, ReadOnlySpan<float> rarity, Span<float> weights)
    {
        var counts = new Dictionary<int, int>();
        foreach (var token in tokens)
            if (token != 0) counts[token] = counts.GetValueOrDefault(token) + 1;
        var square = 0.0;
        foreach (var (token, count) in counts) square += Math.Pow((1 + Math.Log(count)) * rarity[token], 2);
        var scale = square > 0 ? 1 / Math.Sqrt(square) : 0;
        for (var i = 0; i < tokens.Length; i++)
        {
            var count = tokens[i] == 0 ? 0 : counts[tokens[i]];
            weights[i] = count == 0 ? 0 : (float)((1 + Math.Log(count)) * rarity[tokens[i]] * scale / count);
        }
    }
}
