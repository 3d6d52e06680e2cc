// What all verbs have in common: global options, bad requests told in full, results as text or as one JSON object.
using System.CommandLine;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class Verb
{
    /// <summary>Makes <paramref name="run"/> the command's action; a bad request ends it with 2 and every problem on standard error.</summary>
    internal static Command Does(this Command command, Func<ParseResult, GlobalOptions, CancellationToken, Task<int>> run)
    {
        command.SetAction(async (parsed, _) =>
        {
            using var interrupt = Interrupt.Listen();
            GlobalOptions? options = null;
            try
            {
                options = GlobalOptions.From(parsed);
                return await run(parsed, options, interrupt.Token);
            }
            catch (BadRequestException error)
            {
                foreach (var problem in error.Problems) await Console.Error.WriteLineAsync(problem);
                if (WantsJson(parsed)) PrintJson(new { problems = error.Problems });
                return ExitCode.BadRequest;
            }
            catch (OperationCanceledException) when (interrupt.Token.IsCancellationRequested) { return ExitCode.Stopped; }
            catch (IOException error) when (options is not null && Store.IsRemoteAddress(options.StorePath))
            {
                await Console.Error.WriteLineAsync(error.Message);
                return ExitCode.RunFailed;
            }
            catch (Exception error) when (options is not null && DiskFullException.Behind(error, options.StorePath) is { } full)
            {
                await Console.Error.WriteLineAsync(full.Message);
                return ExitCode.RunFailed;
            }
        });
        return command;
    }

    /// <summary>Adds arguments and options; reads well where a command is made.</summary>
    internal static Command With(this Command command, params IEnumerable<Symbol> symbols)
    {
        foreach (var symbol in symbols)
        {
            if (symbol is Argument argument) command.Add(argument);
            else if (symbol is Option option) command.Add(option);
            else if (symbol is Command child) command.Add(child);
        }
        return command;
    }

    /// <summary>The result as one indented JSON object on standard output.</summary>
    internal static void PrintJson<T>(T value) => Console.Out.WriteLine(JsonSerializer.Serialize(value, SpecJson.Readable));

    /// <summary>Comma-separated values, also when the option is repeated.</summary>
    internal static IReadOnlyList<string> List(string[]? values) =>
        [.. (values ?? []).SelectMany(value => value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];

    /// <summary>Words of an enum, comma-separated; unknown ones are a bad request that lists those there are.</summary>
    internal static IReadOnlyList<T> Words<T>(string what, string[]? values) where T : struct, Enum
    {
        var words = List(values);
        var unknown = words.Where(word => !Enum.TryParse<T>(word, ignoreCase: true, out _) || int.TryParse(word, out _)).ToList();
        if (unknown.Count > 0)
            throw new BadRequestException($"{what}: '{string.Join("', '", unknown)}' is unknown; expected {string.Join(", ", Enum.GetNames<T>()).ToLowerInvariant()}.");
        return [.. words.Select(word => Enum.Parse<T>(word, ignoreCase: true))];
    }

    private static bool WantsJson(ParseResult parsed) => parsed.Tokens.Any(token => token.Value == "--json");
}
