// Everything a resumed run needs to continue bit for bit: one safetensors file, replaced by an atomic rename.
using System.Globalization;
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

internal static class Checkpoint
{
    /// <summary>Writes the state after <paramref name="step"/> updates.</summary>
    public static void Save(string path, long step, IReadOnlyDictionary<string, Tensor> state, MetricLog metrics)
    {
        var metadata = new Dictionary<string, string>
        {
            ["step"] = step.ToString(CultureInfo.InvariantCulture),
            ["metrics"] = metrics.ToJson(),
        };
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = path + ".tmp";
        Safetensors.Write(temporary, state, metadata);
        DurableFile.MoveInto(temporary, path);
    }

    /// <summary>Copies a checkpoint into the state's tensors; 0 when there is none.</summary>
    /// <returns>Updates done.</returns>
    public static long Load(string path, IReadOnlyDictionary<string, Tensor> state, MetricLog metrics)
    {
        if (!File.Exists(path)) return 0;
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var (tensors, metadata) = Safetensors.Read(path);
        foreach (var (name, target) in state)
        {
            if (!tensors.TryGetValue(name, out var value) || !value.shape.SequenceEqual(target.shape))
                throw new InvalidDataException($"Checkpoint {path} does not fit this run at '{name}'. Remove the run's staging folder to start over.");
            target.copy_(value);
        }
        var step = long.Parse(metadata["step"], CultureInfo.InvariantCulture);
        metrics.Restore(step, metadata["metrics"]);
        return step;
    }
}
