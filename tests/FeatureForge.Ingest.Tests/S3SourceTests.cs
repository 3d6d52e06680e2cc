// s3:// sources: against a server process that speaks S3, and against one that misbehaves.
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

public sealed class S3SourceTests : IDisposable
{
    private static readonly RemoteLimits Hasty = new() { Attempts = 3, BackOffSeconds = 0.01, StallSeconds = 0.5, ConnectSeconds = 1, Parallel = 4 };

    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    [NeedsToolFact("s3rver")]
    public async Task Objects_under_a_prefix_become_items_and_unchanged_ones_are_not_fetched_again()
    {
        using var server = await S3Process.StartAsync(_store.Beside("s3"));
        var picture = Picture.Gradient(8, 8, 1);
        await server.PutAsync("data/a b#1%.txt", Packed.Text("one"));
        await server.PutAsync("data/sub/shard.tar", Packed.Tar(("0.png", picture), ("0.cls", Packed.Text("3"))));
        await server.PutAsync("data2/other.txt", Packed.Text("not asked for"));

        var ingested = await RunAsync("s3://bucket/data", reference: false);
        var again = await RunAsync("s3://bucket/data", reference: false);

        Assert.Equal(["a b#1%.txt", "sub/shard.tar!0.png"], ingested.Items.Select(item => item.Path).Order(StringComparer.Ordinal));
        Assert.Equal("s3://bucket/data/a b#1%.txt", ingested.Item("a b#1%.txt").SourceUri);
        Assert.Equal("""{"cls":3}""", ingested.Item("sub/shard.tar!0.png").Metadata);
        Assert.Equal((0, 2), (again.Result.Added, again.Result.AlreadyThere));
    }

    [NeedsToolFact("s3rver")]
    public async Task An_object_by_reference_is_read_back()
    {
        using var server = await S3Process.StartAsync(_store.Beside("s3"));
        var picture = Picture.Gradient(8, 8, 1);
        await server.PutAsync("one/picture.png", picture);

        var one = await RunAsync("s3://bucket/one/picture.png", reference: true);

        Assert.Null(one.Item("picture.png").Content);
        Assert.Equal(picture, StoredItem.Content(one.Item("picture.png")).Bytes!);
    }

    [NeedsToolFact("s3rver")]
    public async Task An_object_is_downloaded_by_one_shard_with_all_that_lies_in_it()
    {
        using var whole = new TemporaryStore();
        using var server = await S3Process.StartAsync(_store.Beside("s3"));
        for (var i = 0; i < 6; i++) await server.PutAsync($"data/{i}.tar", Packed.Tar([.. Enumerable.Range(0, 5).Select(j => ($"{i}-{j}.txt", Packed.Text($"text {j} of archive {i}")))]));
        var spec = new IngestSpec { Sources = ["s3://bucket/data"], Corpus = Ingested.Corpus, Remote = new() { AllowPrivateAddresses = true } };
        await Ingested.RunAsync(whole, spec);

        for (var shard = 0; shard < 2; shard++) await IngestRun.ExecuteAsync(spec with { Shards = 2, Shard = shard }, _store.Context(), default);
        var perShard = DecodedEntry.PartsIn(_store.Store.PathOf(".staging")).Select(path =>
        {
            using var part = File.OpenRead(path);
            return DecodedEntry.Read(part).Length;
        }).ToList();
        await Ingested.RunAsync(_store, spec with { Shards = 2 });

        Assert.Equal(30, perShard.Sum());
        Assert.All(perShard, entries => Assert.Equal(0, entries % 5));
        Assert.Equal(await StoreHash.ComputeAsync(whole.Store, default), await StoreHash.ComputeAsync(_store.Store, default));
    }

