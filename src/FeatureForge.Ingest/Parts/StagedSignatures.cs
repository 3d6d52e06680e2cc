// The signatures of a staged part's items that lead nowhere, in source order: signatures.bin. Unlike the items file it stays in the
// staging folder while a run publishes, so a run killed then can still compare what is new with what it had staged.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal static class StagedSignatures
{
    private const string File = "signatures.bin";

    /// <summary>Per item: 16 bytes of its id, the signature's length in one byte, the signature.</summary>
    public static void Write(string folder, IEnumerable<ItemRow> rows)
    {
        using var stream = new BufferedStream(System.IO.File.Create(Path.Combine(folder, File)));
        foreach (var row in rows)
        {
            stream.Write(Convert.FromHexString(row.ItemId));
            stream.WriteByte((byte)row.Signature!.Length);
            stream.Write(row.Signature);
        }
    }

    /// <summary>Nothing when the part has none.</summary>
    public static IEnumerable<(string ItemId, byte[] Signature)> Read(string folder)
    {
        var path = Path.Combine(folder, File);
        if (!System.IO.File.Exists(path)) yield break;
        using var stream = new BufferedStream(System.IO.File.OpenRead(path));
        var id = new byte[16];
        while (stream.ReadAtLeast(id, id.Length, throwOnEndOfStream: false) == id.Length)
        {
            var signature = new byte[stream.ReadByte()];
            stream.ReadExactly(signature);
            yield return (Convert.ToHexStringLower(id), signature);
        }
    }
}
