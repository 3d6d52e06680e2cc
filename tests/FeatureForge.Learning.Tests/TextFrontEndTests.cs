// Tokens, their places, the vocabulary, TF-IDF weights, LSA.
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class TextFrontEndTests
{
    [Fact]
    public void Words_are_lower_case_runs_of_letters_and_digits_with_their_places()
    {
        var tokens = Words.Of("Oil at $54.  Prices rise!");

        Assert.Equal(["oil", "at", "54", "prices", "rise"], tokens.Select(token => token.Text));
        Assert.Equal([(0, 3), (4, 6), (8, 10), (13, 19), (20, 24)], tokens.Select(token => (token.Start, token.End)));
        Assert.Equal([false, false, false, true, false], tokens.Select(token => token.BeginsSentence));
    }

    [Fact]
    public void Places_count_code_points_not_char_units()
    {
        var tokens = Words.Of("😀😀 ok");

        Assert.Equal((3, 5), (tokens[0].Start, tokens[0].End));
    }

    [Fact]
    public void Scripts_without_spaces_give_pairs_of_characters()
    {
        Assert.Equal(["東京", "京都", "x", "山"], Words.Of("東京都x山").Select(token => token.Text));
        Assert.Equal([(0, 2), (1, 3), (3, 4), (4, 5)], Words.Of("東京都x山").Select(token => (token.Start, token.End)));
    }

    [Fact]
    public void Unknown_words_share_buckets_and_never_become_padding()
    {
        var vocabulary = new Vocabulary(["alpha", "beta"], buckets: 8);

        Assert.Equal(1, vocabulary.NumberOf("alpha"));
        Assert.InRange(vocabulary.NumberOf("gamma"), 3, 10);
        Assert.Equal(vocabulary.NumberOf("gamma"), Vocabulary.FromBytes(vocabulary.ToBytes(), 8).NumberOf("gamma"));
    }

    [Fact]
    public void Tfidf_rows_have_length_one_and_grow_with_the_logarithm_of_the_count()
    {
        var weights = TermWeights.Of(TokenBag.Of([2, 1, 0, 1]), [0, 1, 1]);

        Assert.Equal(1 + Math.Log(2), weights[0] / weights[1], 1e-5);
        Assert.Equal(1, weights[0] * weights[0] + weights[1] * weights[1], 1e-5);
    }

    [Fact]
    public void Weights_of_occurrences_share_the_weight_of_their_token()
    {
        var weights = new float[4];
        TermWeights.Fill([2, 1, 0, 1], [0, 1, 3], weights);

        var ofBag = TermWeights.Of(TokenBag.Of([2, 1, 0, 1]), [0, 1, 3]);
        Assert.Equal([ofBag[1], ofBag[0] / 2, 0, ofBag[0] / 2], weights);
    }

    [Fact]
    public void A_bag_counts_every_token_once_and_no_padding()
    {
        var bag = TokenBag.Of([5, 0, 3, 5, 0, 5]);

        Assert.Equal([3, 5], bag.Numbers);
        Assert.Equal([1, 3], bag.Counts);
    }

    [Fact]
    public void Latent_semantics_finds_the_leading_singular_directions()
    {
        using var scope = NewDisposeScope();
        var random = new StepRandom(3, 0, DrawPurpose.Sample);
        var documents = Enumerable.Range(0, 60).Select(_ =>
        {
            var tokens = Enumerable.Range(0, 8).Select(_ => random.Below(12)).Distinct().ToArray();
            return new WeightedTokens(tokens, [.. tokens.Select(token => random.Uniform(0.1, 1) / (1 + token))]);
        }).ToList();
        var dense = zeros(60, 12);
        for (var row = 0; row < 60; row++)
            for (var i = 0; i < documents[row].Tokens.Length; i++) dense[row, documents[row].Tokens[i]] = documents[row].Weights[i];

        var projection = LatentSemantics.Projection(() => documents, vocabulary: 12, dimensions: 3, seed: 0, default);

        var exact = linalg.svd(dense).Vh[..3].t(); // [12, 3]
        Assert.True((mm(projection.t(), exact).abs() - eye(3)).abs().max().item<float>() < 1e-3f); // same directions up to sign
    }

    [Fact]
    public void Segments_end_at_sentences_and_cover_exact_code_points()
    {
        var text = "One two three four five six seven eight. Nine ten. Eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen.";
        var tokens = Words.Of(text);
        var document = new TextDocument("a", tokens, new int[tokens.Count], TextSpans.CodePoints(text));

        var segments = TextSpans.Of(document, Data.Grain.Segment).ToList();

        Assert.Equal(["One two three four five six seven eight", "Nine ten. Eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen"],
            segments.Select(segment => text[segment.Span.Start..segment.Span.End]));
    }
}
