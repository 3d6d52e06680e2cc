// Objects of S3, and of what speaks like it, as sources.
using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal sealed class S3Server(RemoteLimits limits) : IRemoteServer, IDisposable
{
    internal readonly record struct Listed(string Key, long Size, string ETag);

    // Attempts at an object are counted by its download.
    private readonly Lazy<AmazonS3Client> _client = new(() => Connect(limits, retries: 0));
    private readonly Lazy<AmazonS3Client> _lister = new(() => Connect(limits, limits.Attempts - 1));

    // For an object the caller's patience ends sooner; a page of a thousand names takes a server longer.
    private static AmazonS3Client Connect(RemoteLimits limits, int retries) =>
        S3Connection.Connect(TimeSpan.FromSeconds(limits.ConnectSeconds), TimeSpan.FromSeconds(4 * (limits.ConnectSeconds + limits.StallSeconds)), retries);

    public void Dispose()
    {
        if (_client.IsValueCreated) _client.Value.Dispose();
        if (_lister.IsValueCreated) _lister.Value.Dispose();
    }

    /// <summary>The objects under a prefix, by key, a page of a thousand at a time.</summary>
    /// <exception cref="IOException">The listing fails, also after further attempts.</exception>
    public IEnumerable<Listed> List(string bucket, string prefix, CancellationToken stop)
    {
        var request = new ListObjectsV2Request { BucketName = bucket, Prefix = prefix };
        while (true)
        {
            ListObjectsV2Response page;
            try
            {
                page = _lister.Value.ListObjectsV2Async(request, stop).GetAwaiter().GetResult();
            }
            catch (Exception error) when (error is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or TimeoutException or OperationCanceledException && !stop.IsCancellationRequested)
            {
                throw new IOException($"s3://{bucket}/{prefix} cannot be listed: {S3Connection.Said(error)}. Check bucket, credentials and AWS_ENDPOINT_URL_S3, and ingest again.", error);
            }
            foreach (var found in page.S3Objects ?? []) yield return new(found.Key, found.Size ?? 0, found.ETag);
            if (page.IsTruncated != true) yield break;
            request.ContinuationToken = page.NextContinuationToken;
        }
    }

    public async Task<RemoteAnswer> OpenAsync(string target, long offset, ResourceVersion? have, ResourceVersion? settled, CancellationToken stop)
    {
        var (bucket, key) = S3Connection.Split(target);
        var request = new GetObjectRequest { BucketName = bucket, Key = key };
        if (offset > 0) (request.ByteRange, request.EtagToMatch) = (new($"bytes={offset}-"), have!.ETag);
        if (settled?.ETag != null) request.EtagToNotMatch = settled.ETag;
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(TimeSpan.FromSeconds(limits.ConnectSeconds + limits.StallSeconds));
        try
        {
            var answer = await GetAsync(request, patience.Token);
            var isPart = answer.HttpStatusCode == HttpStatusCode.PartialContent;
            var start = isPart ? offset : 0;
            return new(false, answer.ResponseStream, start, start + answer.ContentLength, new(answer.ETag, null), null, answer);
        }
        catch (Exception error) when (error is OperationCanceledException or TimeoutException && !stop.IsCancellationRequested)
        {
            throw new RemoteException(RejectionCode.TimedOut, $"The S3 server gave no answer within {limits.StallSeconds} s.", isTransient: true);
        }
        catch (AmazonS3Exception error) when (error.StatusCode == HttpStatusCode.NotModified)
        {
            return new(true, Stream.Null, 0, null, settled!, null, null);
        }
        catch (AmazonServiceException error)
        {
            throw Failure(error);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or AmazonClientException)
        {
            throw new RemoteException(RejectionCode.Unreachable, $"The S3 server cannot be reached: {error.Message}", isTransient: true);
        }
    }

    // The SDK holds whole objects against their ETag as an MD5 sum, and fails where a server's ETag is none; ranges it leaves be.
    private async Task<GetObjectResponse> GetAsync(GetObjectRequest request, CancellationToken stop)
    {
        try
        {
            return await _client.Value.GetObjectAsync(request, stop);
        }
        catch (FormatException) when (request.ByteRange == null)
        {
            request.ByteRange = new("bytes=0-");
            return await _client.Value.GetObjectAsync(request, stop);
        }
    }

    private static RemoteException Failure(AmazonServiceException error) => (int)error.StatusCode switch
    {
        404 => new(RejectionCode.NotFound, $"There is no such object: {S3Connection.Said(error)}.", isTransient: false),
        401 or 403 => new(RejectionCode.Refused, $"The S3 server refuses: {S3Connection.Said(error)}. Check the credentials and the bucket's policy.", isTransient: false),
        412 or 416 => new(RejectionCode.Changed, $"The object has changed while it was downloaded: {S3Connection.Said(error)}.", isTransient: true),
        _ => new(RejectionCode.Unreachable, $"The S3 server failed: {S3Connection.Said(error)}", isTransient: true),
    };
}
