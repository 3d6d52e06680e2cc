// Loads LibTorch before TorchSharp looks for it. TorchSharp 0.107's own libLibTorchSharp.so asks for GLIBCXX_3.4.32,
// which Debian 12, Ubuntu 22.04 and RHEL 9 lack, though no relocation needs it: a cached copy whose version need is
// marked weak loads there. TorchSharp then finds the library that is already loaded, by its SONAME.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace FeatureForge.Tensors;

/// <summary>Where LibTorch was loaded from, and what could not be loaded; <c>doctor</c> prints it.</summary>
public static class TorchLibrary
{
    /// <summary>Names a folder with libtorch 2.10 libraries (for instance those of a Python install) to use instead of the packages'.</summary>
    public const string FolderVariable = "FEATUREFORGE_TORCH";

    private const string ShimName = "libLibTorchSharp.so";

    private static readonly List<string> _report = [];
    private static readonly Lock _gate = new();
    private static readonly Dictionary<string, nint> _handles = [];
    private static bool _done;

    /// <summary>One line per library: loaded from where, or why not.</summary>
    public static IReadOnlyList<string> Report
    {
        get { Load(); lock (_gate) return [.. _report]; }
    }

    // The analyzer's advice against initialisers in libraries does not fit: nothing of TorchSharp may run before this.
#pragma warning disable CA2255
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Load()
    {
        lock (_gate)
        {
            if (_done) return;
            _done = true;
            if (OperatingSystem.IsLinux()) LoadOnLinux();
        }
    }

    /// <summary>The address of a function that LibTorch exports, or 0.</summary>
    internal static nint FindExport(string name)
    {
        lock (_gate) return _handles.TryGetValue("libtorch_cpu.so", out var library) && NativeLibrary.TryGetExport(library, name, out var address) ? address : 0;
    }

    private static void LoadOnLinux()
    {
        if (Convolutions.AreFilledUp) _report.Add("oneDNN: channels of convolutions are filled up, because its AVX-512 kernels for fewer are not reliable on AMD processors");
        var shim = FindShim();
        var folder = Environment.GetEnvironmentVariable(FolderVariable) is { Length: > 0 } named ? named
            : shim is null ? null : Path.GetDirectoryName(shim);
        if (shim is null || folder is null)
        {
            _report.Add($"{ShimName}: not beside the program; is the TorchSharp package referenced?");
            return;
        }

        // libtorch last of its family: its dependencies must already be there under their SONAMEs.
        foreach (var name in new[] { "libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so", "libtorch.so" })
        {
            var path = Path.Combine(folder, name);
            if (File.Exists(path)) TryLoad(path);
            else if (!name.Contains("cuda", StringComparison.Ordinal)) _report.Add($"{name}: not found in {folder}");
        }

        if (TryLoad(shim)) return;
        var weakened = File.ReadAllBytes(shim);
        var id = Convert.ToHexStringLower(SHA256.HashData(weakened))[..16];
        ElfVersionNeeds.MakeWeak(weakened, "GLIBCXX_3.4.32");
        if (CachedCopy(weakened, id) is { } cached) TryLoad(cached);
        else LoadFromTemporaryCopy(weakened);
    }

    private static string? FindShim()
    {
        string[] places =
        [
            Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native"),
            AppContext.BaseDirectory,
            // Empty in a single-file app, where the base directory is right; elsewhere (scripts, notebooks) the two may differ.
#pragma warning disable IL3000
            Path.GetDirectoryName(typeof(TorchLibrary).Assembly.Location) ?? AppContext.BaseDirectory,
#pragma warning restore IL3000
        ];
        var searched = places.Concat((AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries));
        return searched.Select(place => Path.Combine(place, ShimName)).FirstOrDefault(File.Exists);
    }

    private static bool TryLoad(string path)
    {
        try
        {
            _handles[Path.GetFileName(path)] = NativeLibrary.Load(path);
            _report.Add($"{Path.GetFileName(path)}: loaded from {Path.GetDirectoryName(path)}");
            return true;
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            _report.Add($"{Path.GetFileName(path)}: {error.Message.ReplaceLineEndings(" ")}");
            return false;
        }
    }

    /// <summary>The copy in the user's cache, made once per library content; null when the cache cannot be written.</summary>
    private static string? CachedCopy(byte[] library, string id)
    {
        var cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } named ? named
            : Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home ? Path.Combine(home, ".cache") : null;
        if (cache is null) return null;
        var folder = Path.Combine(cache, "featureforge", "native", id);
        var target = Path.Combine(folder, ShimName);
        if (File.Exists(target)) return target;
        try
        {
            Directory.CreateDirectory(folder);
            var temporary = Path.Combine(folder, $".{Environment.ProcessId}.tmp");
            File.WriteAllBytes(temporary, library);
            File.Move(temporary, target, overwrite: true);
            return target;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _report.Add($"{ShimName}: no cached copy in {folder}: {error.Message}");
            return null;
        }
    }

    // Service accounts often have no home. A loaded library may be deleted, so nothing is left behind.
    private static void LoadFromTemporaryCopy(byte[] library)
    {
        var folder = Directory.CreateTempSubdirectory("featureforge-").FullName;
        var copy = Path.Combine(folder, ShimName);
        File.WriteAllBytes(copy, library);
        TryLoad(copy);
        Directory.Delete(folder, recursive: true);
    }
}
