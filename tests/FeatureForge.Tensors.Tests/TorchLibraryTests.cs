// LibTorch loads and computes here, whatever the system's libstdc++.
using TorchSharp;

namespace FeatureForge.Tensors.Tests;

public sealed class TorchLibraryTests
{
    [Fact]
    public void Torch_computes_after_the_loader_ran()
    {
        var report = TorchLibrary.Report;
        using var scope = torch.NewDisposeScope();

        var product = torch.mm(torch.ones(2, 3), torch.ones(3, 2));

        Assert.Equal(3f, product[1, 1].item<float>());
        Assert.Contains(report, line => line.StartsWith("libtorch_cpu.so: loaded", StringComparison.Ordinal) || !OperatingSystem.IsLinux());
    }

    [Fact]
    public void The_last_line_of_the_report_says_where_the_shim_was_loaded_from()
    {
        if (!OperatingSystem.IsLinux()) return;

        var report = TorchLibrary.Report;

        Assert.StartsWith("libLibTorchSharp.so: loaded from /", report[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void An_error_inside_torch_is_an_exception_and_not_the_end_of_the_process()
    {
        _ = TorchLibrary.Report;
        using var scope = torch.NewDisposeScope();
        var left = torch.ones(2, 3);

        Assert.ThrowsAny<Exception>(() => torch.mm(left, left));
    }
}
