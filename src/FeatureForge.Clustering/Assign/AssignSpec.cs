// The request of an assign run and what it gives back.
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

/// <summary>Put the vectors of a set that a clustering does not hold yet into its tree; the tree stays as it is.</summary>
public sealed record AssignSpec
{
    public required string Clustering { get; init; }
    /// <summary>A set of the same encoder; of the clustering's own set, the vectors that came after it.</summary>
    public required string Set { get; init; }
    /// <summary>auto, cpu or cuda.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Into how many shard runs the search for neighbours is split. Null: one run does all. The run that has this and no <see cref="Shard"/> makes what the shards have left, and publishes.</summary>
    public int? Shards { get; init; }
    /// <summary>Which of them this run is, from 0: it makes its share of the neighbour tables and publishes nothing.</summary>
    public int? Shard { get; init; }

    /// <summary>The same work as a pipeline: that many shard runs side by side, then one that publishes.</summary>
    /// <exception cref="BadRequestException">The request is wrong.</exception>
    public PipelineSpec InShards(int count)
    {
        var whole = this with { Shards = count, Shard = null };
        BadRequestException.ThrowIfAny(whole.Problems());
        return PipelineSpec.InShards($"assign {Set} to {Clustering}", RunKind.Assign, count, shard => whole with { Shard = shard });
    }

    /// <summary>Every problem of the request that can be seen without the store.</summary>
    public IReadOnlyList<string> Problems() =>
        [.. new[] { PipelineSpec.ShardProblem(Shards, Shard), Names.Problem("clustering", Clustering), Names.Problem("embedding set", Set), DeviceChoice.Problem(Device) }.OfType<string>()];
}

/// <summary>What an assign run did.</summary>
/// <param name="Vectors">Vectors that were looked at.</param>
/// <param name="OutOfDistribution">Those that are like nothing the tree was made of; they got no cluster.</param>
/// <param name="MeanStrength">Of the others; 0 when there is none.</param>
/// <param name="Table">The assignments, relative to the store.</param>
public sealed record AssignResult(string Clustering, string Set, long Vectors, long OutOfDistribution, double MeanStrength, string Table, double Seconds);
