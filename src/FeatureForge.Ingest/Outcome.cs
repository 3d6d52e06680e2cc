// What became of one finding: an item with its prepared forms, a rejection, or nothing new.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal enum OutcomeKind
{
    Item,
    /// <summary>The id is known: in the corpus, or from earlier in the run.</summary>
    KnownItem,
    Rejected,
    /// <summary>The same path and content was quarantined by an earlier run.</summary>
    KnownRejection,
    /// <summary>Decode it again when nothing else is being decoded.</summary>
    TooBigForNow,
}

internal sealed record Outcome
{
    public required OutcomeKind Kind { get; init; }
    public required Finding Finding { get; init; }
    public ItemRow? Row { get; init; }
    public string? ItemId { get; init; }
    /// <summary>All 256 bits, hex, of an item.</summary>
    public string? Sha256 { get; init; }
    public Rejection? Rejection { get; init; }
    /// <summary>[3, S, S] by S: one size once it is chosen, all candidates before.</summary>
    public IReadOnlyDictionary<int, byte[]>? Images { get; init; }
    /// <summary>Mono, at the preparation's rate.</summary>
    public KeptSamples? Samples { get; init; }
    /// <summary>Bytes held in the memory gate for it.</summary>
    public long GateBytes => Finding.Candidate is FileCandidate { Bytes: { } bytes } ? bytes.Length : 0;
}
