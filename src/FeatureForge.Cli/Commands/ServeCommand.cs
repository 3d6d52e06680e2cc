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
        return new Command("serve", "Serve the dashboard and the API, and perform runs.").With(port, urls, roles, allowPrivate)
            .Does(async (parsed, options, stop) =>
            {
                var server = new ServerOptions { StorePath = options.OpenOrCreateStore().Root, Ledger = options.Ledger, AllowPrivateAddresses = parsed.GetValue(allowPrivate) };
                var wantedUrls = Verb.List(parsed.GetValue(urls));
                if (parsed.GetValue(port) is { } number)
                {
                    if (wantedUrls.Count > 0) throw new BadRequestException("Give --port or --urls, not both.");
                    if (number is < 0 or > 65535) throw new BadRequestException($"--port {number}: expected 0 to 65535.");
                    server = server with { Urls = [$"http://127.0.0.1:{number}"] };
                }
                else if (wantedUrls.Count > 0) server = server with { Urls = wantedUrls };
                if (Verb.List(parsed.GetValue(roles)) is { Count: > 0 } wantedRoles) server = server with { Roles = wantedRoles };
                await ServerHost.RunAsync(server, stop);
                return ExitCode.Done;
            });
    }
}
