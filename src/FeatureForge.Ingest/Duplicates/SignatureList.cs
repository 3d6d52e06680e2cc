// Item ids and signatures of one kind, in order of arrival, in blocks: nothing is copied when the list grows.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal sealed class SignatureList(int signatureBytes)
{
    private const int PerBlock = 8192;

    private readonly List<byte[]> _signatures = [];
    private readonly List<UInt128[]> _ids = [];

    public int Count { get; private set; }

    public ReadOnlySpan<byte> this[int index] => _signatures[index / PerBlock].AsSpan(index % PerBlock * signatureBytes, signatureBytes);

    public string IdOf(int index) => ItemIdSet.Text(_ids[index / PerBlock][index % PerBlock]);

    public void Add(string itemId, ReadOnlySpan<byte> signature)
    {
        var at = Count % PerBlock;
        if (at == 0)
        {
            _signatures.Add(new byte[PerBlock * signatureBytes]);
            _ids.Add(new UInt128[PerBlock]);
        }
        signature.CopyTo(_signatures[^1].AsSpan(at * signatureBytes));
        _ids[^1][at] = ItemIdSet.Key(itemId);
        Count++;
    }
}
