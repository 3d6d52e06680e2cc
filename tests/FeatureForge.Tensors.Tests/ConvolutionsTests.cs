// Convolutions of odd channel counts against products of unfolded patches in float64, with memory around that was used before.
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace FeatureForge.Tensors.Tests;

public sealed class ConvolutionsTests
{
    public static TheoryData<int, int, int, int, ScalarType> Shapes()
    {
        var shapes = new TheoryData<int, int, int, int, ScalarType>();
        foreach (var (from, to) in new[] { (1, 8), (1, 16), (3, 32), (8, 8), (24, 40), (48, 16), (112, 288) })
            foreach (var (kernel, stride) in new[] { (1, 1), (3, 1), (3, 2), (7, 2), (4, 4) })
                foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16 }) shapes.Add(from, to, kernel, stride, type);
        return shapes;
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Outputs_and_gradients_are_those_of_products(int from, int to, int kernel, int stride, ScalarType type)
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        var module = nn.Conv2d(from, to, (kernel, kernel), (stride, stride), (kernel / 2, kernel / 2), bias: false);
        var weight = module.weight.detach().to(type);
        module.weight = new Parameter(weight.clone());
        var pixels = randn(4, from, 15, 18).to(type);
        var exact = (Pixels: pixels.to(ScalarType.Float64).requires_grad_(), Weight: weight.to(ScalarType.Float64).requires_grad_());
        var columns = nn.functional.unfold(exact.Pixels, (kernel, kernel), (1, 1), (kernel / 2, kernel / 2), (stride, stride));
        var expected = einsum("ok,nkl->nol", exact.Weight.flatten(1), columns);
        var slope = randn(expected.shape).to(type);
        expected.backward([slope.to(ScalarType.Float64)]);

        for (var attempt = 0; attempt < 3; attempt++)
        {
            using var inner = NewDisposeScope();
            foreach (var used in Enumerable.Range(0, 8).Select(_ => full([1 << 16], float.NaN)).ToList()) used.Dispose();
            var input = pixels.detach().clone().requires_grad_();
            module.zero_grad();
            var output = Convolutions.Forward(module, input);
            output.backward([slope.reshape(output.shape)]);

            var most = type == ScalarType.BFloat16 ? 0.02 : 1e-4;
            Assert.InRange(Furthest(output.flatten(2), expected), 0, most);
            Assert.InRange(Furthest(input.grad!, exact.Pixels.grad!), 0, most);
            Assert.InRange(Furthest(module.weight.grad!, exact.Weight.grad!), 0, most);
        }
    }

    [Theory]
    [InlineData(1, 24, 40)]
    [InlineData(4, 24, 8)]
    [InlineData(16, 48, 48)]
    public void Channels_filled_up_change_nothing_in_one_dimension_and_in_groups(int groups, int from, int to)
    {
        using var scope = NewDisposeScope();
        using var module = nn.Conv1d(groups * from, groups * to, 5, stride: 2, padding: 2, groups: groups, dtype: ScalarType.Float64);
        var plain = randn(2, groups * from, 33, dtype: ScalarType.Float64).requires_grad_();
        var filled = plain.detach().clone().requires_grad_();

        var (one, other) = (Convolutions.Forward(module, plain, fillUp: false), Convolutions.Forward(module, filled, fillUp: true));
        one.square().sum().backward();
        other.square().sum().backward();

        Assert.Equal(one.shape, other.shape);
        Assert.InRange(Furthest(other, one), 0, 1e-12);
        Assert.InRange(Furthest(filled.grad!, plain.grad!), 0, 1e-12);
    }

    [Theory]
    [InlineData(3, 24, 1)]
    [InlineData(64, 96, 2)]
    public void A_norm_in_evaluation_changes_nothing_by_going_into_the_convolution(int from, int to, int stride)
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        using var convolution = nn.Conv2d(from, to, 3, stride: stride, padding: 1, bias: false);
        using var norm = nn.BatchNorm2d(to);
        var input = randn(4, from, 9, 12);
        for (var step = 0; step < 3; step++) norm.forward(Convolutions.Forward(convolution, input * (step + 1) + step)); // some statistics
        nn.init.uniform_(norm.weight, 0.5, 2);
        nn.init.normal_(norm.bias);

        var trained = Convolutions.Forward(convolution, norm, input);
        norm.eval();
        var (folded, apart) = (Convolutions.Forward(convolution, norm, input), norm.forward(Convolutions.Forward(convolution, input)));

        Assert.InRange(Furthest(folded, apart), 0, 1e-5);
        Assert.InRange(trained.mean([0L, 2, 3]).sub(norm.bias!).abs().max().item<float>(), 0, 1e-4); // in training the batch's own statistics count
    }

    [Theory]
    [InlineData(16, 512, 1)]
    [InlineData(96, 1088, 2)]
    [InlineData(512, 640, 1)]
    public void Kernels_of_one_pixel_are_right_for_many_channels_last_in_memory(int from, int to, int stride)
    {
        using var scope = NewDisposeScope();
        manual_seed(6);
        using var module = nn.Conv2d(from, to, 1, stride: stride);
        var input = randn(5, 7, 7, from).permute(0, 3, 1, 2).detach().requires_grad_();

        var output = Convolutions.Forward(module, input);
        var slope = randn(output.shape);
        output.backward([slope]);

        var exact = (Input: input.detach().to(ScalarType.Float64).requires_grad_(), Weight: module.weight.detach().to(ScalarType.Float64).requires_grad_());
        var seen = exact.Input.slice(2, 0, 7, stride).slice(3, 0, 7, stride);
        var expected = einsum("oc,nchw->nohw", exact.Weight.flatten(1), seen) + module.bias!.detach().to(ScalarType.Float64).view(-1, 1, 1);
        expected.backward([slope.to(ScalarType.Float64)]);
        Assert.InRange(Furthest(output, expected), 0, 1e-5);
        Assert.InRange(Furthest(input.grad!, exact.Input.grad!), 0, 1e-5);
        Assert.InRange(Furthest(module.weight.grad!, exact.Weight.grad!), 0, 1e-5);
    }

    // The largest difference as a share of the largest value; NaN is in no range.
    private static double Furthest(Tensor found, Tensor expected) => ((found.to(ScalarType.Float64) - expected).abs().max() / expected.abs().max()).item<double>();
}
