// Mixed precision: products in bfloat16 or float16, sums and statistics in float32. TorchSharp has no door to it, so the functions
// that LibTorch exports are called directly; their names are those of LibTorch 2.10 on Linux. Where they are missing or do not
// do what they should (tested once), everything stays in float32.
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Tensors;

/// <summary>Autocast of the calling thread, from construction to disposal. Thread-bound like dispose scopes: never await inside.</summary>
public sealed unsafe class Autocast : IDisposable
{
    private static readonly Lazy<Exports?> _exports = new(Find);

    private readonly sbyte _device;

    /// <summary>Starts autocast of products on a device to bfloat16 or float16.</summary>
    /// <exception cref="PlatformNotSupportedException">See <see cref="Works"/>.</exception>
    public Autocast(torch.Device device, ScalarType type)
    {
        var exports = _exports.Value ?? throw new PlatformNotSupportedException("This LibTorch has no autocast functions under the names of version 2.10.");
        _device = Number(device);
        exports.SetType(_device, (sbyte)type);
        exports.SetEnabled(_device, 1);
        exports.Enter();
    }

    /// <summary>True when autocast to this type works on the device here: functions found, and a product came out in that type.</summary>
    public static bool Works(torch.Device device, ScalarType type)
    {
        if (_exports.Value is null) return false;
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var one = ones(4, 4, device: device);
        ScalarType inside;
        using (new Autocast(device, type)) inside = mm(one, one).dtype;
        return inside == type && mm(one, one).dtype == ScalarType.Float32;
    }

    /// <summary>True when the device multiplies bfloat16 in hardware, so that it is faster than float32.</summary>
    public static bool IsFastInBFloat16(torch.Device device)
    {
        if (device.type == DeviceType.CUDA) return true;
        // CPUID leaf 7, sub-leaf 1: EAX bit 5 = AVX512_BF16.
        if (device.type != DeviceType.CPU || !X86Base.IsSupported || !Avx512F.IsSupported) return false;
        return (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0;
    }

    public void Dispose()
    {
        var exports = _exports.Value!;
        if (exports.Leave() == 0) exports.Clear();
        exports.SetEnabled(_device, 0);
    }

    private static sbyte Number(torch.Device device) => device.type switch
    {
        DeviceType.CPU => 0,
        DeviceType.CUDA => 1,
        _ => throw new PlatformNotSupportedException($"Autocast is for cpu and cuda, not {device}."),
    };

    private static Exports? Find()
    {
        TorchLibrary.Load();
        return TorchLibrary.FindExport("_ZN2at8autocast20set_autocast_enabledEN3c1010DeviceTypeEb") is var enabled and not 0
            && TorchLibrary.FindExport("_ZN2at8autocast18set_autocast_dtypeEN3c1010DeviceTypeENS1_10ScalarTypeE") is var type and not 0
            && TorchLibrary.FindExport("_ZN2at8autocast17increment_nestingEv") is var enter and not 0
            && TorchLibrary.FindExport("_ZN2at8autocast17decrement_nestingEv") is var leave and not 0
            && TorchLibrary.FindExport("_ZN2at8autocast11clear_cacheEv") is var clear and not 0
            ? new Exports(enabled, type, enter, leave, clear) : null;
    }

    private sealed class Exports(nint enabled, nint type, nint enter, nint leave, nint clear)
    {
        public void SetEnabled(sbyte device, byte on) => ((delegate* unmanaged<sbyte, byte, void>)enabled)(device, on);
        public void SetType(sbyte device, sbyte scalar) => ((delegate* unmanaged<sbyte, sbyte, void>)type)(device, scalar);
        public int Enter() => ((delegate* unmanaged<int>)enter)();
        public int Leave() => ((delegate* unmanaged<int>)leave)();
        public void Clear() => ((delegate* unmanaged<void>)clear)();
    }
}
