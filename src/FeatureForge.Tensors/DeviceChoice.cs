// Which device a run computes on: the word of the spec becomes a torch device, or a sentence why not.
using TorchSharp;

namespace FeatureForge.Tensors;

/// <summary>The device words of specs: <c>auto</c> (CUDA when it works, else CPU), <c>cpu</c>, <c>cuda</c>.</summary>
public static class DeviceChoice
{
    /// <summary>The words a spec may hold.</summary>
    public static IReadOnlyList<string> Words { get; } = ["auto", "cpu", "cuda"];

    /// <summary>What is wrong with the word, or null. Does not ask the hardware, so that a request can be checked anywhere.</summary>
    public static string? Problem(string device) =>
        Words.Contains(device) ? null : $"Device '{device}' is unknown; expected {string.Join(", ", Words)}.";

    /// <summary>The device to compute on.</summary>
    /// <exception cref="Data.BadRequestException">An unknown word, or <c>cuda</c> where CUDA does not work.</exception>
    public static torch.Device Select(string device)
    {
        if (Problem(device) is { } problem) throw new Data.BadRequestException(problem);
        TorchLibrary.Load();
        if (device == "cpu") return torch.CPU;
        if (torch.cuda.is_available())
        {
            Data.AcceleratorInUse.Chosen(DeviceMemory.Names() is [var first, ..] ? first : "cuda");
            return torch.CUDA;
        }
        if (device == "auto") return torch.CPU;
        throw new Data.BadRequestException("Device 'cuda' was asked for, but CUDA does not work here; `featureforge doctor` says what was loaded. Use --device auto or cpu.");
    }
}
