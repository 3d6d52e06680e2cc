// How this program reaches S3 and what speaks like it. The endpoint comes from AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL (then with the
// bucket in the path, as most other servers want it), the credentials from where the SDK finds them; without any, anonymously.
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Credentials;
using Amazon.S3;

namespace FeatureForge.Data;

/// <summary>Clients of the S3 server that the environment names.</summary>
public static class S3Connection
{
    /// <param name="connect">Patience for a connection.</param>
    /// <param name="answer">Patience for one request, its body included.</param>
    /// <param name="retries">Further attempts after one that may be repeated.</param>
    public static AmazonS3Client Connect(TimeSpan connect, TimeSpan answer, int retries)
    {
        var endpoint = Endpoint;
        var region = Variable("AWS_REGION") ?? Variable("AWS_DEFAULT_REGION") ?? "us-east-1";
        var config = new AmazonS3Config
        {
            ForcePathStyle = endpoint != null,
            MaxErrorRetry = retries,
            ConnectTimeout = connect,
            Timeout = answer,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
        };
        if (endpoint != null) (config.ServiceURL, config.AuthenticationRegion) = (endpoint, region);
        else config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        return new(Credentials(), config);
    }

    /// <summary>Another server than Amazon's; null: Amazon's.</summary>
    internal static string? Endpoint => Variable("AWS_ENDPOINT_URL_S3") ?? Variable("AWS_ENDPOINT_URL");

    /// <summary>Bucket and key or prefix of s3://bucket/key: as they are, not escaped.</summary>
    public static (string Bucket, string Key) Split(string uri)
    {
        var rest = uri["s3://".Length..];
        var slash = rest.IndexOf('/');
        return slash < 0 ? (rest, "") : (rest[..slash], rest[(slash + 1)..]);
    }

    /// <summary>What a failed request came to, for people.</summary>
    public static string Said(Exception error) => error is AmazonServiceException answer ? $"{(int)answer.StatusCode} {answer.ErrorCode} {error.Message}".Trim() : error.Message;

    private static AWSCredentials Credentials()
    {
        try
        {
            return DefaultAWSCredentialsIdentityResolver.GetCredentials();
        }
        catch (AmazonClientException)
        {
            return new AnonymousAWSCredentials();
        }
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
