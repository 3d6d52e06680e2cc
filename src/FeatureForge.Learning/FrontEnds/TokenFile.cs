// The token numbers that training reads again and again, found once: int32 numbers of all items, one after the other, then
// where each item begins (int64), in the run's staging folder. A step reads a stretch of an item, however long that is.
using System.Runtime.InteropServices;
using FeatureForge.Data;

namespace FeatureForge.Learning;

/// <summary>Token numbers of every item, in item order; an item may have none.</summary>
internal sealed class TokenFile : IDisposable
{
    private readonly Microsoft.Win32.SafeHandles.SafeFileHandle _file;
    private readonly long[] _first;

    private TokenFile(Microsoft.Win32.SafeHandles.SafeFileHandle file, long[] first) => (_file, _first) = (file, first);

    /// <summary>Opens the file, making it first when it is not there; <paramref name="tokensOfItems"/> gives the items' tokens in order.</summary>
    /// <exception cref="InvalidDataException">The file there is not of so many items.</exception>
    public static TokenFile Open(string path, int items, Func<IEnumerable<int[]>> tokensOfItems)
    {
        if (!File.Exists(path)) Write(path, tokensOfItems());
        var first = new long[items + 1];
        var bytes = MemoryMarshal.AsBytes(first.AsSpan());
        var file = File.OpenHandle(path);
        var length = RandomAccess.GetLength(file);
        var tokenBytes = length - bytes.Length;
        if (tokenBytes >= 0 && RandomAccess.Read(file, bytes, tokenBytes) == bytes.Length && first[0] == 0 && first[^1] * sizeof(int) == tokenBytes) return new(file, first);
        file.Dispose();
        throw new InvalidDataException($"{path} has {length} bytes and is not of {items} items. Remove the run's staging folder to start over.");
    }

    private static void Write(string path, IEnumerable<int[]> tokensOfItems)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var first = new List<long> { 0 };
        using (var stream = new FileStream(path + ".tmp", FileMode.Create, FileAccess.Write))
        {
            foreach (var tokens in tokensOfItems)
            {
                stream.Write(MemoryMarshal.AsBytes(tokens.AsSpan()));
                first.Add(first[^1] + tokens.Length);
            }
            stream.Write(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(first)));
        }
        DurableFile.MoveInto(path + ".tmp", path);
    }

    /// <summary>How many tokens an item has.</summary>
    public int Count(int item) => (int)(_first[item + 1] - _first[item]);

    /// <summary>Fills the target with the item's tokens from the given one on.</summary>
    public void Read(int item, int start, Span<int> target)
    {
        var bytes = MemoryMarshal.AsBytes(target);
        if (start + target.Length > Count(item) || RandomAccess.Read(_file, bytes, (_first[item] + start) * sizeof(int)) != bytes.Length)
            throw new InvalidDataException($"The token file ends inside item {item}. Remove the run's staging folder to start over.");
    }

    public void Dispose() => _file.Dispose();
}
