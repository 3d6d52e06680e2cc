// The objects of one bucket under one prefix, as a store needs them: small texts with conditional writes, large files with checksums,
// multipart above a size, listings, copies on the server. Calls block, as those of a folder do.
using System.Net;
using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace FeatureForge.Data;

/// <summary>An object as a listing or a look at it gives it.</summary>
/// <param name="Key">Below the prefix.</param>
/// <param name="Sha256">As its writer noted it; null from a listing, or when it noted none.</param>
internal readonly record struct StoredObject(string Key, long Bytes, string ETag, DateTimeOffset Written, string? Sha256);

/// <summary>A small object's text.</summary>
internal sealed record StoredText(string Text, string ETag);

/// <summary>The object is not what the writer thought it was: another one has written it.</summary>
internal sealed class ObjectChangedException(string message) : IOException(message);

internal sealed class S3Bucket : IDisposable
{
    /// <summary>Name of the user metadata that holds the content's SHA-256.</summary>
    private const string HashName = "sha256";

    private const long PieceBytes = 16 << 20;
    private const int Transfers = 4;
    private const int Attempts = 6;
    private static readonly TimeSpan _stall = TimeSpan.FromSeconds(30);

    private readonly AmazonS3Client _client = S3Connection.Connect(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(120), Attempts - 1);
    private readonly string _bucket;
    private readonly string _prefix;
    private volatile bool _hasNoConditions;
    private volatile bool _hasNoCopies;

    /// <param name="address">s3://bucket/prefix</param>
    internal S3Bucket(string address)
    {
        (_bucket, var prefix) = S3Connection.Split(address);
        if (_bucket.Length == 0) throw new BadRequestException($"Store {address} names no bucket; expected s3://bucket/prefix.");
        prefix = prefix.Trim('/');
        _prefix = prefix.Length == 0 ? "" : prefix + "/";
    }

    public void Dispose() => _client.Dispose();

    internal string Address(string key) => $"s3://{_bucket}/{_prefix}{key}";

    /// <summary>A small object; null when there is none. <paramref name="known"/> comes back when it is still the same.</summary>
    internal StoredText? ReadText(string key, StoredText? known) => Try($"{Address(key)} cannot be read", () =>
    {
        var request = new GetObjectRequest { BucketName = _bucket, Key = _prefix + key, EtagToNotMatch = known?.ETag };
        try
        {
            using var answer = Open(request);
            using var reader = new StreamReader(answer.ResponseStream);
            return new StoredText(reader.ReadToEnd(), answer.ETag);
        }
        catch (AmazonS3Exception error) when (error.StatusCode == HttpStatusCode.NotModified) { return known; }
        catch (AmazonS3Exception error) when (IsMissing(error)) { return null; }
    });

