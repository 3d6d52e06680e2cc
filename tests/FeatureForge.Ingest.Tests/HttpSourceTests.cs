// URLs as sources, on servers that stall, break off, refuse, redirect and repeat themselves.
using System.Net;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

public sealed class HttpSourceTests : IngestTest
{
    private static readonly RemoteLimits Hasty = new() { AllowPrivateAddresses = true, Attempts = 3, BackOffSeconds = 0.01, StallSeconds = 0.3, ConnectSeconds = 2, LongestWaitSeconds = 2, Redirects = 3 };


    [Fact]
    public async Task A_list_of_URLs_becomes_items_in_its_order_and_with_their_URLs()
    {
        await using var server = new LoopbackServer(request => request.SendAsync("200 OK", Packed.Text("text of " + request.Path)));
        var list = _source.Write("urls.txt", $"# mine\n{server.Url}/a.txt\n\n{server.Url}/b.txt\n");

        var ingested = await RunAsync(list);

        Assert.Equal(("text of /a.txt", $"{server.Url}/a.txt"), (ingested.Item("urls.txt#0").Text, ingested.Item("urls.txt#0").SourceUri));
        Assert.Equal("text of /b.txt", ingested.Item("urls.txt#1").Text);
    }

    [Fact]
    public async Task An_archive_at_a_URL_is_its_own_root()
    {
        await using var server = new LoopbackServer(request => request.SendAsync("200 OK", Packed.Zip(("in/a.txt", Packed.Text("one")))));

        var ingested = await RunAsync($"{server.Url}/pack.zip?version=2");

        Assert.Equal("in/a.txt", ingested.Items.Single().Path);
    }

    [Fact]
    public async Task Busy_and_broken_servers_are_asked_again()
    {
        await using var server = new LoopbackServer(request => (request.Path, request.Number) switch
        {
            ("/busy.txt", 1) => request.SendAsync("429 Too Many Requests", [], "Retry-After: 0\r\n"),
            ("/broken.txt", < 3) => request.SendAsync("500 Internal Server Error", []),
            ("/down.txt", _) => request.SendAsync("503 Service Unavailable", []),
            ("/gone.txt", _) => request.SendAsync("404 Not Found", []),
            ("/closed.txt", _) => request.SendAsync("403 Forbidden", []),
            ("/later.txt", _) => request.SendAsync("429 Too Many Requests", [], "Retry-After: 3600\r\n"),
            _ => request.SendAsync("200 OK", Packed.Text("text of " + request.Path)),
        });
        var list = _source.Write("urls.txt", string.Join('\n', new[] { "busy", "broken", "down", "gone", "closed", "later" }.Select(name => $"{server.Url}/{name}.txt")));

        var ingested = await RunAsync(list);

        Assert.Equal(["text of /busy.txt", "text of /broken.txt"], ingested.Items.OrderBy(item => item.Path, StringComparer.Ordinal).Select(item => item.Text));
        Assert.Equal([RejectionCode.Unreachable, RejectionCode.NotFound, RejectionCode.Refused, RejectionCode.Unreachable], ingested.Quarantine.OrderBy(row => row.Path, StringComparer.Ordinal).Select(row => row.Code));
        Assert.Contains("Tried 3 times", ingested.Bad("urls.txt#2").Reason);
        Assert.Contains("3600 s", ingested.Bad("urls.txt#5").Reason);
    }

    [Fact]
    public async Task A_body_that_breaks_off_or_stalls_is_gone_on_with_where_it_ended()
    {
        var body = new byte[700_000];
        new Random(1).NextBytes(body);
        await using var server = new LoopbackServer(async request =>
        {
            var from = request.Header("Range") is { } range ? int.Parse(range["bytes=".Length..^1], null) : 0;
            var headers = $"ETag: \"v1\"\r\nAccept-Ranges: bytes\r\n{(from > 0 ? $"Content-Range: bytes {from}-{body.Length - 1}/{body.Length}\r\n" : "")}";
            var end = request.Number < 3 ? Math.Min(body.Length, from + 300_000) : body.Length;
            await request.SendAsync(from > 0 ? "206 Partial Content" : "200 OK", body[from..end], headers, body.Length - from);
            if (request.Number == 1) await request.NeverAsync();
        });

        var ingested = await RunAsync($"{server.Url}/noise.bin");

        Assert.Equal(ContentId.Sha256(body), ingested.Bad("noise.bin").ContentSha256);
        Assert.Equal([null, "bytes=300000-", "bytes=600000-"], server.Requests.Select(request => request.Header("Range")));
        Assert.Equal("\"v1\"", server.Requests.Last().Header("If-Range"));
    }

