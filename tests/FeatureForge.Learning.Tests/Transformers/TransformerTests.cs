// Transformers against a reference of plain loops, and what must hold whatever the weights are.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning.Tests;

public sealed class TransformerTests
{
    // Single precision through two blocks of width 8 against double.
    private const double Tolerance = 2e-5;

    private static readonly TransformerSpec _sequence = new() { Width = 8, Depth = 2, Heads = 2, Hidden = 12, Positions = PositionKind.None };
    private static readonly TransformerSpec _grid = _sequence with { Positions = PositionKind.Learned, PatchRows = 2, PatchColumns = 3, GridRows = 3, GridColumns = 2, ClassToken = true, Registers = 2 };

    // Weights of a size at which every term matters, also biases, norms and scales.
    private static T Shaken<T>(T module) where T : nn.Module
    {
        manual_seed(1);
        using var noGradient = no_grad();
        foreach (var parameter in module.parameters()) parameter.add_(randn(parameter.shape) * 0.3);
        module.eval();
        return module;
    }

    private static double[][] Rows(Tensor tokens) => [.. Enumerable.Range(0, (int)tokens.size(0)).Select(t => tokens[t].to(float64).contiguous().data<double>().ToArray())];

    private static double LargestDifference(double[][] expected, Tensor found)
    {
        var rows = Rows(found);
        return expected.SelectMany((row, t) => row.Select((value, i) => Math.Abs(value - rows[t][i]))).Max();
    }

    public static TheoryData<string> Shapes() => [.. _shapes.Keys];

    private static readonly Dictionary<string, TransformerSpec> _shapes = new()
    {
        ["pre-norm"] = _sequence,
        ["post-norm"] = _sequence with { PreNorm = false, NormEpsilon = 1e-3 },
        ["layer scale, no qkv bias"] = _sequence with { LayerScale = 0.1, QkvBias = false },
        ["rotary, query-key norm"] = _sequence with { Positions = PositionKind.Rotary, QueryKeyNorm = true },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Every_block_gives_what_plain_loops_give(string shape)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var spec = _shapes[shape];
        var trunk = Shaken(new TransformerTrunk(spec));
        var tokens = randn(1, 5, 8);
        bool[] visible = [true, true, false, true, true];
        var rotary = spec.Positions == PositionKind.Rotary ? RotaryPositions.OfSequence(5, spec.HeadWidth, CPU) : (RotaryPositions?)null;

        var found = trunk.Forward(tokens, tensor(visible).unsqueeze(0), rotary);

        var expected = new TransformerReference(trunk.state_dict(), spec).Trunk(Rows(tokens[0]), visible);
        Assert.Equal(spec.Depth, found.Length);
        for (var block = 0; block < spec.Depth; block++) Assert.True(LargestDifference(expected[block], found[block][0]) < Tolerance, $"block {block}");
    }

    [Fact]
    public void Grid_tokens_are_patches_plus_positions_behind_class_token_and_registers()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var network = Shaken(new TransformerNetwork(2, _grid));
        var state = network.state_dict();
        var input = randn(1, 2, 6, 6);

        var found = network.forward(input);

