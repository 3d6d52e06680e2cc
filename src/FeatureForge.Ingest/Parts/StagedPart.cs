// A finished unit of work in the staging folder: up to 2048 items with their prepared forms, and what else was found among
// them. It exists when its folder has its final name; part.json inside says what a resumed run must not do again.
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>One prepared file of a staged part, with the pieces that it goes on in.</summary>
internal sealed record StagedPrepared(PreparationSpec Preparation, string File, long Rows, int Pieces = 1);

/// <summary>part.json.</summary>
internal sealed record StagedPart
{
    public const string ItemsFile = "items.parquet";
    public const string QuarantineFile = "quarantine.parquet";
    public const string IdsFile = "ids.bin";
    public const string DoneFile = "done.bin";

    /// <summary>0, 1, 2… in source order; not the number it is published under.</summary>
    public required int Number { get; init; }
    public required IReadOnlyDictionary<Modality, long> Items { get; init; }
    /// <summary>All modalities together.</summary>
    public required int ItemCount { get; init; }
    public required IReadOnlyList<StagedPrepared> Prepared { get; init; }
    public required IReadOnlyDictionary<RejectionCode, long> Quarantined { get; init; }
    public required long Duplicates { get; init; }
    public required long AlreadyThere { get; init; }
    public required long AlreadyQuarantined { get; init; }
    /// <summary>Of <see cref="AlreadyThere"/>, those whose item was removed from the corpus.</summary>
    public long StayRemoved { get; init; }
    /// <summary>The largest groups among <see cref="Duplicates"/>.</summary>
    public IReadOnlyList<ExactDuplicateGroup> Copies { get; init; } = [];
    /// <summary>Items that nearly equal another.</summary>
    public long NearDuplicates { get; init; }
    /// <summary>How many findings it settles.</summary>
    public required int DoneCount { get; init; }

    /// <summary>What tells findings apart: source URI and path.</summary>
    public static string KeyOf(Finding finding) => $"{finding.Candidate?.SourceUri ?? finding.Rejection!.SourceUri}\n{finding.Path}";

    /// <summary>Such a key in 16 bytes.</summary>
    public static UInt128 ShortKey(string key)
    {
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(key), hash);
        return MemoryMarshal.Read<UInt128>(hash);
    }

    public static void WriteKeys(string folder, string file, ReadOnlySpan<UInt128> keys) => File.WriteAllBytes(Path.Combine(folder, file), MemoryMarshal.AsBytes(keys));

    /// <summary>Ids of its items, or keys of what it settles: 16 bytes each, kept beside part.json.</summary>
    public IEnumerable<UInt128> ReadKeys(RunContext context, string file) => MemoryMarshal.Cast<byte, UInt128>(File.ReadAllBytes(Path.Combine(Folder(context), file))).ToArray();

    /// <summary>Whether the corpus has got items of these parts from elsewhere: publishing them would make them twice.</summary>
    public static bool Overlap(RunContext context, IEnumerable<StagedPart> parts, KnownCorpus known) => parts.SelectMany(part => part.ReadKeys(context, IdsFile)).Any(known.HasItem);

    public static string Folder(RunContext context, int number) => Path.Combine(context.StagingFolder, "parts", $"part-{number:D5}");

    public string Folder(RunContext context) => Folder(context, Number);

    /// <summary>The finished parts of earlier attempts at the run, in order; unfinished ones are removed.</summary>
    public static List<StagedPart> Load(RunContext context)
    {
        var parts = new List<StagedPart>();
        var folder = Path.Combine(context.StagingFolder, "parts");
        if (!Directory.Exists(folder)) return parts;
        foreach (var unfinished in Directory.EnumerateDirectories(folder, "*.tmp").ToList()) Directory.Delete(unfinished, recursive: true);
        while (File.Exists(Path.Combine(Folder(context, parts.Count), "part.json")))
        {
            parts.Add(JsonSerializer.Deserialize<StagedPart>(File.ReadAllText(Path.Combine(Folder(context, parts.Count), "part.json")), SpecJson.Readable)!);
        }
        return parts;
    }
}