    [Fact]
    public async Task A_server_that_never_sends_everything_is_given_up()
    {
        await using var server = new LoopbackServer(async request =>
        {
            await request.SendAsync("200 OK", Packed.Text("half"), length: 8);
            if (request.Path == "/stalls.txt") await request.NeverAsync();
        });
        var list = _source.Write("urls.txt", $"{server.Url}/breaks.txt\n{server.Url}/stalls.txt");

        var ingested = await RunAsync(list);

        Assert.Equal((RejectionCode.Truncated, RejectionCode.TimedOut), (ingested.Bad("urls.txt#0").Code, ingested.Bad("urls.txt#1").Code));
        Assert.Empty(ingested.Items);
    }

    [Fact]
    public async Task What_has_not_changed_is_not_downloaded_again()
    {
        await using var server = new LoopbackServer(request => request.Header("If-None-Match") == "\"v1\""
            ? request.SendAsync("304 Not Modified", [], "ETag: \"v1\"\r\n")
            : request.SendAsync("200 OK", Packed.Text(request.Path == "/bad.jpg" ? "no picture" : "text of " + request.Path[..2]), "ETag: \"v1\"\r\n"));
        var list = _source.Write("urls.txt", $"{server.Url}/a.txt\n{server.Url}/a2.txt\n{server.Url}/bad.jpg");
        await RunAsync(list);
        var before = server.Requests.Count;

        var again = await RunAsync(list);

        Assert.All(server.Requests.Skip(before), request => Assert.Equal("\"v1\"", request.Header("If-None-Match")));
        Assert.Equal((0, 2, 0, 1), (again.Result.Added, again.Result.AlreadyThere, again.Result.Quarantined, again.Result.AlreadyQuarantined));
    }

