// `store`: is everything that was published still there, what does it hash to, and what else lies about.
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
        var days = new Option<double>("--days") { Description = "Keep the work of failed and stopped runs that long, for `runs resume`.", DefaultValueFactory = _ => StoreCollection.DefaultPatience.TotalDays };
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would be removed; remove nothing." };
        var gc = new Command("gc", "Remove what belongs to nothing: work of runs that cannot go on, and files that no manifest lists.").With(days, dryRun).Does((parsed, options, stop) =>
        {
            if (parsed.GetValue(days) is var patience && !(patience is >= 0 and <= 36_500)) throw new BadRequestException(string.Create(CultureInfo.InvariantCulture, $"--days {patience}: expected 0 to 36500."));
            var store = options.OpenStore();
            using var ledger = RunLedger.Open(store, TimeProvider.System);
            var result = StoreCollection.Run(store, ledger, TimeSpan.FromDays(patience), parsed.GetValue(dryRun), stop);
            if (options.Json) Verb.PrintJson(result);
            else
            {
                foreach (var file in result.Removed) Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(result.Done ? "removed" : "would remove")} {file.Path} ({file.Files} files, {file.Bytes:N0} bytes)"));
                foreach (var kept in result.Kept) Console.Out.WriteLine($"kept {kept}");
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{result.Removed.Count} {(result.Done ? "removed" : "to be removed")}, {result.Bytes:N0} bytes; {result.Kept.Count} kept."));
            }
            return Task.FromResult(ExitCode.Done);
        });
        var adopt = new Command("adopt", "Keep the runs of a store on S3 on this machine from now on; the machine that kept them is gone.").Does((_, options, _) =>
        {
            var store = options.OpenStore();
            LedgerHome.Adopt(store);
            using var ledger = RunLedger.Open(store, TimeProvider.System);
            var runs = ledger.List(new() { Take = 1 }).Total;
            if (options.Json) Verb.PrintJson(new { Store = store.Address, Runs = runs });
            else Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"The runs of store {store.Address} are kept on this machine now; {runs} are known."));
            return Task.FromResult(ExitCode.Done);
        });
        return new Command("store", "Look after the store: verify, hash, gc, adopt.").With(verify, hash, gc, adopt);
    }
}
