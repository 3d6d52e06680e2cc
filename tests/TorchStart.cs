// Compiled into the test projects that use tensors directly: LibTorch is loaded before any test names a TorchSharp type.
using System.Runtime.CompilerServices;

namespace FeatureForge.Tests;

internal static class TorchStart
{
    [ModuleInitializer]
    internal static void Load() => _ = FeatureForge.Tensors.TorchLibrary.Report;
}
