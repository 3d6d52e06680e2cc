// Options that every verb takes.
using System.CommandLine;
using FeatureForge.Data;

namespace FeatureForge.Cli;

/// <summary>The options of every verb, as given.</summary>
internal sealed record GlobalOptions(string StorePath, string? Ledger, Uri? Server, double? Budget, bool Json, bool Quiet, bool Verbose)
{
    private static readonly Option<string?> _store = new("--store") { Description = "The store: a folder, or s3://bucket/prefix. Default: FEATUREFORGE_STORE, else ./featureforge-store.", Recursive = true };
    private static readonly Option<string?> _server = new("--server") { Description = $"Ask a running server (http://HOST:PORT) instead of working here. Its token: {RemoteServer.TokenVariable}.", Recursive = true };
    private static readonly Option<string?> _ledger = new("--ledger") { Description = "PostgreSQL database for the run ledger, shared by several machines: Host=…;Database=… or postgresql://…. Default: FEATUREFORGE_LEDGER, else a file in the store.", Recursive = true };
    private static readonly Option<double?> _budget = new("--budget") { Description = "Stop a run when it has cost that much, by prices.json of the store; it can be resumed with more.", Recursive = true };
    private static readonly Option<bool> _json = new("--json") { Description = "Print one JSON object with the result on standard output.", Recursive = true };
    private static readonly Option<bool> _quiet = new("--quiet") { Description = "Show no progress.", Recursive = true };
    private static readonly Option<bool> _verbose = new("--verbose") { Description = "Show the run's whole log.", Recursive = true };

    internal static IReadOnlyList<Option> All { get; } = [_store, _ledger, _server, _budget, _json, _quiet, _verbose];

    /// <exception cref="BadRequestException">An option asks for what this version cannot do.</exception>
    internal static GlobalOptions From(ParseResult parsed)
    {
        var store = parsed.GetValue(_store) ?? Environment.GetEnvironmentVariable("FEATUREFORGE_STORE");
        if (string.IsNullOrEmpty(store)) store = "featureforge-store";
        var problems = new List<string>();
        Uri? server = null;
        if (parsed.GetValue(_server) is { } address && !(Uri.TryCreate(address, UriKind.Absolute, out server) && server.Scheme is "http" or "https")) problems.Add($"--server {address}: expected http://HOST:PORT.");
        if (store.Contains("://", StringComparison.Ordinal) && !Store.IsRemoteAddress(store)) problems.Add($"--store {store}: expected a folder, or s3://bucket/prefix.");
        if (PriceTable.BudgetProblem(parsed.GetValue(_budget)) is { } problem) problems.Add($"--budget: {problem}");
        BadRequestException.ThrowIfAny(problems);
        return new(Store.IsRemoteAddress(store) ? store : Path.GetFullPath(store), parsed.GetValue(_ledger), server, parsed.GetValue(_budget), parsed.GetValue(_json), parsed.GetValue(_quiet), parsed.GetValue(_verbose));
    }

    /// <summary>The store, made when it does not exist.</summary>
    /// <exception cref="BadRequestException">A server was named, and the verb is not one that servers are asked for.</exception>
    internal Store OpenOrCreateStore() => Server is null ? Store.Open(StorePath, Ledger) : throw NotThere();

    /// <exception cref="BadRequestException">There is no store.</exception>
    internal Store OpenStore() => Server is not null ? throw NotThere() : Store.Exists(StorePath)
        ? Store.Open(StorePath, Ledger)
        : throw new BadRequestException($"There is no store at {StorePath}; `featureforge ingest` makes one, --store or FEATUREFORGE_STORE names another.");

    private BadRequestException NotThere() => new($"--server {Server}: this verb works on a store. What starts or looks after runs can be asked of a server.");
}
