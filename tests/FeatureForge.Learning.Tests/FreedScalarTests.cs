// What happens when TorchSharp frees a number that LibTorch reads: see FeatureForge.Tensors.
using System.Runtime.InteropServices;
using FeatureForge.Data;
using FeatureForge.Tensors;
using FeatureForge.TestKit;

namespace FeatureForge.Learning.Tests;

public sealed class FreedScalarTests : IDisposable
{
    private const string Message = "false INTERNAL ASSERT FAILED at \"/pytorch/c10/core/Scalar.h\":279, please report a bug to PyTorch.";

    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task Training_goes_on_at_its_checkpoint_and_ends_with_the_same_bits()
    {
        await SmallCorpora.WriteAsync(_store, "small", Modality.Text, 20);
        var spec = new TrainSpec { Corpus = "small", Encoder = "whole", Steps = 24, Device = "cpu", Seed = 3 };
        var whole = await TrainRun.ExecuteAsync(spec, _store.Context(), default);
        var broken = false;
        var breaking = new RecordingReporter
        {
            OnMetric = metric =>
            {
                if (broken || metric is not { Step: 20, Name: "loss" }) return;
                broken = true;
                throw new ExternalException(Message);
            },
        };

        var mended = await TrainRun.ExecuteAsync(spec with { Encoder = "mended" }, _store.Context("m", breaking), default);

        Assert.True(broken);
        Assert.Equal(whole.EncoderId, mended.EncoderId);
        Assert.Equal(await SmallCorpora.MetricsAsync(_store, "whole"), await SmallCorpora.MetricsAsync(_store, "mended"));
    }

    [Fact]
    public void Other_errors_and_endless_failure_are_not_hidden()
    {
        var attempts = 0;

        Assert.Throws<ExternalException>(() => FreedScalar.Repeat(() => throw new ExternalException("out of memory"), _ => attempts++));
        Assert.Equal(0, attempts);
        Assert.Throws<ExternalException>(() => FreedScalar.Repeat(() => throw new ExternalException(Message), _ => attempts++));
        Assert.Equal(19, attempts);
    }
}
