// Files from strangers: whatever the bytes are, reading ends with tensors or with a sentence, and never allocates more than the file holds.
using System.Buffers.Binary;
using System.Text;
using FeatureForge.TestKit;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Tensors.Tests;

public sealed class SafetensorsFuzzTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Make(byte[] bytes, string name = "strange.safetensors")
    {
        var path = Path.Combine(_folder.Path, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static byte[] Bytes(string header, int values, ulong? claimed = null)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + json.Length + values];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, claimed ?? (ulong)json.Length);
        json.CopyTo(bytes, 8);
        return bytes;
    }

    private string Refusal(byte[] bytes)
    {
        using var scope = NewDisposeScope();
        return Assert.Throws<InvalidDataException>(() => Safetensors.Read(Make(bytes))).Message;
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "overlaps the one before it by 4 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[12,20]}}""", 20, "4 bytes before tensor 'b' belong to no tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 9, "last 1 bytes belong to no tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7, "ends at byte")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}""", 16, "8 bytes before tensor 'a'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "needs 12 bytes, its offsets 0 to 8 hold 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "offsets 8 to 0 hold -8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "no shape of at most 64 whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", 8, "no shape of at most 64 whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}""", 8, "beyond all memory")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}}""", 0, "beyond all memory")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[9223372036854775799,9223372036854775807]}}""", 8, "beyond any file")]
    [InlineData("""{"a":{"dtype":"Q7","shape":[2],"data_offsets":[0,8]}}""", 8, "unknown dtype 'Q7'")]
    [InlineData("""{"a":{"dtype":"U32","shape":[2],"data_offsets":[0,8]}}""", 8, "type U32, which cannot be read; readable are F32, F64")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", 8, "names 'a' twice")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"I32","shape":[2],"data_offsets":[0,8]}}""", 8, "one object with different names")]
    [InlineData("""{"a":{"shape":[2],"data_offsets":[0,8]}}""", 8, "has no dtype")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", 8, "no data_offsets")]
    [InlineData("""{"a":[1]}""", 8, "one object")]
    [InlineData("""{"__metadata__":{"k":1}}""", 0, "'k' is not a string")]
    [InlineData("""[1,2]""", 0, "not a JSON object")]
    [InlineData("""{"a":""", 0, "not JSON")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "not JSON")]
    public void What_is_wrong_is_said(string header, int values, string said) => Assert.Contains(said, Refusal(Bytes(header, values)));

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(1UL << 40)]
    [InlineData(100_000_001UL)]
    public void A_header_beyond_the_formats_limit_is_refused_before_it_is_read(ulong claimed) =>
        Assert.Contains($"claims {claimed} bytes; the format allows 100000000", Refusal(Bytes("{}", 0, claimed)));

    [Fact]
    public void A_header_longer_than_the_file_is_refused() => Assert.Contains("claims 5000 bytes of a file of 10", Refusal(Bytes("{}", 0, 5000)));

    [Theory]
    [InlineData("PK\u0003\u0004zip archive")]
    [InlineData("\u0080\u0002}qbare pickle")]
    public void Pickled_files_are_not_read_and_the_conversion_is_told(string content) =>
        Assert.Contains("safetensors.torch", Refusal(Encoding.Latin1.GetBytes(content)));

    [Fact]
    public void Deep_nesting_is_refused() => Assert.Contains("not JSON", Refusal(Bytes("{\"a\":" + new string('[', 50_000), 0)));

    [Fact]
    public void Types_of_every_width_are_read_and_padding_after_the_header_is_fine()
    {
        using var scope = NewDisposeScope();
        var path = Make(Bytes("""{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]},"b":{"dtype":"BOOL","shape":[2],"data_offsets":[2,4]},"c":{"dtype":"I8","shape":[],"data_offsets":[4,5]},"d":{"dtype":"F64","shape":[0,7],"data_offsets":[5,5]}}     """, 5));

        var tensors = Safetensors.Read(path).Tensors;

        Assert.Equal([ScalarType.BFloat16, ScalarType.Bool, ScalarType.Int8, ScalarType.Float64], "abcd".Select(name => tensors[name.ToString()].dtype));
        Assert.Equal([0L, 7], tensors["d"].shape);
    }

    [Fact]
    public void Thousands_of_mutations_end_with_tensors_or_a_sentence()
    {
        using (var scope = NewDisposeScope())
        {
            Safetensors.Write(Path.Combine(_folder.Path, "good"), new Dictionary<string, Tensor>
            {
                ["weight"] = ones(3, 2),
                ["bias"] = ones(3).to(ScalarType.Float16),
                ["empty"] = zeros(0, 4),
                ["count"] = ones(1, dtype: ScalarType.Int64),
            }, new Dictionary<string, string> { ["made"] = "here" });
        }
        var good = File.ReadAllBytes(Path.Combine(_folder.Path, "good"));
        var random = new Random(7);
        var refused = 0;
        for (var round = 0; round < 4000; round++)
        {
            using var scope = NewDisposeScope();
            var path = Make(Mutated(good, random));
            try
            {
                Assert.All(Safetensors.Read(path).Tensors.Values, tensor => Assert.True(tensor.numel() * tensor.ElementSize <= good.Length + 64));
            }
            catch (InvalidDataException error)
            {
                Assert.Contains(path, error.Message);
                refused++;
            }
        }
        // Changed values alone leave a file valid; most other changes must have been noticed.
        Assert.InRange(refused, 2000, 3950);
    }

    private static byte[] Mutated(byte[] good, Random random)
    {
        var bytes = good.ToList();
        var header = 8 + BitConverter.ToInt32(good);
        for (var change = random.Next(1, 4); change > 0; change--)
        {
            var at = random.Next(4) == 0 ? random.Next(bytes.Count) : random.Next(Math.Min(header, bytes.Count));
            switch (random.Next(6))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)"0123456789[]{}\",:-.eE \\u"[random.Next(24)]; break;
                case 2: bytes.RemoveRange(at, Math.Min(random.Next(1, 9), bytes.Count - at - 1)); break;
                case 3: bytes.InsertRange(at, good.Skip(random.Next(good.Length)).Take(random.Next(1, 20)).ToList()); break;
                case 4: bytes[random.Next(8)] = (byte)random.Next(256); break;
                default:
                    // A number of the header becomes another one.
                    var digits = Enumerable.Range(8, Math.Min(header, bytes.Count) - 8).Where(i => char.IsAsciiDigit((char)bytes[i])).ToList();
                    if (digits.Count > 0) bytes[digits[random.Next(digits.Count)]] = (byte)('0' + random.Next(10));
                    break;
            }
            if (bytes.Count < 9) break;
        }
        return [.. bytes];
    }
}
