// What the REST and the gRPC side of inference share.
using System.Collections.Concurrent;
using FeatureForge.Data;
using FeatureForge.Jobs;
using FeatureForge.Learning;

namespace FeatureForge.Server;

/// <summary>There is no such model, or not in that version.</summary>
public sealed class ModelNotFoundException(string message) : Exception(message);

/// <summary>Encoders of the store as models: the newest version of each name.</summary>
public sealed class InferenceService(Store store, InferenceHost host)
{
    public const string ServerName = "featureforge";
    public static string ServerVersion { get; } = typeof(InferenceService).Assembly.GetName().Version?.ToString(3) ?? "0";
    public static IReadOnlyList<string> Extensions { get; } = ["binary_tensor_data", "model_repository"];

    public InferenceHost Host => host;

    // Manifests are read again when their file has changed.
    private readonly ConcurrentDictionary<string, (DateTime Changed, ServedEncoder Encoder)> _known = new(StringComparer.Ordinal);

    public IReadOnlyList<ServedEncoder> All() => [.. store.Encoders().Select(encoder => new ServedEncoder(encoder))];

    /// <param name="version">An encoder_id; null or empty means whichever there is.</param>
    /// <exception cref="ModelNotFoundException">There is none.</exception>
    public ServedEncoder Find(string name, string? version)
    {
        if (Names.Problem("encoder", name) is not null) throw new ModelNotFoundException($"There is no model '{name}'.");
        var changed = store.ChangedAt(Path.Combine(store.EncoderFolder(name), "encoder.json"));
        if (!_known.TryGetValue(name, out var known) || known.Changed != changed)
        {
            if (store.FindEncoder(name) is not { } found) throw new ModelNotFoundException($"There is no model '{name}'.");
            _known[name] = known = (changed, new(found));
        }
        var encoder = known.Encoder.Manifest;
        return string.IsNullOrEmpty(version) || version == encoder.EncoderId ? known.Encoder : throw new ModelNotFoundException($"Model '{name}' has version {encoder.EncoderId}; version '{version}' is not there.");
    }

    /// <summary>Vectors for the asked outputs, or for the usual one.</summary>
    public Task<IReadOnlyList<LevelVectors>> InferAsync(ServedEncoder encoder, IReadOnlyList<RawTensor> inputs, IReadOnlyList<string> outputs, CancellationToken stop) =>
        host.EmbedAsync(encoder.Manifest, outputs.Count == 0 ? [encoder.UsualOutput] : outputs, encoder.ItemsOf(inputs), stop);
}
