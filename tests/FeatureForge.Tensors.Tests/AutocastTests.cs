// Mixed precision through LibTorch's own functions.
using TorchSharp;

namespace FeatureForge.Tensors.Tests;

public sealed class AutocastTests
{
    private static readonly torch.Device _cpu = torch.CPU;

    [Fact]
    public void Products_are_bfloat16_inside_and_float32_again_outside()
    {
        if (!OperatingSystem.IsLinux()) return;
        using var scope = torch.NewDisposeScope();
        var ones = torch.ones(3, 3);

        torch.ScalarType inside;
        using (new Autocast(_cpu, torch.ScalarType.BFloat16)) inside = torch.mm(ones, ones).dtype;

        Assert.Equal(torch.ScalarType.BFloat16, inside);
        Assert.Equal(torch.ScalarType.Float32, torch.mm(ones, ones).dtype);
        Assert.True(Autocast.Works(_cpu, torch.ScalarType.BFloat16));
    }

    [Fact]
    public void Gradients_of_float32_weights_stay_float32()
    {
        if (!OperatingSystem.IsLinux()) return;
        using var scope = torch.NewDisposeScope();
        var layer = torch.nn.Linear(4, 2);

        torch.Tensor loss;
        using (new Autocast(_cpu, torch.ScalarType.BFloat16)) loss = layer.forward(torch.ones(5, 4)).to(torch.ScalarType.Float32).sum();
        loss.backward();

        Assert.Equal(torch.ScalarType.Float32, layer.weight!.grad!.dtype);
        Assert.Equal(5f, layer.weight.grad[0, 0].item<float>());
    }

    [Fact]
    public void Other_threads_keep_their_precision()
    {
        if (!OperatingSystem.IsLinux()) return;
        var other = torch.ScalarType.BFloat16;
        using (new Autocast(_cpu, torch.ScalarType.BFloat16))
        {
            var thread = new Thread(() =>
            {
                using var scope = torch.NewDisposeScope();
                other = torch.mm(torch.ones(2, 2), torch.ones(2, 2)).dtype;
            });
            thread.Start();
            thread.Join();
        }

        Assert.Equal(torch.ScalarType.Float32, other);
    }
}
