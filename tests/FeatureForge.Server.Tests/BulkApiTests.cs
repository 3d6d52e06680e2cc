// Vectors as Arrow, tables as Parquet by ranges, and answers that say when nothing has changed.
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Apache.Arrow;
using Apache.Arrow.Ipc;
using FeatureForge.Data;

namespace FeatureForge.Server.Tests;

public sealed class BulkApiTests(FilledServer server) : IClassFixture<FilledServer>
{
    [Fact]
    public async Task Vectors_come_as_an_arrow_stream()
    {
        await using var stream = await server.Client.GetStreamAsync("/api/v1/sets/eyes-mixed/vectors?level=high&grain=item");
        using var reader = new ArrowStreamReader(stream);
        var found = new Dictionary<string, float[]>();
        while (await reader.ReadNextRecordBatchAsync() is { } batch)
        {
            var (ids, vectors) = ((StringArray)batch.Column("item_id"), (FixedSizeListArray)batch.Column("vector"));
            for (var row = 0; row < batch.Length; row++) found[ids.GetString(row)] = ((FloatArray)vectors.GetSlicedValues(row)).Values.ToArray();
        }

        var table = server.Store.Set("eyes-mixed").Tables.Single(table => table.Level == Level.High && table.Grain == Grain.Item);
        var expected = table.Parts.SelectMany(part => EmbeddingTable.Read(Path.Combine(server.Store.SetFolder("eyes-mixed"), part.Path))).ToList();
        Assert.Equal(table.Rows, found.Count);
        Assert.All(expected, block => Assert.All(Enumerable.Range(0, block.Rows), row => Assert.Equal(block.Vectors.AsSpan(row * block.Dimension, block.Dimension).ToArray(), found[block.ItemIds[row]])));
        Assert.Equal(HttpStatusCode.NotFound, (await server.Client.GetAsync("/api/v1/sets/nothing/vectors")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await server.Client.GetAsync("/api/v1/sets/eyes-mixed/vectors?level=deep")).StatusCode);
    }

    [Fact]
    public async Task Files_that_manifests_list_are_sent_in_ranges_and_no_others()
    {
        var files = (await server.Client.GetFromJsonAsync<JsonElement>("/api/v1/files")).EnumerateArray().ToList();
        var path = files.Select(file => file.GetProperty("path").GetString()!).First(path => path.StartsWith("embeddings/", StringComparison.Ordinal));
        var bytes = await File.ReadAllBytesAsync(server.Store.PathOf(path.Split('/')));
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/files/{path}") { Headers = { Range = new(bytes.Length - 8, null) } };

        using var tail = await server.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.PartialContent, tail.StatusCode);
        Assert.Equal("PAR1"u8.ToArray(), (await tail.Content.ReadAsByteArrayAsync())[^4..]);
        foreach (var wrong in new[] { "corpora/mixed/corpus.json", "corpora/mixed/items/../corpus.json", "corpora/mixed/%2e%2e/%2e%2e/catalog.db", "runs/x/log.txt", "embeddings/eyes-mixed/set.json", "corpora/mixed/items/part-99999.parquet" })
            Assert.Equal(HttpStatusCode.NotFound, (await server.Client.GetAsync($"/api/v1/files/{wrong}")).StatusCode);
    }

    [Fact]
    public async Task Who_has_the_answer_is_told_so()
    {
        using var first = await server.Client.GetAsync("/api/v1/corpora");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/v1/corpora") { Headers = { { "If-None-Match", first.Headers.ETag!.ToString() } } };

        using var again = await server.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
        Assert.Empty(await again.Content.ReadAsByteArrayAsync());
    }
}
