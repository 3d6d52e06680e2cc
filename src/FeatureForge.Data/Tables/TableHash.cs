// A content hash of a table that does not depend on the order of rows or on part boundaries:
// the sum modulo 2^256 of the rows' SHA-256 (multiset hash AdHash: Bellare and Micciancio 1997), with the row count.
using System.Buffers.Binary;

namespace FeatureForge.Data;

/// <summary>Accumulates rows; equal multisets of rows give equal hashes.</summary>
public sealed class TableHash
{
    private readonly ulong[] _sum = new ulong[4];

    /// <summary>Rows added so far.</summary>
    public long Rows { get; private set; }

    internal void Add(CanonicalEncoder encoder)
    {
        Span<byte> hash = stackalloc byte[32];
        encoder.Finish(hash);
        ulong carry = 0;
        for (var i = 0; i < 4; i++)
        {
            var total = (UInt128)_sum[i] + BinaryPrimitives.ReadUInt64LittleEndian(hash[(8 * i)..]) + carry;
            _sum[i] = (ulong)total;
            carry = (ulong)(total >> 64);
        }
        Rows++;
    }

    /// <summary>64 hex characters.</summary>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[40];
        for (var i = 0; i < 4; i++) BinaryPrimitives.WriteUInt64LittleEndian(bytes[(8 * i)..], _sum[i]);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[32..], Rows);
        return ContentId.Sha256(bytes);
    }
}
