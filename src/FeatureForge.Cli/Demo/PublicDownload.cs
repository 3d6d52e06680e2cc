// Downloads one file of a public data set: resumes where an earlier try stopped, retries with back-off, and keeps the
// file only when its SHA-256 is the expected one.
using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using FeatureForge.Data;

namespace FeatureForge.Cli;

/// <summary>The file could not be fetched, or is not the expected one.</summary>
public sealed class DownloadException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Fetches public data sets over HTTP.</summary>
/// <param name="http">Follows redirects; its time-out bounds the wait for an answer, not the download.</param>
/// <param name="mirror">When given, files come from MIRROR/NAME instead of their publisher.</param>
/// <param name="backOff">Waits between tries.</param>
public sealed class PublicDownload(HttpClient http, Uri? mirror, IReadOnlyList<TimeSpan> backOff)
{
    /// <summary>Short waits for a terminal: a machine without network finds out within seconds.</summary>
    public static IReadOnlyList<TimeSpan> ShortBackOff { get; } = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3)];

    /// <summary>Makes sure that <paramref name="folder"/> holds the set, and returns what to ingest: a file or a folder.</summary>
    /// <param name="report">File name, bytes so far, bytes in all (null when unknown).</param>
    /// <param name="set">What to fetch.</param>
    /// <param name="folder">Where it goes.</param>
    /// <param name="stop">Stops; the partial file stays for the next try.</param>
    /// <exception cref="DownloadException">No network, a server's refusal, or a wrong hash; the partial file stays for the next try, a wrong one goes.</exception>
    public async Task<string> GetAsync(PublicDataset set, string folder, Action<string, long, long?> report, CancellationToken stop)
    {
        Directory.CreateDirectory(folder);
        var result = folder;
        foreach (var file in set.Files)
        {
            var path = Path.Combine(folder, file.Name);
            if (!File.Exists(path)) await FetchWithRetriesAsync(file, path, report, stop);
            result = file.Keep is null ? path : await UnpackAsync(path, file.Keep, Path.Combine(folder, "files"), stop);
        }
        return set.Files.Count == 1 ? result : folder;
    }

    private async Task FetchWithRetriesAsync(PublicFile file, string path, Action<string, long, long?> report, CancellationToken stop)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await FetchAsync(file, path + ".part", report, stop);
                break;
            }
            catch (Exception error) when (error is HttpRequestException or IOException or TaskCanceledException && !stop.IsCancellationRequested)
            {
                if (attempt >= backOff.Count || error is HttpRequestException { StatusCode: >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError and not HttpStatusCode.TooManyRequests })
                    throw new DownloadException($"{file.Name} could not be fetched from {UrlOf(file)}: {error.Message} Get the file by other means and put it at {path}, or name a mirror.", error);
                await Task.Delay(backOff[attempt], stop);
            }
        }

        var found = await HashAsync(path + ".part", stop);
        if (found != file.Sha256)
        {
            File.Delete(path + ".part");
            throw new DownloadException($"{file.Name} from {UrlOf(file)} has SHA-256 {found}, expected {file.Sha256}. It was deleted; try again, or another mirror.");
        }
        File.Move(path + ".part", path, overwrite: true);
    }

    private Uri UrlOf(PublicFile file) => mirror is null ? new Uri(file.Url) : new Uri(mirror.AbsoluteUri.TrimEnd('/') + "/" + file.Name);

    private async Task FetchAsync(PublicFile file, string path, Action<string, long, long?> report, CancellationToken stop)
    {
        var have = File.Exists(path) ? new FileInfo(path).Length : 0;
        if (have > 0 && have == file.Bytes) return;
        using var request = new HttpRequestMessage(HttpMethod.Get, UrlOf(file));
        if (have > 0) request.Headers.Range = new RangeHeaderValue(have, null);
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
        if (answer.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable) return; // all of it is here; the hash decides
        answer.EnsureSuccessStatusCode();

        var resumes = answer.StatusCode == HttpStatusCode.PartialContent;
        if (!resumes) have = 0;
        var total = answer.Content.Headers.ContentLength is { } length ? have + length : file.Bytes;
        await using var source = await answer.Content.ReadAsStreamAsync(stop);
        await using var target = new FileStream(path, resumes ? FileMode.Append : FileMode.Create, FileAccess.Write);
        var buffer = new byte[1 << 16];
        while (await source.ReadAsync(buffer, stop) is var read and > 0)
        {
            await target.WriteAsync(buffer.AsMemory(0, read), stop);
            report(file.Name, have += read, total);
        }
        if (have < total) throw new IOException($"The connection ended after {have} of {total} bytes.");
    }

    private static async Task<string> HashAsync(string path, CancellationToken stop)
    {
        await using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, stop));
    }

    /// <summary>Unpacks the wanted regular files by their bare names; the folder appears whole or not at all.</summary>
    private static async Task<string> UnpackAsync(string archive, string keep, string folder, CancellationToken stop)
    {
        if (Directory.Exists(folder)) return folder;
        var temporary = folder + ".part";
        if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
        Directory.CreateDirectory(temporary);
        await using var file = File.OpenRead(archive);
        await using var plain = new GZipStream(file, CompressionMode.Decompress);
        await using var tar = new TarReader(plain);
        while (await tar.GetNextEntryAsync(copyData: false, stop) is { } entry)
            if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile && entry.Name.Contains(keep, StringComparison.Ordinal))
                await entry.ExtractToFileAsync(Path.Combine(temporary, Path.GetFileName(entry.Name)), overwrite: true, stop);
        Directory.Move(temporary, folder);
        return folder;
    }
}
