// The file format: round trip, stable bytes, and files that are not whole.
using FeatureForge.TestKit;
using TorchSharp;
using static TorchSharp.torch;

namespace FeatureForge.Tensors.Tests;

public sealed class SafetensorsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string PathOf(string name) => Path.Combine(_folder.Path, name);

    [Fact]
    public void Tensors_of_every_type_and_shape_come_back_exactly()
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>
        {
            ["b"] = HostCopies.ToTensor([1.5f, -2, 3, 4], [2, 2], CPU),
            ["a"] = HostCopies.ToTensor([7L], [], CPU),
            ["empty"] = zeros(0, 3),
            ["bytes"] = HostCopies.ToTensor("xyz"u8, [3], CPU),
            ["half"] = ones(2).to(ScalarType.Float16),
        };

        Safetensors.Write(PathOf("x"), tensors, new Dictionary<string, string> { ["k"] = "v \"quoted\"" });
        var (read, metadata) = Safetensors.Read(PathOf("x"));

        Assert.Equal(tensors.Keys.Order(), read.Keys.Order());
        Assert.All(tensors, pair => Assert.True(pair.Value.shape.SequenceEqual(read[pair.Key].shape) && pair.Value.dtype == read[pair.Key].dtype && pair.Value.equal(read[pair.Key]).all().item<bool>()));
        Assert.Equal("v \"quoted\"", metadata["k"]);
    }

    [Fact]
    public void Equal_content_gives_equal_bytes_whatever_the_order()
    {
        using var scope = NewDisposeScope();
        var (one, two) = (ones(3), zeros(2));

        Safetensors.Write(PathOf("x"), new Dictionary<string, Tensor> { ["one"] = one, ["two"] = two });
        Safetensors.Write(PathOf("y"), new Dictionary<string, Tensor> { ["two"] = two, ["one"] = one });

        Assert.Equal(File.ReadAllBytes(PathOf("x")), File.ReadAllBytes(PathOf("y")));
    }

    [Fact]
    public void A_file_that_is_not_whole_is_refused_by_name()
    {
        using var scope = NewDisposeScope();
        Safetensors.Write(PathOf("x"), new Dictionary<string, Tensor> { ["w"] = ones(100) });
        var bytes = File.ReadAllBytes(PathOf("x"));

        foreach (var length in new[] { 0, 4, 20, bytes.Length - 1 })
        {
            File.WriteAllBytes(PathOf("cut"), bytes[..length]);
            Assert.Contains("cut", Assert.Throws<InvalidDataException>(() => Safetensors.Read(PathOf("cut"))).Message);
        }
    }
}
