// Downloads against a real server on loopback: resume after a cut connection, hash check, refusals.
using System.Net;
using System.Security.Cryptography;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Cli.Tests;

public sealed class PublicDownloadTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _content = new byte[300_000];
    private readonly LoopbackFileServer _server;
    private readonly HttpClient _http = new();

    public PublicDownloadTests()
    {
        new Random(5).NextBytes(_content);
        _server = new(_content);
    }

    public void Dispose()
    {
        _http.Dispose();
        _server.Dispose();
        _folder.Dispose();
    }

    private PublicDataset Set(string? sha256 = null) => new("toy", Modality.Text, "", "", "", "toy.bin",
        [new("toy.bin", "http://unused.invalid/toy.bin", null, sha256 ?? Convert.ToHexStringLower(SHA256.HashData(_content)))]);

    private Task<string> GetAsync(PublicDataset set, Action<string, long, long?>? report = null) =>
        new PublicDownload(_http, _server.Address, [TimeSpan.Zero, TimeSpan.Zero]).GetAsync(set, _folder.Path, report ?? ((_, _, _) => { }), default);

    [Fact]
    public async Task A_file_arrives_whole_and_is_not_fetched_again()
    {
        var path = await GetAsync(Set());
        await GetAsync(Set());

        Assert.Equal(_content, File.ReadAllBytes(path));
        Assert.Single(_server.Requests);
    }

    [Fact]
    public async Task A_cut_connection_is_resumed_where_it_ended()
    {
        _server.CutFirstAnswerAfter = 100_000;

        var path = await GetAsync(Set());

        Assert.Equal(_content, File.ReadAllBytes(path));
        Assert.Equal(["", "bytes=100000-"], _server.Requests);
    }

    [Fact]
    public async Task A_partial_file_of_an_earlier_process_is_completed()
    {
        File.WriteAllBytes(Path.Combine(_folder.Path, "toy.bin.part"), _content[..40_000]);

        await GetAsync(Set());

        Assert.Equal(["bytes=40000-"], _server.Requests);
        Assert.Equal(_content, File.ReadAllBytes(Path.Combine(_folder.Path, "toy.bin")));
    }

    [Fact]
    public async Task A_file_with_another_hash_is_refused_and_removed()
    {
        var error = await Assert.ThrowsAsync<DownloadException>(() => GetAsync(Set(new string('0', 64))));

        Assert.Contains("expected 000", error.Message);
        Assert.Empty(Directory.EnumerateFiles(_folder.Path));
    }

    [Fact]
    public async Task A_refusal_is_told_with_the_address_and_not_retried()
    {
        _server.Status = HttpStatusCode.NotFound;

        var error = await Assert.ThrowsAsync<DownloadException>(() => GetAsync(Set()));

        Assert.Contains(_server.Address.ToString(), error.Message);
        Assert.Single(_server.Requests);
    }

    [Fact]
    public async Task A_busy_server_is_asked_again()
    {
        _server.Status = HttpStatusCode.ServiceUnavailable;

        await Assert.ThrowsAsync<DownloadException>(() => GetAsync(Set()));

        Assert.Equal(3, _server.Requests.Count);
    }

    [Fact]
    public void Every_public_set_states_hash_licence_and_home()
    {
        Assert.All(PublicDatasets.All, set =>
        {
            Assert.NotEmpty(set.Licence);
            Assert.True(Uri.IsWellFormedUriString(set.Homepage, UriKind.Absolute));
            Assert.All(set.Files, file => Assert.Matches("^[0-9a-f]{64}$", file.Sha256));
        });
    }
}
