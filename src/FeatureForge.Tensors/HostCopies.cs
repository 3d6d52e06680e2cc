// The only place where numbers cross between managed arrays and tensors, so that every copy can be found and counted.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Tensors;

/// <summary>Copies between host arrays and tensors. Tensors made here belong to the caller's dispose scope.</summary>
public static class HostCopies
{
    /// <summary>A float32 tensor of the given shape holding a copy of <paramref name="values"/>.</summary>
    public static Tensor ToTensor(ReadOnlySpan<float> values, ReadOnlySpan<long> shape, torch.Device device) => Copy(values, shape, ScalarType.Float32, device);

    /// <summary>An int64 tensor.</summary>
    public static Tensor ToTensor(ReadOnlySpan<long> values, ReadOnlySpan<long> shape, torch.Device device) => Copy(values, shape, ScalarType.Int64, device);

    /// <summary>An int32 tensor.</summary>
    public static Tensor ToTensor(ReadOnlySpan<int> values, ReadOnlySpan<long> shape, torch.Device device) => Copy(values, shape, ScalarType.Int32, device);

    /// <summary>An int16 tensor.</summary>
    public static Tensor ToTensor(ReadOnlySpan<short> values, ReadOnlySpan<long> shape, torch.Device device) => Copy(values, shape, ScalarType.Int16, device);

    /// <summary>A float16 tensor.</summary>
    public static Tensor ToTensor(ReadOnlySpan<Half> values, ReadOnlySpan<long> shape, torch.Device device) => Copy(values, shape, ScalarType.Float16, device);

    /// <summary>A uint8 tensor.</summary>
    public static Tensor ToTensor(ReadOnlySpan<byte> values, ReadOnlySpan<long> shape, torch.Device device) => Copy(values, shape, ScalarType.Byte, device);

    /// <summary>The tensor's values, row-major; the tensor is read as <typeparamref name="T"/>, which must be its element type.</summary>
    public static T[] ToArray<T>(Tensor tensor) where T : unmanaged
    {
        var values = new T[tensor.numel()];
        CopyTo<T>(tensor, values);
        return values;
    }

    /// <summary>Copies the tensor's values, row-major, into <paramref name="destination"/>.</summary>
    public static void CopyTo<T>(Tensor tensor, Span<T> destination) where T : unmanaged
    {
        if (Unsafe.SizeOf<T>() != tensor.ElementSize)
            throw new ArgumentException($"Expected a tensor of {Unsafe.SizeOf<T>()}-byte elements, found {tensor.dtype}.");
        if (tensor.numel() != destination.Length)
            throw new ArgumentException($"Expected room for {tensor.numel()} values, found {destination.Length}.");
        using var scope = NewDisposeScope();
        var host = tensor.detach().cpu().contiguous();
        if (destination.Length > 0) MemoryMarshal.Cast<byte, T>(host.bytes).CopyTo(destination);
    }

    private static Tensor Copy<T>(ReadOnlySpan<T> values, ReadOnlySpan<long> shape, ScalarType type, torch.Device device) where T : unmanaged
    {
        long count = 1;
        foreach (var size in shape) count *= size;
        if (count != values.Length)
            throw new ArgumentException($"Shape [{string.Join(", ", shape.ToArray())}] holds {count} values, found {values.Length}.");
        var host = empty(shape.ToArray(), dtype: type, device: CPU);
        if (values.Length > 0) values.CopyTo(MemoryMarshal.Cast<byte, T>(host.bytes));
        if (device.type == DeviceType.CPU) return host;
        using (host) return host.to(device);
    }
}