        // Patch (r, c) in words: the product of the kernel with the 2 x 3 values below it.
        var tokens = new List<double[]> { Rows(state["class_token"].unsqueeze(0))[0], Rows(state["registers"])[0], Rows(state["registers"])[1] };
        for (var r = 0; r < 3; r++)
            for (var c = 0; c < 2; c++)
                tokens.Add(Rows(((state["patches.weight"] * input[0, .., (2 * r)..(2 * r + 2), (3 * c)..(3 * c + 3)].unsqueeze(0)).sum([1L, 2, 3]) + state["patches.bias"] + state["positions"][r * 2 + c]).unsqueeze(0))[0]);
        var trunk = state.Where(pair => pair.Key.StartsWith("trunk.", StringComparison.Ordinal)).ToDictionary(pair => pair.Key["trunk.".Length..], pair => pair.Value);
        var expected = new TransformerReference(trunk, _grid).Trunk([.. tokens]);
        Assert.Equal([1L, 8, 3, 2], found[^1].shape);
        for (var block = 0; block < 2; block++) Assert.True(LargestDifference(expected[block][3..], found[block][0].flatten(1).transpose(0, 1)) < Tolerance, $"block {block}");
    }

    [Fact]
    public void Any_grid_size_goes_in_and_what_sticks_out_is_zeros()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var network = Shaken(new TransformerNetwork(2, _grid));
        var input = randn(2, 2, 7, 10);

        var found = network.forward(input);

        Assert.Equal([2L, 8, 4, 4], found[0].shape);
        Assert.True(network.forward(nn.functional.pad(input, [0, 2, 0, 1]))[^1].allclose(found[^1]));
    }

    [Fact]
    public void A_position_table_of_its_own_size_is_untouched_and_another_size_is_interpolated_by_cubics()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var network = Shaken(new TransformerNetwork(1, _grid with { GridRows = 4, GridColumns = 4 }));
        var table = network.state_dict()["positions"];

        var same = network.PositionsOf(4, 4);
        var finer = network.PositionsOf(8, 4).view(8, 4, 8);

        Assert.True(same.equal(table).all().item<bool>());
        // Corners not aligned: row 3 of 8 lies at (3 + 0.5) / 2 - 0.5 = 1.25 of 4; columns stay where they are.
        for (var column = 0; column < 4; column++)
        {
            var expected = Enumerable.Range(0, 4).Sum(row => Cubic(1.25 - row) * table[row * 4 + column, 5].item<float>());
            Assert.Equal(expected, finer[3, column, 5].item<float>(), 1e-5);
        }
    }

    // Keys 1981 with a = -0.75.
    private static double Cubic(double distance) => Math.Abs(distance) is var x && x <= 1
        ? (1.25 * x - 2.25) * x * x + 1
        : -0.75 * (((x - 5) * x + 8) * x - 4);

    [Fact]
    public void Rotary_scores_depend_on_distance_alone()
    {
        using var scope = NewDisposeScope();
        var rotary = RotaryPositions.OfGrid(1, 4, 4, 8, CPU);
        var (query, key) = (randn(1, 1, 1, 8).expand(1, 1, 17, 8), randn(1, 1, 1, 8).expand(1, 1, 17, 8));

        var scores = rotary.Turn(query).squeeze().mm(rotary.Turn(key).squeeze().t()); // [17, 17]; place (r, c) is token 1 + 4 r + c

        float Score((int Row, int Column) from, (int Row, int Column) to) => scores[1 + 4 * from.Row + from.Column, 1 + 4 * to.Row + to.Column].item<float>();
        Assert.Equal(Score((0, 0), (1, 2)), Score((2, 1), (3, 3)), 1e-4);
        Assert.NotEqual(Score((0, 0), (1, 2)), Score((0, 0), (2, 1)), 1e-3);
        Assert.True(rotary.Turn(query)[0, 0, 0].allclose(query[0, 0, 0])); // the class token has no place
    }

    [Fact]
    public void Hidden_patches_leave_no_trace()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var network = Shaken(new TransformerNetwork(2, _grid));
        var hidden = tensor(new[] { true, false, false, true, false, false }).view(1, 3, 2);
        var input = randn(1, 2, 6, 6);
        var other = input.clone();
        other[0, .., 0..2, 0..3].add_(5); // below patch (0, 0)
        other[0, .., 2..4, 3..6].add_(5); // below patch (1, 1)

        var found = network.ForwardHidden(input, hidden);

        Assert.All(found.Zip(network.ForwardHidden(other, hidden)), pair => Assert.True(pair.First.equal(pair.Second).all().item<bool>()));
        Assert.False(network.forward(other)[^1].allclose(network.forward(input)[^1]));
    }

    [Fact]
    public void Dropped_patches_leave_no_trace_and_keeping_all_is_the_whole_network()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var network = Shaken(new TransformerNetwork(2, _grid));
        var input = randn(1, 2, 6, 6);
        var other = input.clone();
        other[0, .., 0..2, 0..3].add_(5); // below patch 0

        var some = network.ForwardVisible(input, tensor(new[] { 4L, 2, 5 }).unsqueeze(0));
        var all = network.ForwardVisible(input, arange(6, dtype: int64).unsqueeze(0));

        Assert.Equal([1L, 3, 8], some.shape);
        Assert.True(network.ForwardVisible(other, tensor(new[] { 4L, 2, 5 }).unsqueeze(0)).equal(some).all().item<bool>());
        Assert.True(all.allclose(network.forward(input)[^1].flatten(2).transpose(1, 2), atol: 1e-5));
    }

    [Fact]
    public void Dropped_branches_cancel_out_on_average_and_never_drop_in_evaluation()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        // Post-norm would bend the mean; one pre-norm block whose second branch is silent is linear in its first.
        var block = Shaken(new TransformerBlock(_sequence, drop: 0.4));
        foreach (var (name, parameter) in block.named_parameters()) if (name.StartsWith("fall", StringComparison.Ordinal)) parameter.zero_();
        var tokens = randn(1, 3, 8);
        var whole = block.Forward(tokens, null, null);
        Assert.True(block.Forward(tokens, null, null).equal(whole).all().item<bool>());

        block.train();
        manual_seed(5);
        var many = block.Forward(tokens.expand(4000, -1, -1), null, null);

        // 4,000 draws: the mean's own deviation is 1.3 % of the branch.
        var branch = (whole - tokens).abs().max().item<float>();
        Assert.True((many.mean([0]) - whole[0]).abs().max().item<float>() < 0.06 * branch);
        Assert.InRange((many - tokens).abs().flatten(1).amax(1).eq(0).to(float32).mean().item<float>(), 0.37f, 0.43f);
    }

    [Fact]
    public void Padding_changes_no_token_that_is_there()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var network = Shaken(new TokenNetwork(20, 16, _sequence with { Positions = PositionKind.Learned, PreNorm = false }));
        var numbers = tensor(new[] { 3L, 7, 9 }).unsqueeze(0);
        var padded = tensor(new[] { 3L, 7, 9, 0, 0 }).unsqueeze(0);

        var found = network.Forward(padded, tensor(new[] { true, true, true, false, false }).unsqueeze(0));

        Assert.All(found.Zip(network.Forward(numbers)), pair => Assert.True(pair.First.narrow(1, 0, 3).allclose(pair.Second, atol: 1e-5)));
    }

    [Fact]
    public void A_hidden_word_leaves_no_trace()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var network = Shaken(new TokenNetwork(20, 16, _sequence with { Positions = PositionKind.Rotary }));
        var hidden = tensor(new[] { false, true, false }).unsqueeze(0);

        var one = network.Forward(tensor(new[] { 3L, 7, 9 }).unsqueeze(0), hidden: hidden)[^1];
        var two = network.Forward(tensor(new[] { 3L, 8, 9 }).unsqueeze(0), hidden: hidden)[^1];

        Assert.True(one.equal(two).all().item<bool>());
        Assert.Throws<ArgumentException>(() => network.Forward(zeros(1, 17, dtype: int64)));
    }

    [Fact]
    public void A_shape_that_cannot_be_built_says_everything_that_is_wrong()
    {
        var error = Assert.Throws<BadRequestException>(() => new TransformerNetwork(3, new() { Width = 10, Depth = 0, Heads = 4, PatchRows = 0, PatchColumns = 2 }));

        Assert.Equal(4, error.Problems.Count);
    }

    [Fact]
    public void Gradients_reach_every_parameter()
    {
        using var scope = NewDisposeScope();
        var network = Shaken(new TransformerNetwork(2, _grid with { LayerScale = 0.1, QueryKeyNorm = true }));

        network.ForwardHidden(randn(2, 2, 6, 6), rand(2, 3, 2) < 0.5)[^1].pow(2).sum().backward();

        Assert.All(network.named_parameters(), pair => Assert.True(pair.parameter.grad is { } gradient && gradient.abs().sum().item<float>() > 0, pair.name));
    }
}
