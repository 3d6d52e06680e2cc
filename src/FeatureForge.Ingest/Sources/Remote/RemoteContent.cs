// Reads an item back from its server when it was ingested by reference.
using FeatureForge.Data;

namespace FeatureForge.Ingest;

internal static class RemoteContent
{
    /// <summary>Whoever runs this process may allow what an ingest was allowed by --allow-private-addresses.</summary>
    public const string AllowPrivateAddresses = "FEATUREFORGE_ALLOW_PRIVATE_ADDRESSES";

    /// <exception cref="IOException">The server does not give the item's bytes; the message says why.</exception>
    public static byte[] Read(ItemRow row)
    {
        var limits = new IngestLimits { FileBytes = Array.MaxLength };
        var remote = new RemoteLimits { Attempts = 3, AllowPrivateAddresses = Environment.GetEnvironmentVariable(AllowPrivateAddresses) == "1" };
        var folder = Directory.CreateTempSubdirectory("featureforge-remote-").FullName;
        using var http = new HttpServer(remote);
        using var s3 = new S3Server(remote);
        try
        {
            IRemoteServer server = row.SourceUri.StartsWith("s3://", StringComparison.Ordinal) ? s3 : http;
            var fetched = Task.Run(() => new Download(server, limits, remote, folder).FetchAsync(row.SourceUri, row.ItemId, null, CancellationToken.None)).GetAwaiter().GetResult();
            if (fetched.Code is { } code)
                throw new IOException($"Item {row.ItemId} was ingested by reference from {row.SourceUri}, which cannot be read now: {fetched.Reason}{(code == RejectionCode.PrivateAddress ? $" For this, set {AllowPrivateAddresses}=1." : "")}");
            if (fetched.Sha256![..32] != row.ItemId) throw new IOException($"Item {row.ItemId} was ingested by reference from {row.SourceUri}, which has other bytes now. Ingest it again.");
            return fetched.Bytes ?? File.ReadAllBytes(fetched.FilePath!);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