    [Fact]
    public async Task Private_addresses_are_refused_by_default_also_behind_a_redirect()
    {
        await using var server = new LoopbackServer(request => request.SendAsync("200 OK", Packed.Text("secret")));
        var list = _source.Write("urls.txt", $"{server.Url}/a.txt\nhttp://localhost:{new Uri(server.Url).Port}/b.txt\nhttp://[::1]:{new Uri(server.Url).Port}/c.txt");

        var ingested = await RunAsync(list, Hasty with { AllowPrivateAddresses = false });

        Assert.Equal(3, ingested.Quarantine.Count(row => row.Code == RejectionCode.PrivateAddress));
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData("127.0.0.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("::1", false)]
    [InlineData("::ffff:192.168.0.1", false)]
    [InlineData("64:ff9b::a00:1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fd00::1", false)]
    [InlineData("8.8.8.8", true)]
    [InlineData("172.32.0.1", true)]
    [InlineData("2606:4700::1111", true)]
    public void Addresses_of_the_open_internet_are_told_from_all_others(string address, bool isPublic) => Assert.Equal(isPublic, PublicAddress.Is(IPAddress.Parse(address)));

    [Fact]
    public async Task Redirects_are_followed_as_far_as_the_limit_and_to_HTTP_only()
    {
        await using var server = new LoopbackServer(request => request.Path switch
        {
            "/here.txt" => request.SendAsync("302 Found", [], "Location: /there.txt\r\n"),
            "/round.txt" => request.SendAsync("302 Found", [], "Location: /round.txt\r\n"),
            "/file.txt" => request.SendAsync("302 Found", [], "Location: file:///etc/passwd\r\n"),
            _ => request.SendAsync("200 OK", Packed.Text("there")),
        });
        var list = _source.Write("urls.txt", $"{server.Url}/here.txt\n{server.Url}/round.txt\n{server.Url}/file.txt");

        var ingested = await RunAsync(list);

        Assert.Equal("there", ingested.Item("urls.txt#0").Text);
        Assert.Equal((RejectionCode.Unreachable, RejectionCode.Refused), (ingested.Bad("urls.txt#1").Code, ingested.Bad("urls.txt#2").Code));
    }

    [Fact]
    public async Task Servers_that_opt_out_are_left_alone()
    {
        await using var server = new LoopbackServer(request => request.SendAsync("200 OK", Packed.Text(request.Path), request.Path switch
        {
            "/a.txt" => "X-Robots-Tag: noarchive, NoAI\r\n",
            "/b.txt" => "X-Robots-Tag: otherbot: noindex\r\n",
            "/c.txt" => "X-Robots-Tag: featureforge: noindex\r\n",
            _ => "X-Robots-Tag: unavailable_after: 25 Jun 2030\r\n",
        }));
        var list = _source.Write("urls.txt", $"{server.Url}/a.txt\n{server.Url}/b.txt\n{server.Url}/c.txt\n{server.Url}/d.txt");

        var ingested = await RunAsync(list);

        Assert.Equal(["urls.txt#0", "urls.txt#2"], ingested.Quarantine.Where(row => row.Code == RejectionCode.OptedOut).Select(row => row.Path).Order(StringComparer.Ordinal));
        Assert.Equal(["urls.txt#1", "urls.txt#3"], ingested.Items.Select(item => item.Path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task More_than_the_limit_is_not_downloaded()
    {
        await using var server = new LoopbackServer(async request =>
        {
            await request.Stream.WriteAsync("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"u8.ToArray());
            while (!request.Ended.IsCancellationRequested) await request.Stream.WriteAsync(new byte[1 << 16], request.Ended);
        });

        var ingested = await Ingested.RunAsync(_store, new IngestSpec { Sources = [$"{server.Url}/endless.txt"], Corpus = Ingested.Corpus, Remote = Hasty, Limits = new() { FileBytes = 1 << 20 } });

        Assert.Equal(RejectionCode.TooLarge, ingested.Quarantine.Single().Code);
    }

    [Fact]
    public async Task Rows_of_a_table_lead_to_URLs_and_files_and_keep_their_other_columns()
    {
        await using var server = new LoopbackServer(request => request.SendAsync("200 OK", Picture.Gradient(8, 8, 1)));
        _source.Write("in/b.png", Picture.Gradient(9, 9, 2));
        _source.Write("secret.png", Picture.Gradient(7, 7, 3));
        File.CreateSymbolicLink(Path.Combine(_source.Path, "in", "link.png"), Path.Combine(_source.Path, "secret.png"));
        var table = _source.Write("in/list.csv", $"id,place,stars\na,{server.Url}/a,5\nb,b.png,4\nc,../secret.png,3\nd,/etc/passwd,2\ne,none.png,1\nf,link.png,0\ng,,0\n");

        var ingested = await Ingested.RunAsync(_store, new IngestSpec { Sources = [table], Corpus = Ingested.Corpus, UrlColumns = ["place"], Reference = true, Remote = Hasty });

        Assert.Equal((8, $"{server.Url}/a", """{"stars":"5"}""", null), (ingested.Item("list.csv#a").Width, ingested.Item("list.csv#a").SourceUri, ingested.Item("list.csv#a").Metadata, ingested.Item("list.csv#a").Content));
        Assert.EndsWith("/in/b.png", ingested.Item("list.csv#b").SourceUri);
        Assert.Equal([RejectionCode.UnsafePath, RejectionCode.UnsafePath, RejectionCode.NotFound, RejectionCode.UnsafePath, RejectionCode.MissingColumn], ingested.Quarantine.OrderBy(row => row.Path, StringComparer.Ordinal).Select(row => row.Code));
    }

    [Fact]
    public async Task An_item_by_reference_says_why_it_cannot_be_read_back()
    {
        await using var server = new LoopbackServer(request => request.SendAsync("200 OK", Picture.Gradient(8, 8, 1)));
        var ingested = await Ingested.RunAsync(_store, new IngestSpec { Sources = [$"{server.Url}/a.png"], Corpus = Ingested.Corpus, Reference = true, Remote = Hasty });

        var error = Assert.Throws<IOException>(() => StoredItem.Content(ingested.Items.Single()));

        Assert.Contains(RemoteContent.AllowPrivateAddresses, error.Message);
    }

    private Task<Ingested> RunAsync(string source, RemoteLimits? remote = null) =>
        Ingested.RunAsync(_store, new IngestSpec { Sources = [source], Corpus = Ingested.Corpus, Remote = remote ?? Hasty });
}
