// `peek TABLE`: the first rows of a table of the store, without another tool.
using System.CommandLine;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class PeekCommand
{
    private const int ShownValues = 8;

    internal static Command Create()
    {
        var table = new Argument<string>("TABLE") { Description = $"As `store hash` names it: {TableRows.Names}." };
        var take = new Option<int>("--rows") { Description = "Rows to show.", DefaultValueFactory = _ => 10 };
        return new Command("peek", "Show the first rows of a table.").With(table, take).Does(async (parsed, options, stop) =>
        {
            var name = parsed.GetRequiredValue(table).Trim('/');
            var rows = await TableRows.ReadAsync(options.OpenStore(), name, ShownValues, stop).Take(parsed.GetValue(take)).ToListAsync(stop);
            if (options.Json) Verb.PrintJson(new { Table = name, Rows = rows });
            else
                foreach (var row in rows) Console.Out.WriteLine(JsonSerializer.Serialize(row, SpecJson.Line));
            return ExitCode.Done;
        });
    }
}
