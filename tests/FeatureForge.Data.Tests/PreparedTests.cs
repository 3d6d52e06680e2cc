// Prepared parts read back through the memory mapping exactly as written, across batches and parts.
namespace FeatureForge.Data.Tests;

public sealed class PreparedTests : IDisposable
{
    private static readonly PreparationSpec _audio = new() { Modality = Modality.Audio, SampleRate = 16000 };
    private static readonly PreparationSpec _image = new() { Modality = Modality.Image, ImageSize = 2 };
    private static readonly PreparationSpec _text = new() { Modality = Modality.Text };
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ff-prepared-");

    public void Dispose() => _folder.Delete(recursive: true);

    private PreparedCorpus WriteAndOpen(PreparationSpec preparation, params Action<PreparedPartWriter>[] parts)
    {
        var files = new List<PartFile>();
        for (var i = 0; i < parts.Length; i++)
        {
            var path = Path.Combine(_folder.FullName, $"part-{i:D5}.arrow");
            using (var writer = new PreparedPartWriter(path, preparation))
            {
                parts[i](writer);
                writer.Complete();
            }
            files.Add(DurableFile.Describe(path, Path.GetFileName(path), 1));
        }
        return PreparedCorpus.Open(part => Path.Combine(_folder.FullName, part.Path), new() { Corpus = "c", Preparation = preparation, MadeWith = "test", Parts = files });
    }

    [Fact]
    public void Samples_come_back_exactly()
    {
        using var corpus = WriteAndOpen(_audio, part => { part.AddAudio("a", 1, [1, -2, 3]); part.AddAudio("b", 0, []); }, part => part.AddAudio("c", 7, [short.MinValue]));

        Assert.Equal(3, corpus.Count);
        Assert.Equal([1, -2, 3], corpus.Samples(0).ToArray());
        Assert.Empty(corpus.Samples(1).ToArray());
        Assert.Equal([short.MinValue], corpus.Samples(2).ToArray());
        Assert.Equal(("c", 7), (corpus.ItemId(2), corpus.DurationMs(2)));
        Assert.Equal([new PreparedPart(0, 0, 2), new PreparedPart(1, 2, 1)], corpus.Parts);
    }

    [Fact]
    public void Pixels_come_back_exactly_across_batches()
    {
        using var corpus = WriteAndOpen(_image, part =>
        {
            for (var i = 0; i < 5000; i++) part.AddImage($"i{i}", i + 1, i + 2, Enumerable.Repeat((byte)i, 12).ToArray());
        });

        Assert.Equal(5000, corpus.Count);
        Assert.All(corpus.Pixels(4999).ToArray(), value => Assert.Equal(unchecked((byte)4999), value));
        Assert.Equal((4097, 4098), corpus.SourceSize(4096));
    }

    [Fact]
    public void Text_comes_back_exactly()
    {
        using var corpus = WriteAndOpen(_text, part => { part.AddText("a", "สวัสดี 👋🏽"); part.AddText("b", ""); });

        Assert.Equal("สวัสดี 👋🏽", corpus.Text(0));
        Assert.Equal("", corpus.Text(1));
    }

    [Fact]
    public void A_wrong_number_of_pixels_is_refused_with_the_item()
    {
        using var writer = new PreparedPartWriter(Path.Combine(_folder.FullName, "part-00000.arrow"), _image);

        Assert.Contains("Item x: expected 12 bytes", Assert.Throws<ArgumentException>(() => writer.AddImage("x", 1, 1, new byte[11])).Message);
    }
}
