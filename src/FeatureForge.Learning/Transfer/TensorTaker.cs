// Takes tensors out of a checkpoint by name and shape, and keeps account: what was missing, what had another shape, what nobody took.
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>One checkpoint being mapped. Tensors come out as float32 on the host and belong to the caller's scope.</summary>
internal sealed class TensorTaker(SafetensorsFile file)
{
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private readonly List<string> _problems = [];

    public bool Has(string name) => file.Entries.ContainsKey(name);

    /// <summary>Sizes of a tensor; null when there is none.</summary>
    public IReadOnlyList<long>? ShapeOf(string name) => file.Entries.TryGetValue(name, out var entry) ? entry.Shape : null;

    /// <summary>What stands before <paramref name="suffix"/> in the shortest name that ends with it; null when none does.</summary>
    public string? PrefixOf(string suffix) =>
        file.Entries.Keys.Where(name => name.EndsWith(suffix, StringComparison.Ordinal)).OrderBy(name => name.Length).FirstOrDefault() is { } found ? found[..^suffix.Length] : null;

    /// <summary>How many numbers 0, 1, … a pattern such as "blocks.{0}.norm1.weight" has tensors for.</summary>
    public int Count(string pattern)
    {
        var count = 0;
        while (Has(string.Format(System.Globalization.CultureInfo.InvariantCulture, pattern, count))) count++;
        return count;
    }

    /// <summary>The tensor; zeros of that shape when it is missing or differs, which <see cref="Finish"/> will tell.</summary>
    public Tensor Take(string name, params long[] shape)
    {
        _taken.Add(name);
        if (!file.Entries.TryGetValue(name, out var entry)) _problems.Add($"missing: {name} [{string.Join(", ", shape)}]");
        else if (!entry.Shape.SequenceEqual(shape)) _problems.Add($"{name} has shape [{string.Join(", ", entry.Shape)}], expected [{string.Join(", ", shape)}]");
        else return file.Read(name).to(ScalarType.Float32);
        return zeros(shape);
    }

    /// <summary>A tensor whose count of values matters, not its leading ones: [1, 1, D] as [D].</summary>
    public Tensor TakeFlat(string name, params long[] shape)
    {
        if (ShapeOf(name) is not { } found || found.Aggregate(1L, (a, b) => a * b) != shape.Aggregate(1L, (a, b) => a * b)) return Take(name, shape);
        return Take(name, [.. found]).view(shape);
    }

    /// <summary>Weight and bias of a module that keeps its shape, under their new names.</summary>
    public void Both(Dictionary<string, Tensor> into, string name, string from, params long[] shape)
    {
        into[name + ".weight"] = Take(from + ".weight", shape);
        into[name + ".bias"] = Take(from + ".bias", shape[0]);
    }

    /// <summary>Ends the mapping. Tensors whose names contain one of <paramref name="unneeded"/> (heads, decoders) may be left over.</summary>
    /// <returns>The tensors left out, each with its type and shape.</returns>
    /// <exception cref="BadRequestException">Lists every missing, misshapen and unexpected tensor by name.</exception>
    public IReadOnlyList<string> Finish(params IReadOnlyList<string> unneeded)
    {
        var left = file.Entries.Values.Where(entry => !_taken.Contains(entry.Name)).ToList();
        var unexpected = left.Where(entry => !unneeded.Any(part => entry.Name.Contains(part, StringComparison.Ordinal))).ToList();
        _problems.AddRange(unexpected.Select(entry => $"unexpected: {entry.Name} {entry}"));
        BadRequestException.ThrowIfAny(_problems);
        return [.. left.Select(entry => $"{entry.Name} {entry}")];
    }
}
