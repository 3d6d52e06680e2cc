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

    /// <summary>How to start the program for work that must not weigh on the server.</summary>
    public WorkerCommand Program { get; init; } = WorkerCommand.ThisProgram;

    /// <summary>Every problem with the options, one sentence each.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (string.IsNullOrWhiteSpace(StorePath)) problems.Add("The server needs a store folder.");
        if (Urls.Count == 0) problems.Add("The server needs at least one address, for instance http://127.0.0.1:8080.");
        foreach (var url in Urls)
        {
            if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme != Uri.UriSchemeHttp)
                problems.Add($"Address '{url}' is not of the form http://HOST:PORT.");
            else if (!IsLoopback(address))
                problems.Add($"Address '{url}' can be reached from other machines and this server has no sign-in yet; use 127.0.0.1 or localhost, behind an SSH tunnel or a proxy that signs people in.");
        }
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
