// The ELF edit: one flag on one entry, nothing else.
using System.Buffers.Binary;
using System.Text;

namespace FeatureForge.Tensors.Tests;

public sealed class ElfVersionNeedsTests
{
    private const int FirstFlags = 0x140 + 16 + 4;
    private const int SecondFlags = FirstFlags + 16;

    [Fact]
    public void Only_the_named_version_becomes_weak()
    {
        var elf = LibraryNeeding("GLIBCXX_3.4.32", "GLIBCXX_3.4.29");
        var before = (byte[])elf.Clone();

        var changed = ElfVersionNeeds.MakeWeak(elf, "GLIBCXX_3.4.32");

        Assert.Equal(1, changed);
        Assert.Equal([FirstFlags], Differences(before, elf));
        Assert.Equal(2, elf[FirstFlags]);
    }

    [Fact]
    public void A_version_further_down_the_list_is_found()
    {
        var elf = LibraryNeeding("GLIBCXX_3.4", "GLIBCXX_3.4.32");
        var before = (byte[])elf.Clone();

        ElfVersionNeeds.MakeWeak(elf, "GLIBCXX_3.4.32");

        Assert.Equal([SecondFlags], Differences(before, elf));
    }

    [Fact]
    public void A_version_that_only_begins_alike_is_left_alone()
    {
        var elf = LibraryNeeding("GLIBCXX_3.4.321", "GLIBCXX_3.4.3");
        var before = (byte[])elf.Clone();

        Assert.Equal(0, ElfVersionNeeds.MakeWeak(elf, "GLIBCXX_3.4.32"));
        Assert.Equal(before, elf);
    }

    [Theory]
    [InlineData("")]
    [InlineData("MZ this is no ELF library, but long enough to hold a header of one: 64")]
    public void Anything_but_an_ELF_library_is_refused(string content) =>
        Assert.Throws<BadImageFormatException>(() => ElfVersionNeeds.MakeWeak(Encoding.ASCII.GetBytes(content), "GLIBCXX_3.4.32"));

    [Fact]
    public void The_real_shim_changes_in_at_most_one_byte()
    {
        var shim = Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libLibTorchSharp.so");
        if (!File.Exists(shim)) return;
        var before = File.ReadAllBytes(shim);
        var after = (byte[])before.Clone();

        var changed = ElfVersionNeeds.MakeWeak(after, "GLIBCXX_3.4.32");

        Assert.InRange(changed, 0, 1);
        Assert.Equal(changed, Differences(before, after).Count);
    }

    private static List<int> Differences(byte[] before, byte[] after) =>
        [.. Enumerable.Range(0, before.Length).Where(i => before[i] != after[i])];

    /// <summary>A header, two sections (version needs linked to strings), one needed library with two versions.</summary>
    private static byte[] LibraryNeeding(string first, string second)
    {
        const int sections = 0x40, strings = 0x180, needs = 0x140;
        var elf = new byte[0x200];
        void U16(int at, int value) => BinaryPrimitives.WriteUInt16LittleEndian(elf.AsSpan(at), (ushort)value);
        void U32(int at, long value) => BinaryPrimitives.WriteUInt32LittleEndian(elf.AsSpan(at), (uint)value);
        void U64(int at, long value) => BinaryPrimitives.WriteInt64LittleEndian(elf.AsSpan(at), value);
        "\u007fELF"u8.CopyTo(elf);
        (elf[4], elf[5]) = (2, 1);
        U64(0x28, sections);
        U16(0x3a, 0x40);
        U16(0x3c, 3);
        U32(sections + 0x40 + 4, 0x6ffffffe);
        U64(sections + 0x40 + 0x18, needs);
        U32(sections + 0x40 + 0x28, 2);
        U32(sections + 0x80 + 4, 3);
        U64(sections + 0x80 + 0x18, strings);
        U16(needs, 1);
        U16(needs + 2, 2);
        U32(needs + 8, 16);
        U32(needs + 16 + 8, 1);
        U32(needs + 16 + 12, 16);
        U32(needs + 32 + 8, first.Length + 2);
        Encoding.ASCII.GetBytes(first).CopyTo(elf, strings + 1);
        Encoding.ASCII.GetBytes(second).CopyTo(elf, strings + first.Length + 2);
        return elf;
    }
}
