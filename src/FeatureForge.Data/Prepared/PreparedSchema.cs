// The Arrow schemas of prepared parts. One record batch holds at most a bounded number of bytes, so that offsets stay in 32 bits.
// prepared/2 (audio): a long recording has several rows with the same item_id, in order; prepared/1 had one row each and reads the same.
using Apache.Arrow;
using Apache.Arrow.Types;

namespace FeatureForge.Data;

internal static class PreparedSchema
{
    internal static Schema Of(PreparationSpec preparation)
    {
        Field[] fields = preparation.Modality switch
        {
            Modality.Image =>
            [
                Id, Whole("source_width"), Whole("source_height"),
                new("pixels", new FixedSizeBinaryType(PixelBytes(preparation)), nullable: false),
            ],
            Modality.Audio => [Id, Whole("duration_ms"), new("samples", new ListType(new Field("element", Int16Type.Default, nullable: false)), nullable: false)],
            _ => [Id, new("text", StringType.Default, nullable: false)],
        };
        return new(fields, new Dictionary<string, string> { ["featureforge.schema"] = preparation.Modality == Modality.Audio ? "prepared/2" : "prepared/1", ["featureforge.preparation"] = preparation.Hash });
    }

    /// <summary>3 channels of S x S bytes.</summary>
    internal static int PixelBytes(PreparationSpec preparation) => 3 * preparation.ImageSize!.Value * preparation.ImageSize.Value;

    private static Field Id => new("item_id", StringType.Default, nullable: false);
    private static Field Whole(string name) => new(name, Int32Type.Default, nullable: false);
}