    /// <summary>Writes a small object if it is still <paramref name="known"/> (null: if it is not there).</summary>
    /// <exception cref="ObjectChangedException">It is another one now.</exception>
    internal StoredText WriteText(string key, string text, StoredText? known) => Try($"{Address(key)} cannot be written", () =>
    {
        try
        {
            var answer = Put(key, known?.ETag, request =>
            {
                request.InputStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text));
                request.ContentType = "application/json";
            }, onlyIfKnown: true);
            return new StoredText(text, answer.ETag);
        }
        catch (ObjectChangedException)
        {
            // A write that was repeated because its answer got lost finds itself.
            if (ReadText(key, null) is { } there && there.Text == text) return there;
            throw;
        }
    });

    /// <summary>Writes a small object, whatever was there.</summary>
    internal void OverwriteText(string key, string text) => Try($"{Address(key)} cannot be written", () =>
        Put(key, null, request => request.InputStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text)), onlyIfKnown: false));

    /// <summary>
    /// Uploads a file. What is there with the same content stays; what is there with other content, left by an attempt that ended, is
    /// replaced after <paramref name="checkFence"/> has passed, and only if it is still that.
    /// </summary>
    /// <exception cref="ObjectChangedException">Another process wrote it meanwhile.</exception>
    internal void Upload(string path, string key, string sha256, Action checkFence) => Try($"{Address(key)} cannot be written", () =>
    {
        var there = Find(key);
        if (there?.Sha256 == sha256) return 0;
        if (there is not null) checkFence();
        try
        {
            if (new FileInfo(path).Length > PieceBytes) UploadInPieces(path, key, sha256, there?.ETag);
            else Put(key, there?.ETag, request =>
            {
                request.FilePath = path;
                request.Metadata[HashName] = sha256;
            }, onlyIfKnown: true);
        }
        catch (ObjectChangedException) when (Find(key)?.Sha256 == sha256) { }
        return 0;
    });

    /// <summary>Copies an object on the server; false when there is none with that content, or the server cannot.</summary>
    internal bool TryCopy(string from, string key, string sha256, Action checkFence) => Try($"{Address(from)} cannot be copied to {Address(key)}", () =>
    {
        if (_hasNoCopies || Find(from) is not { } source || source.Sha256 != sha256) return false;
        var there = Find(key);
        if (there?.Sha256 == sha256) return true;
        if (there is not null) checkFence();
        try
        {
            _client.CopyObjectAsync(new CopyObjectRequest { SourceBucket = _bucket, SourceKey = _prefix + from, DestinationBucket = _bucket, DestinationKey = _prefix + key, ETagToMatch = source.ETag }).GetAwaiter().GetResult();
        }
        catch (AmazonS3Exception error) when ((int)error.StatusCode is >= 400 and < 500) { _hasNoCopies = true; }
        return !_hasNoCopies;
    });

    /// <summary>Downloads an object to a file, going on where the connection broke.</summary>
    /// <param name="sha256">What its content must hash to; null: what its writer noted, if anything.</param>
    /// <returns>The content's SHA-256.</returns>
    /// <exception cref="FileNotFoundException">No such object.</exception>
    /// <exception cref="InvalidDataException">Its content is another one.</exception>
    internal string Download(string key, string path, string? sha256) => Try($"{Address(key)} cannot be read", () =>
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write);
        var (found, noted) = ReadThrough(key, block => file.Write(block), () => file.SetLength(0));
        file.Flush(flushToDisk: true);
        if ((sha256 ?? noted) is { } expected && expected != found)
            throw new InvalidDataException($"{Address(key)} has SHA-256 {found}; expected {expected}. Another run is replacing it right now, or the object is damaged: `featureforge store verify` tells. A damaged one comes back from a back-up, or by running its stage again.");
        return found;
    });

    /// <summary>Reads an object to its end.</summary>
    /// <returns>Its size and hash; null when there is none.</returns>
    internal (long Bytes, string Sha256)? Describe(string key) => Try($"{Address(key)} cannot be read", () =>
    {
        long bytes = 0;
        try { return ((long, string)?)(ReadThrough(key, block => bytes += block.Length, () => bytes = 0) is var (found, _) ? (bytes, found) : default); }
        catch (FileNotFoundException) { return null; }
    });

    internal StoredObject? Find(string key) => Try($"{Address(key)} cannot be looked at", () =>
    {
        try
        {
            var found = _client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = _bucket, Key = _prefix + key }).GetAwaiter().GetResult();
            return (StoredObject?)new StoredObject(key, found.ContentLength, found.ETag, Moment(found.LastModified), found.Metadata[HashName]);
        }
        catch (AmazonS3Exception error) when (IsMissing(error)) { return null; }
    });

    /// <summary>All objects whose key begins with <paramref name="start"/>, by key.</summary>
    internal IEnumerable<StoredObject> List(string start)
    {
        foreach (var page in Pages(start, null))
            foreach (var found in page.S3Objects ?? []) yield return new(found.Key[_prefix.Length..], found.Size ?? 0, found.ETag, Moment(found.LastModified), null);
    }

    /// <summary>The names directly below a folder that have something below them, in order.</summary>
    internal IReadOnlyList<string> Folders(string folder) =>
        [.. Pages(folder + "/", "/").SelectMany(page => page.CommonPrefixes ?? []).Select(found => found[(_prefix.Length + folder.Length + 1)..].TrimEnd('/')).Order(StringComparer.Ordinal)];

    internal void Delete(IEnumerable<string> keys)
    {
        foreach (var key in keys)
            Try($"{Address(key)} cannot be removed", () => _client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = _bucket, Key = _prefix + key }).GetAwaiter().GetResult());
    }

    /// <summary>Gives up uploads in pieces that began before a time and never ended: their pieces take space and are seen nowhere.</summary>
    /// <returns>Keys of the uploads.</returns>
    internal IReadOnlyList<string> AbandonedUploads(DateTimeOffset before, bool dryRun)
    {
        try
        {
            var found = _client.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = _bucket, Prefix = _prefix }).GetAwaiter().GetResult();
            var old = (found.MultipartUploads ?? []).Where(upload => upload.Key.StartsWith(_prefix, StringComparison.Ordinal) && upload.Initiated < before.UtcDateTime).ToList();
            if (!dryRun) foreach (var upload in old) Abort(upload.Key, upload.UploadId);
            return [.. old.Select(upload => upload.Key[_prefix.Length..])];
        }
        catch (AmazonServiceException) { return []; } // Not every server lists them.
    }

    /// <summary>Whether the server refuses a write whose condition does not hold: writes a small object twice under a key of no store.</summary>
    internal bool KeepsConditions(string key)
    {
        if (Find(key) is null) OverwriteText(key, "");
        try
        {
            Put(key, null, request => request.InputStream = new MemoryStream([]), onlyIfKnown: true);
            return false;
        }
        catch (ObjectChangedException) { return true; }
        finally { Delete([key]); }
    }

    private PutObjectResponse Put(string key, string? etag, Action<PutObjectRequest> fill, bool onlyIfKnown)
    {
        PutObjectResponse Send(string? ifNoneMatch, string? ifMatch)
        {
            // Hashed before it is sent, not in chunks: what every server can check.
            var request = new PutObjectRequest { BucketName = _bucket, Key = _prefix + key, UseChunkEncoding = false, IfNoneMatch = ifNoneMatch, IfMatch = ifMatch };
            fill(request);
            return _client.PutObjectAsync(request).GetAwaiter().GetResult();
        }
        return onlyIfKnown ? IfUnchanged(key, etag, Send) : Send(null, null);
    }

    // A server that knows no conditions is asked for one once.
    private T IfUnchanged<T>(string key, string? etag, Func<string?, string?, T> send)
    {
        var isConditional = !_hasNoConditions;
        try { return isConditional ? send(etag is null ? "*" : null, etag) : send(null, null); }
        catch (AmazonS3Exception error) when (IsRefusedCondition(error)) { throw Changed(key, error); }
        catch (AmazonS3Exception error) when (isConditional && KnowsNoConditions(error))
        {
            _hasNoConditions = true;
            return IfUnchanged(key, etag, send);
        }
    }

    private void UploadInPieces(string path, string key, string sha256, string? etag)
    {
        var begin = new InitiateMultipartUploadRequest { BucketName = _bucket, Key = _prefix + key };
        begin.Metadata[HashName] = sha256;
        var upload = _client.InitiateMultipartUploadAsync(begin).GetAwaiter().GetResult().UploadId;
        try
        {
            var length = new FileInfo(path).Length;
            // A server takes at most 10,000 pieces.
            var size = Math.Max(PieceBytes, (length / 9000 + 0xFFFFF) & ~0xFFFFF);
            var tags = new PartETag[(length + size - 1) / size];
            InParallel(tags.Length, i =>
            {
                var answer = _client.UploadPartAsync(new UploadPartRequest
                {
                    BucketName = _bucket,
                    Key = _prefix + key,
                    UploadId = upload,
                    PartNumber = i + 1,
                    FilePath = path,
                    FilePosition = i * size,
                    PartSize = Math.Min(size, length - i * size),
                    UseChunkEncoding = false,
                }).GetAwaiter().GetResult();
                tags[i] = new(i + 1, answer.ETag);
            });
            IfUnchanged(key, etag, (ifNoneMatch, ifMatch) => _client.CompleteMultipartUploadAsync(new CompleteMultipartUploadRequest
            {
                BucketName = _bucket,
                Key = _prefix + key,
                UploadId = upload,
                PartETags = [.. tags],
                IfNoneMatch = ifNoneMatch,
                IfMatch = ifMatch,
            }).GetAwaiter().GetResult());
        }
        catch
        {
            Abort(_prefix + key, upload);
            throw;
        }
    }

    /// <summary>Some requests at a time; the first failure is thrown as it is.</summary>
    internal static void InParallel(int count, Action<int> action)
    {
        try { Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = Transfers }, action); }
        catch (AggregateException errors) { ExceptionDispatchInfo.Capture(errors.Flatten().InnerExceptions[0]).Throw(); }
    }

    private void Abort(string key, string upload)
    {
        try { _client.AbortMultipartUploadAsync(new AbortMultipartUploadRequest { BucketName = _bucket, Key = key, UploadId = upload }).GetAwaiter().GetResult(); }
        catch (Exception error) when (IsTrouble(error)) { } // `store gc` finds it later.
    }

    private (string Sha256, string? Noted) ReadThrough(string key, Action<ReadOnlySpan<byte>> take, Action restart)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var block = new byte[1 << 17];
        string? etag = null, noted = null;
        long at = 0;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var request = new GetObjectRequest { BucketName = _bucket, Key = _prefix + key, EtagToMatch = etag };
                if (at > 0) request.ByteRange = new($"bytes={at}-");
                using var answer = Open(request);
                if (at > 0 && answer.HttpStatusCode != HttpStatusCode.PartialContent)
                {
                    // A server without ranges begins anew.
                    restart();
                    _ = hash.GetHashAndReset();
                    at = 0;
                }
                (etag, noted) = (answer.ETag, answer.Metadata[HashName]);
                var end = at + answer.ContentLength;
                while (true)
                {
                    using var patience = new CancellationTokenSource(_stall);
                    var read = answer.ResponseStream.ReadAsync(block, patience.Token).AsTask().GetAwaiter().GetResult();
                    if (read == 0) break;
                    take(block.AsSpan(0, read));
                    hash.AppendData(block, 0, read);
                    (at, attempt) = (at + read, 1);
                }
                if (at < end) throw new IOException($"the connection ended after {at} of {end} bytes");
                return (Convert.ToHexStringLower(hash.GetHashAndReset()), noted);
            }
            catch (AmazonS3Exception error) when (IsMissing(error)) { throw new FileNotFoundException($"There is no object {Address(key)}.", Address(key)); }
            catch (Exception error) when (attempt < Attempts && IsTrouble(error) && error is not AmazonS3Exception { StatusCode: < (HttpStatusCode)500 })
            {
                Thread.Sleep(TimeSpan.FromMilliseconds(100 << attempt));
            }
        }
    }

    // The SDK holds whole objects against their ETag as an MD5 sum, and fails where a server's ETag is none; ranges it leaves be.
    private GetObjectResponse Open(GetObjectRequest request)
    {
        try { return _client.GetObjectAsync(request).GetAwaiter().GetResult(); }
        catch (FormatException) when (request.ByteRange == null)
        {
            request.ByteRange = new("bytes=0-");
            return _client.GetObjectAsync(request).GetAwaiter().GetResult();
        }
    }

    private IEnumerable<ListObjectsV2Response> Pages(string start, string? delimiter)
    {
        var request = new ListObjectsV2Request { BucketName = _bucket, Prefix = _prefix + start, Delimiter = delimiter };
        while (true)
        {
            var page = Try($"{Address(start)} cannot be listed", () => _client.ListObjectsV2Async(request).GetAwaiter().GetResult());
            yield return page;
            if (page.IsTruncated != true) yield break;
            request.ContinuationToken = page.NextContinuationToken;
        }
    }

    private ObjectChangedException Changed(string key, Exception error) =>
        new($"{Address(key)} was written by another process while this one was working ({S3Connection.Said(error)}); nothing was published over it. Run the same command again.");

    private static bool IsMissing(AmazonS3Exception error) => error.StatusCode == HttpStatusCode.NotFound && error.ErrorCode is not "NoSuchBucket";

    // 404: the object whose tag was named is gone. 409: two conditional writes at once.
    private static bool IsRefusedCondition(AmazonS3Exception error) => error.StatusCode is HttpStatusCode.PreconditionFailed or HttpStatusCode.Conflict || error.ErrorCode == "NoSuchKey";

    private static bool KnowsNoConditions(AmazonS3Exception error) => error.StatusCode == HttpStatusCode.NotImplemented || error is { StatusCode: HttpStatusCode.BadRequest, ErrorCode: "NotImplemented" or "InvalidRequest" or "InvalidArgument" };

    private static bool IsTrouble(Exception error) => error is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or TimeoutException or OperationCanceledException;

    private static DateTimeOffset Moment(DateTime? given) => given is { } at ? new(at.ToUniversalTime()) : DateTimeOffset.UnixEpoch;

    private static T Try<T>(string what, Func<T> action)
    {
        try { return action(); }
        catch (Exception error) when (IsTrouble(error) && error is not (FileNotFoundException or ObjectChangedException))
        {
            // What a nested call has said already is not said twice.
            throw error is IOException && error.Message.Contains("Check bucket", StringComparison.Ordinal) ? error
                : new IOException($"{what}: {S3Connection.Said(error)}. Check bucket, credentials and AWS_ENDPOINT_URL_S3, then run the same command again.", error);
        }
    }
}
