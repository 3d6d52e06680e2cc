// Edits the version needs (.gnu.version_r) of a 64-bit little-endian ELF library in memory.
// Layout: System V ABI, "Symbol Versioning" (Elf64_Verneed, Elf64_Vernaux).
using System.Buffers.Binary;
using System.Text;

namespace FeatureForge.Tensors;

internal static class ElfVersionNeeds
{
    private const uint VersionNeedSection = 0x6ffffffe;
    private const ushort WeakFlag = 2;

    /// <summary>Sets the weak flag on every need of <paramref name="version"/>, so that the loader tolerates its absence.</summary>
    /// <returns>How many needs were changed.</returns>
    internal static int MakeWeak(Span<byte> elf, string version)
    {
        if (elf.Length < 64 || !elf[..4].SequenceEqual("\u007fELF"u8) || elf[4] != 2 || elf[5] != 1)
            throw new BadImageFormatException("Expected a 64-bit little-endian ELF library.");
        var sections = (int)BinaryPrimitives.ReadUInt64LittleEndian(elf[0x28..]);
        var sectionSize = BinaryPrimitives.ReadUInt16LittleEndian(elf[0x3a..]);
        var sectionCount = BinaryPrimitives.ReadUInt16LittleEndian(elf[0x3c..]);

        var changed = 0;
        for (var i = 0; i < sectionCount; i++)
        {
            var header = elf[(sections + i * sectionSize)..];
            if (BinaryPrimitives.ReadUInt32LittleEndian(header[4..]) != VersionNeedSection) continue;
            var strings = elf[(sections + (int)BinaryPrimitives.ReadUInt32LittleEndian(header[0x28..]) * sectionSize)..];
            var names = (int)BinaryPrimitives.ReadUInt64LittleEndian(strings[0x18..]);
            changed += MakeWeakIn(elf, (int)BinaryPrimitives.ReadUInt64LittleEndian(header[0x18..]), names, version);
        }
        return changed;
    }

    private static int MakeWeakIn(Span<byte> elf, int need, int names, string version)
    {
        var changed = 0;
        while (true)
        {
            var count = BinaryPrimitives.ReadUInt16LittleEndian(elf[(need + 2)..]);
            var entry = need + (int)BinaryPrimitives.ReadUInt32LittleEndian(elf[(need + 8)..]);
            for (var j = 0; j < count; j++)
            {
                var flags = elf[(entry + 4)..];
                if (NameAt(elf, names + (int)BinaryPrimitives.ReadUInt32LittleEndian(elf[(entry + 8)..])) == version)
                {
                    BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(flags) | WeakFlag));
                    changed++;
                }
                entry += (int)BinaryPrimitives.ReadUInt32LittleEndian(elf[(entry + 12)..]);
            }
            var next = (int)BinaryPrimitives.ReadUInt32LittleEndian(elf[(need + 12)..]);
            if (next == 0) return changed;
            need += next;
        }
    }

    private static string NameAt(Span<byte> elf, int offset)
    {
        var tail = elf[offset..];
        return Encoding.ASCII.GetString(tail[..tail.IndexOf((byte)0)]);
    }
}
