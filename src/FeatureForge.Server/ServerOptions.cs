// What a person chooses when starting the server.
using System.Net;
using FeatureForge.Data;
using FeatureForge.Jobs;

namespace FeatureForge.Server;

/// <summary>Where the server listens and what it does.</summary>
public sealed record ServerOptions
{
    /// <summary>The parts a server process may play.</summary>
    public static IReadOnlyList<string> AllRoles { get; } = ["web", "ingest", "train", "extract", "cluster"];

    /// <summary>The store's folder.</summary>
    public required string StorePath { get; init; }

    /// <summary>Address of a PostgreSQL database for the run ledger, when several servers share the store. Null: FEATUREFORGE_LEDGER, else a file in the store.</summary>
    public string? Ledger { get; init; }

    /// <summary>Addresses to listen on; this machine alone by default. Port 0 takes any free port.</summary>
    public IReadOnlyList<string> Urls { get; init; } = ["http://127.0.0.1:8080"];

    /// <summary>`web` shows pages and answers the API; the others perform runs of that kind here.</summary>
    public IReadOnlyList<string> Roles { get; init; } = AllRoles;

    /// <summary>Callers may have ingest connect to private, loopback and link-local addresses.</summary>
    public bool AllowPrivateAddresses { get; init; }

    /// <summary>Address for gRPC clients (HTTP/2 without TLS); null: none. Over https they use the same address as browsers.</summary>
    public string? GrpcUrl { get; init; }

    /// <summary>Log lines are JSON objects.</summary>
    public bool LogAsJson { get; init; }

    /// <summary>How encoders are served.</summary>
    public InferenceOptions Inference { get; init; } = new();

    /// <summary>Who signs people in besides the server itself; null: nobody.</summary>
    public IdentityProvider? IdentityProvider { get; init; }

    /// <summary>People sign in even though only this machine reaches the server: a proxy brings others.</summary>
    public bool RequireSignIn { get; init; }

    /// <summary>Names under which the server is reached; others are refused. Empty: on an address of this machine alone its own names, else any.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>PEM files of the certificate and its key, for addresses that begin with https.</summary>
    public (string Certificate, string Key)? Certificate { get; init; }

    /// <summary>Whether only this machine reaches the server.</summary>
    public bool IsLocal => (GrpcUrl is null ? Urls : [.. Urls, GrpcUrl]).All(url => Uri.TryCreate(url, UriKind.Absolute, out var address) && IsLoopback(address));

    /// <summary>How to start the program for work that must not weigh on the server.</summary>
    public WorkerCommand Program { get; init; } = WorkerCommand.ThisProgram;

    /// <summary>Every problem with the options, one sentence each.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (string.IsNullOrWhiteSpace(StorePath)) problems.Add("The server needs a store folder.");
        if (Urls.Count == 0) problems.Add("The server needs at least one address, for instance http://127.0.0.1:8080.");
        foreach (var url in GrpcUrl is null ? Urls : [.. Urls, GrpcUrl])
        {
            // Kestrel's names for every address of the machine.
            if (!Uri.TryCreate(url.Replace("//*", "//0.0.0.0", StringComparison.Ordinal).Replace("//+", "//0.0.0.0", StringComparison.Ordinal), UriKind.Absolute, out var address) || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
                problems.Add($"Address '{url}' is not of the form http://HOST:PORT or https://HOST:PORT.");
            else if (address.Scheme == Uri.UriSchemeHttps && Certificate is null)
                problems.Add($"Address '{url}' needs a certificate: --certificate FILE.pem --certificate-key FILE.pem.");
        }
        if (Certificate is { } pem)
            foreach (var file in new[] { pem.Certificate, pem.Key }.Where(file => !File.Exists(file))) problems.Add($"There is no file {file} for the certificate.");
        if (IdentityProvider is { } provider) problems.AddRange(provider.Problems());
        foreach (var role in Roles.Except(AllRoles))
            problems.Add($"There is no role '{role}'; expected some of: {string.Join(", ", AllRoles)}.");
        return problems;
    }

    private static bool IsLoopback(Uri address) =>
        address.Host == "localhost" || (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));

    internal ServerOptions Checked()
    {
        BadRequestException.ThrowIfAny(Problems());
        return this;
    }
}
