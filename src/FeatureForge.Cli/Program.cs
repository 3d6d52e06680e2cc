// The command line. Parsing errors and bad requests end with 2 before anything starts.
using FeatureForge.Cli;

var parsed = CommandTree.Create().Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors) Console.Error.WriteLine(error.Message);
    Console.Error.WriteLine("Add --help to see what can be given.");
    return ExitCode.BadRequest;
}
// Signals are ours to handle, and so are exceptions.
return await parsed.InvokeAsync(new() { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
