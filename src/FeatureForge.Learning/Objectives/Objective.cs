// What an objective is: a head of its own on the encoder, and a loss. A recipe lists several with weights; their losses add up.
// One file per objective, with paper and formula; objectives know shapes alone, so each serves every modality's front end.
using System.Text.Json;
using System.Text.Json.Serialization;
using FeatureForge.Data;
using FeatureForge.Tensors;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Learning;

/// <summary>An objective in a recipe: its kind, its weight in the sum, and its own settings.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(NtXentSpec), "nt-xent")]
[JsonDerivedType(typeof(SigRegSpec), "sigreg")]
[JsonDerivedType(typeof(VisRegSpec), "visreg")]
[JsonDerivedType(typeof(VicRegSpec), "vicreg")]
[JsonDerivedType(typeof(BarlowTwinsSpec), "barlow-twins")]
[JsonDerivedType(typeof(ByolSpec), "byol")]
[JsonDerivedType(typeof(SwavSpec), "swav")]
[JsonDerivedType(typeof(SimDinoSpec), "simdino")]
[JsonDerivedType(typeof(TotalCodingRateSpec), "total-coding-rate")]
[JsonDerivedType(typeof(MaskedAutoencoderSpec), "masked-autoencoder")]
[JsonDerivedType(typeof(MaskedLatentSpec), "masked-latent")]
[JsonDerivedType(typeof(MaskedTokensSpec), "masked-tokens")]
internal abstract record ObjectiveSpec
{
    /// <summary>Factor of this loss in the sum.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>Every problem of the settings, each a sentence.</summary>
    public virtual IEnumerable<string> Problems()
    {
        if (!(Weight > 0) || !double.IsFinite(Weight)) yield return $"weight is {Weight}; expected more than 0.";
    }

    /// <summary>The settings in one line for people, such as "nt-xent (weight 1, temperature 0.2)".</summary>
    public string Describe()
    {
        var settings = JsonSerializer.SerializeToElement(this, SpecJson.Line);
        var numbers = settings.EnumerateObject().Where(property => property.Value.ValueKind is JsonValueKind.Number).Select(property => $"{property.Name} {property.Value}");
        return $"{settings.GetProperty("kind").GetString()} ({string.Join(", ", numbers)})";
    }

    /// <summary>The objective with fresh heads; random weights come from torch's current seed.</summary>
    public abstract Objective Build(EncoderShape shape);
}

/// <summary>What heads need to know of the encoder: D of pooled vectors, D of cells, P values that one cell sees, words of a vocabulary (0 = not text).</summary>
internal readonly record struct EncoderShape(long Width, long CellWidth, long PatchWidth, long Vocabulary);

/// <summary>What the encoder made of one batch. V views of B items, the first G of them global.</summary>
internal sealed record ObjectiveInput
{
    /// <summary>Pooled vectors of all views, [V, B, D], of any precision; gradients flow.</summary>
    public required Tensor Features { get; init; }

    /// <summary>G: how many of the views, the first ones, are global.</summary>
    public required int GlobalViews { get; init; }

    /// <summary>What <see cref="Objective.Target"/> of the teacher's copy returned; null when the objective has no teacher.</summary>
    public Tensor? Target { get; init; }

    /// <summary>The first global views with part of their cells hidden; null when no objective asked for it.</summary>
    public MaskedCells? Masked { get; init; }

    /// <summary>Draws of this step for this objective.</summary>
    public required StepRandom Random { get; init; }

    /// <summary>The features in single precision, [V, B, D]: statistics of a batch drown in the rounding of half precision.</summary>
    /// <exception cref="ArgumentException">Another width than <paramref name="width"/>, fewer than two views or items, or no such number of global views.</exception>
    public Tensor Views(long width)
    {
        Require.Shape(Features, Require.Any, Require.Any, width);
        var (views, items) = (Features.size(0), Features.size(1));
        if (views < 2 || items < 2) throw new ArgumentException($"Expected at least [2, 2, {width}]: two views of two items, found [{views}, {items}, {width}].");
        if (GlobalViews < 1 || GlobalViews > views) throw new ArgumentException($"Expected 1 to {views} global views among features [{views}, {items}, {width}], found {GlobalViews}.");
        return Features.to(ScalarType.Float32);
    }
}

/// <summary>One view of each item, encoded with some cells hidden. N = B items, T cells.</summary>
internal sealed record MaskedCells
{
    /// <summary>The encoder's last cells of the masked input, [N, T, D]; gradients flow.</summary>
    public required Tensor Cells { get; init; }

    /// <summary>True where the input was hidden, [N, T].</summary>
    public required Tensor Hidden { get; init; }

    /// <summary>The unmasked input that each cell covers, [N, T, P]; for text the words' vectors.</summary>
    public required Tensor Patches { get; init; }

    /// <summary>The teacher's cells of the unmasked view, one per tapped level of the same grid, each [N, T, Dk]; empty without a teacher.</summary>
    public IReadOnlyList<Tensor> TeacherLayers { get; init; } = [];

    /// <summary>Token numbers, [N, T] int64, 0 = padding; null unless text.</summary>
    public Tensor? Tokens { get; init; }
}

/// <summary>How cells are hidden: the share, and the side of the hidden blocks in cells.</summary>
internal sealed record MaskSpec(double Share, int Block);

/// <summary>A head and a loss. Submodules are fields: they are trained with the encoder and thrown away afterwards.</summary>
internal abstract class Objective(string name) : nn.Module(name)
{
    /// <summary>The scalar loss of one batch, in single precision. To be called outside autocast, which would round its sums.</summary>
    /// <exception cref="ArgumentException">The input's shape does not fit; the message shows both.</exception>
    public abstract Tensor Loss(ObjectiveInput input);

    /// <summary>True when a teacher (running mean of encoder and head) has to look at the same views.</summary>
    public virtual bool NeedsTeacher => false;

    /// <summary>How cells are to be hidden; null = no masked input wanted.</summary>
    public virtual MaskSpec? Mask => null;

    /// <summary>Called in the teacher's copy, without gradients: its pooled vectors of the global views [G, B, D] to what the student is to match.</summary>
    public virtual Tensor? Target(Tensor features) => null;
}
