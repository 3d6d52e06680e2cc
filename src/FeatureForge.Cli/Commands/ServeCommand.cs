// `serve`: dashboard, API and job workers in one process, until Ctrl-C.
using System.CommandLine;
using FeatureForge.Data;
using FeatureForge.Server;

namespace FeatureForge.Cli;

internal static class ServeCommand
{
    internal static Command Create()
    {
        var port = new Option<int?>("--port") { Description = "Port on this machine's loopback address." };
        var urls = new Option<string[]>("--urls") { Description = "Addresses to listen on, instead of --port." };
        var roles = new Option<string[]>("--roles") { Description = $"Default: {string.Join(',', ServerOptions.AllRoles)}." };
        var allowPrivate = new Option<bool>("--allow-private-addresses") { Description = "Let callers have ingest connect to private, loopback and link-local addresses." };
        var grpcPort = new Option<int?>("--grpc-port") { Description = "Port for gRPC inference clients, on the first address's host." };
        var batch = new Option<int>("--inference-batch") { Description = "Items that are embedded at once when many clients ask.", DefaultValueFactory = _ => 64 };
        var memory = new Option<double>("--inference-gb") { Description = "Gigabytes of encoder weights that are kept loaded.", DefaultValueFactory = _ => 2 };
        var device = SharedOptions.Device();
        var log = new Option<string>("--log") { Description = "How log lines on standard error look: text or json.", DefaultValueFactory = _ => "text" };
        var signIn = new Option<bool>("--require-sign-in") { Description = "Ask people to sign in although only this machine reaches the server: for a proxy before it." };
        var hosts = new Option<string[]>("--hosts") { Description = "Names under which browsers reach the server; others are refused." };
        var certificate = new Option<string?>("--certificate") { Description = "Certificate (PEM) for addresses that begin with https." };
        var key = new Option<string?>("--certificate-key") { Description = "Its private key (PEM)." };
        var authority = new Option<string?>("--oidc-authority") { Description = $"OpenID Connect provider that signs people in. The client's secret: {IdentityProvider.SecretVariable}." };
        var client = new Option<string?>("--oidc-client") { Description = "This server's client id at the provider." };
        var roleClaim = new Option<string?>("--oidc-role-claim") { Description = "Claim that names a person's role: viewer, labeller, editor, admin." };
        var newcomers = new Option<AccessRole?>("--oidc-newcomers") { Description = "Role of people who sign in for the first time and have none by the claim. Default: they are refused." };
        return new Command("serve", "Serve the dashboard and the API, and perform runs.").With(port, urls, roles, allowPrivate, grpcPort, batch, memory, device, log, signIn, hosts, certificate, key, authority, client, roleClaim, newcomers)
            .Does(async (parsed, options, stop) =>
            {
                var server = new ServerOptions { StorePath = options.OpenOrCreateStore().Address, Ledger = options.Ledger, AllowPrivateAddresses = parsed.GetValue(allowPrivate), RequireSignIn = parsed.GetValue(signIn), Hosts = Verb.List(parsed.GetValue(hosts)) };
                var wantedUrls = Verb.List(parsed.GetValue(urls));
                if (parsed.GetValue(port) is { } number)
                {
                    if (wantedUrls.Count > 0) throw new BadRequestException("Give --port or --urls, not both.");
                    if (number is < 0 or > 65535) throw new BadRequestException($"--port {number}: expected 0 to 65535.");
                    server = server with { Urls = [$"http://127.0.0.1:{number}"] };
                }
                else if (wantedUrls.Count > 0) server = server with { Urls = wantedUrls };
                if (Verb.List(parsed.GetValue(roles)) is { Count: > 0 } wantedRoles) server = server with { Roles = wantedRoles };
                if (parsed.GetValue(batch) is < 1 or > 4096) throw new BadRequestException($"--inference-batch {parsed.GetValue(batch)}: expected 1 to 4096.");
                if (!(parsed.GetValue(memory) is > 0 and <= 10_000)) throw new BadRequestException("--inference-gb: expected more than 0.");
                if (parsed.GetValue(log) is not ("text" or "json")) throw new BadRequestException($"--log {parsed.GetValue(log)}: expected text or json.");
                server = server with { LogAsJson = parsed.GetValue(log) == "json" };
                server = server with { Inference = new(parsed.GetValue(batch), (long)(parsed.GetValue(memory) * 1e9), parsed.GetValue(device)!) };
                if (parsed.GetValue(grpcPort) is { } grpc)
                {
                    if (grpc is < 0 or > 65535) throw new BadRequestException($"--grpc-port {grpc}: expected 0 to 65535.");
                    server = server with { GrpcUrl = $"http://{(Uri.TryCreate(server.Urls[0], UriKind.Absolute, out var first) ? first.Host : "127.0.0.1")}:{grpc}" };
                }
                if (parsed.GetValue(certificate) is { } pem) server = server with { Certificate = (pem, parsed.GetValue(key) ?? pem) };
                if (parsed.GetValue(authority) is { } provider)
                    server = server with { IdentityProvider = new(provider, parsed.GetValue(client) ?? "", Environment.GetEnvironmentVariable(IdentityProvider.SecretVariable), parsed.GetValue(roleClaim), parsed.GetValue(newcomers)) };
                await ServerHost.RunAsync(server, stop);
                return ExitCode.Done;
            });
    }
}
