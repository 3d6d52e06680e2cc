// Names of archive entries: what is harmless, what climbs out of the archive, and how a name that comes twice is told apart.
using System.Text;

namespace FeatureForge.Ingest;

internal static class EntryName
{
    /// <summary>The name with `/` separators and without a leading "./", or why it is unsafe.</summary>
    public static (string Name, string? Problem) Check(string name)
    {
        var tidy = name.Replace('\\', '/');
        while (tidy.StartsWith("./", StringComparison.Ordinal)) tidy = tidy[2..];
        if (tidy.Length == 0) return (name.Length == 0 ? "(no name)" : name, "The entry has no name.");
        if (tidy[0] == '/' || (tidy.Length > 1 && tidy[1] == ':' && char.IsAsciiLetter(tidy[0])))
            return (Shown(tidy), $"The entry name '{Shown(name)}' is an absolute path; expected a path inside the archive.");
        if (tidy.Split('/').Contains("..")) return (Shown(tidy), $"The entry name '{Shown(name)}' climbs out of the archive with '..'.");
        if (tidy.Any(char.IsControl)) return (Shown(tidy), "The entry name holds control characters.");
        return (tidy, null);
    }

    private static string Shown(string name) => new([.. name.Select(c => char.IsControl(c) ? '\uFFFD' : c)]);
}

/// <summary>Entries of one archive may have the same name: the second is `name~2`.</summary>
internal sealed class DistinctNames
{
    private readonly Dictionary<string, int> _seen = new(StringComparer.Ordinal);

    public string Next(string name)
    {
        var times = _seen[name] = _seen.GetValueOrDefault(name) + 1;
        return times == 1 ? name : $"{name}~{times}";
    }
}

/// <summary>Names of zip entries without the UTF-8 flag: UTF-8 all the same where the bytes are, else code page 437, as the format says.</summary>
internal sealed class ZipNameEncoding : Encoding
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly Encoding Original = CodePagesEncodingProvider.Instance.GetEncoding(437)!;

    public override int GetCharCount(byte[] bytes, int index, int count) => Of(bytes, index, count).GetCharCount(bytes, index, count);

    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex) => Of(bytes, byteIndex, byteCount).GetChars(bytes, byteIndex, byteCount, chars, charIndex);

    public override int GetByteCount(char[] chars, int index, int count) => Strict.GetByteCount(chars, index, count);

    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) => Strict.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

    public override int GetMaxByteCount(int charCount) => Strict.GetMaxByteCount(charCount);

    public override int GetMaxCharCount(int byteCount) => Strict.GetMaxCharCount(byteCount);

    private static Encoding Of(byte[] bytes, int index, int count) => System.Text.Unicode.Utf8.IsValid(bytes.AsSpan(index, count)) ? Strict : Original;
}
