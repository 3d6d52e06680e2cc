// The request of an extraction run and what it gives back.
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Learning;

/// <summary>One vector per span of every item of a corpus, at every level asked for. What a set already has is not made again.</summary>
public sealed record ExtractSpec
{
    public required string Corpus { get; init; }
    public required string Encoder { get; init; }
    /// <summary>Name of the embedding set to make or complete.</summary>
    public required string Set { get; init; }
    public IReadOnlyList<Grain> Grains { get; init; } = [Grain.Item, Grain.Segment];
    public IReadOnlyList<string> Levels { get; init; } = Level.All;
    /// <summary>float32 or float16.</summary>
    public string Dtype { get; init; } = "float32";
    /// <summary>auto, cpu or cuda.</summary>
    public string Device { get; init; } = "auto";
    /// <summary>Into how many shard runs the work is split. Null: one run does all. The run that has this and no <see cref="Shard"/> makes what the shards have left and publishes.</summary>
    public int? Shards { get; init; }
    /// <summary>Which of them this run is, from 0: it makes its share of the parts and publishes nothing.</summary>
    public int? Shard { get; init; }

    /// <summary>The same work as a pipeline: that many shard runs side by side, then one that publishes. Named shard-1, shard-2, …, extract.</summary>
    /// <exception cref="BadRequestException">The number is no such number.</exception>
    public PipelineSpec InShards(int count)
    {
        var whole = this with { Shards = count, Shard = null };
        BadRequestException.ThrowIfAny(whole.Problems());
        return PipelineSpec.InShards($"extract {Set}", RunKind.Extract, count, shard => whole with { Shard = shard });
    }

    /// <summary>Every problem of the request that can be seen without the store.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        void Check(string? problem) { if (problem is not null) problems.Add(problem); }
        Check(Names.Problem("corpus", Corpus));
        Check(Names.Problem("encoder", Encoder));
        Check(Names.Problem("embedding set", Set));
        Check(DeviceChoice.Problem(Device));
        if (Grains.Count == 0) Check("Name at least one grain: item, segment, patch.");
        if (Levels.Count == 0) Check($"Name at least one level: {string.Join(", ", Level.All)}.");
        if (Dtype is not ("float32" or "float16")) Check($"dtype is '{Dtype}'; expected float32 or float16.");
        Check(PipelineSpec.ShardProblem(Shards, Shard));
        return problems;
    }
}

/// <summary>What an extraction run made.</summary>
public sealed record ExtractResult
{
    public required string Set { get; init; }
    public required string EncoderId { get; init; }
    /// <summary>Items the set covers now.</summary>
    public required long Items { get; init; }
    /// <summary>Items whose vectors this run made; 0 when nothing was missing.</summary>
    public required long NewItems { get; init; }
    /// <summary>Vectors this run wrote, over all levels and grains.</summary>
    public required long NewVectors { get; init; }
    /// <summary>All tables of the set.</summary>
    public required IReadOnlyList<SetTable> Tables { get; init; }
    public required double Seconds { get; init; }
}
