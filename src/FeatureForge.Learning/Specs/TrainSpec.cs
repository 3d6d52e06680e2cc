// The request of a training run and what it gives back.
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Learning;

/// <summary>Train an encoder on a corpus without labels. At most one of minutes, epochs and steps may be given.</summary>
public sealed record TrainSpec
{
    public required string Corpus { get; init; }
    /// <summary>Name of the encoder to make.</summary>
    public required string Encoder { get; init; }
    /// <summary>Name of a built-in recipe or path of a recipe file; null = the modality's default.</summary>
    public string? Recipe { get; init; }
    /// <summary>Stop after about this long: the speed is measured in the first steps and fixes the number of steps.</summary>
    public double? Minutes { get; init; }
    /// <summary>Passes over the corpus.</summary>
    public double? Epochs { get; init; }
    /// <summary>Optimiser steps.</summary>
    public long? Steps { get; init; }
    public int Seed { get; init; }
    /// <summary>auto, cpu or cuda.</summary>
    public string Device { get; init; } = "auto";
    /// <summary>An encoder of the store, or a .safetensors file, whose weights to continue from; null = start fresh.</summary>
    public string? From { get; init; }
    /// <summary>Needed only when the corpus holds several modalities; null = the only one.</summary>
    public Modality? Modality { get; init; }

    /// <summary>Every problem of the request that can be seen without the store.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        void Check(string? problem) { if (problem is not null) problems.Add(problem); }
        Check(Names.Problem("corpus", Corpus));
        Check(Names.Problem("encoder", Encoder));
        Check(DeviceChoice.Problem(Device));
        if (new object?[] { Minutes, Epochs, Steps }.Count(budget => budget is not null) > 1)
            Check("Give at most one of minutes, epochs and steps.");
        if (Minutes is <= 0 or > 100_000 or double.NaN) Check($"minutes is {Minutes}; expected more than 0 and at most 100000.");
        if (Epochs is <= 0 or > 1_000_000 or double.NaN) Check($"epochs is {Epochs}; expected more than 0 and at most 1000000.");
        if (Steps is <= 0) Check($"steps is {Steps}; expected 1 or more.");
        return problems;
    }
}

/// <summary>What a finished training run made.</summary>
public sealed record TrainResult
{
    public required string Encoder { get; init; }
    public required string EncoderId { get; init; }
    public required Modality Modality { get; init; }
    public required string Recipe { get; init; }
    /// <summary>Optimiser steps in total, those before a resume included.</summary>
    public required long Steps { get; init; }
    /// <summary>Seconds this attempt trained.</summary>
    public required double Seconds { get; init; }
    /// <summary>Processor seconds of this attempt, all threads together.</summary>
    public double CpuSeconds { get; init; }
    /// <summary>Share of the training time of this attempt that was spent waiting for batches.</summary>
    public double DataWait { get; init; }
    /// <summary>Mean loss of the last steps.</summary>
    public required double FinalLoss { get; init; }
    public required string Device { get; init; }
    /// <summary>Label-free quality of the published weights by "measure.level", for instance "rankme_ratio.high", "retrieval.raw".</summary>
    public required IReadOnlyDictionary<string, double> Probes { get; init; }
    /// <summary>The level that the label-free scores recommend for clustering.</summary>
    public string? RecommendedLevel { get; init; }
    /// <summary>True when the same request had been trained before and nothing was done.</summary>
    public bool AlreadyDone { get; init; }
}
