// `store`: is everything that was published still there, and what does it hash to.
using System.CommandLine;
using System.Globalization;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class StoreCommand
{
    internal static Command Create()
    {
        var hash = new Command("hash", "Print one content hash per table, independent of part boundaries and timestamps.").Does(async (_, options, stop) =>
        {
            var tables = await StoreHash.ComputeAsync(options.OpenStore(), stop);
            if (options.Json) Verb.PrintJson(new { Tables = tables });
            else
                foreach (var table in tables) Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{table.Hash}  {table.Table}  {table.Rows} rows"));
            return ExitCode.Done;
        });
        var verify = new Command("verify", "Read every published file once and hold it against its manifest.").Does((_, options, stop) =>
        {
            var found = StoreVerify.Run(options.OpenStore(), stop);
            if (options.Json) Verb.PrintJson(new { found.Sound, found.Manifests, found.Parts, found.Bytes, found.Findings });
            else
            {
                foreach (var finding in found.Findings) Console.Out.WriteLine($"{finding.Severity}: {finding.Where}: {finding.Message}");
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{found.Manifests} manifests, {found.Parts} files, {found.Bytes:N0} bytes: {(found.Sound ? "sound" : "damaged")}."));
            }
            return Task.FromResult(found.Sound ? ExitCode.Done : ExitCode.RunFailed);
        });
        return new Command("store", "Look after the store: verify, hash.").With(verify, hash);
    }
}