    [Fact]
    public async Task A_server_that_breaks_off_and_refuses_costs_one_row_each()
    {
        var body = Packed.Text(new string('x', 100_000) + " the end");
        await using var server = new LoopbackServer(async request =>
        {
            switch (request.Path)
            {
                case var path when path.Contains("list-type=2", StringComparison.Ordinal):
                    await request.SendAsync("200 OK", Packed.Text(Listing(null, "a.txt", "b.txt", "c.txt")), "Content-Type: application/xml\r\n");
                    break;
                case "/bucket/a.txt":
                    var from = request.Header("Range") is { } range ? int.Parse(range["bytes=".Length..^1], null) : 0;
                    await request.SendAsync(from > 0 ? "206 Partial Content" : "200 OK", from > 0 ? body[from..] : body[..50_000], $"ETag: \"v1\"\r\n{(from > 0 ? $"Content-Range: bytes {from}-{body.Length - 1}/{body.Length}\r\n" : "")}", body.Length - from);
                    break;
                case "/bucket/b.txt":
                    await request.SendAsync("403 Forbidden", Packed.Text("<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"), "Content-Type: application/xml\r\n");
                    break;
                default:
                    await request.NeverAsync();
                    break;
            }
        });
        S3Process.UseEndpoint(server.Url);

        var ingested = await RunAsync("s3://bucket/", reference: false);

        Assert.EndsWith("the end", ingested.Item("a.txt").Text);
        Assert.Equal(RejectionCode.Refused, ingested.Bad("b.txt").Code);
        Assert.Equal(RejectionCode.TimedOut, ingested.Bad("c.txt").Code);
    }

    [Fact]
    public async Task A_listing_goes_on_over_its_pages()
    {
        await using var server = new LoopbackServer(request => request.Path switch
        {
            var path when path.Contains("continuation-token=more", StringComparison.Ordinal) => request.SendAsync("200 OK", Packed.Text(Listing(null, "b.txt")), "Content-Type: application/xml\r\n"),
            var path when path.Contains("list-type=2", StringComparison.Ordinal) => request.SendAsync("200 OK", Packed.Text(Listing("more", "a.txt")), "Content-Type: application/xml\r\n"),
            _ => request.SendAsync("200 OK", Packed.Text("text of " + request.Path), "ETag: \"v1\"\r\n"),
        });
        S3Process.UseEndpoint(server.Url);

        var ingested = await RunAsync("s3://bucket", reference: false);

        Assert.Equal(["a.txt", "b.txt"], ingested.Items.Select(item => item.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_bucket_that_cannot_be_listed_fails_the_run_and_says_why()
    {
        await using var server = new LoopbackServer(request => request.SendAsync("404 Not Found", Packed.Text("<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>"), "Content-Type: application/xml\r\n"));
        S3Process.UseEndpoint(server.Url);

        var error = await Assert.ThrowsAnyAsync<IOException>(() => RunAsync("s3://bucket/", reference: false));

        Assert.Contains("NoSuchBucket", error.Message);
    }

    [Fact]
    public async Task A_listing_that_never_comes_fails_the_run_and_says_what_to_look_at()
    {
        await using var server = new LoopbackServer(request => request.NeverAsync());
        S3Process.UseEndpoint(server.Url);

        var error = await Assert.ThrowsAnyAsync<IOException>(() => Ingested.RunAsync(_store, new IngestSpec { Sources = ["s3://bucket/"], Corpus = Ingested.Corpus, Remote = Hasty with { ConnectSeconds = 0.1, StallSeconds = 0.1, Attempts = 2 } }));

        Assert.Contains("s3://bucket/ cannot be listed", error.Message);
    }

    private static string Listing(string? next, params string[] keys) =>
        $"""<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><Prefix></Prefix><KeyCount>{keys.Length}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>{(next == null ? "false" : "true")}</IsTruncated>{(next == null ? "" : $"<NextContinuationToken>{next}</NextContinuationToken>")}{string.Concat(keys.Select(key => $"<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;v1&quot;</ETag><Size>9</Size><StorageClass>STANDARD</StorageClass></Contents>"))}</ListBucketResult>""";

    private Task<Ingested> RunAsync(string source, bool reference) => Ingested.RunAsync(_store, new IngestSpec { Sources = [source], Corpus = Ingested.Corpus, Reference = reference, Remote = Hasty });
}
