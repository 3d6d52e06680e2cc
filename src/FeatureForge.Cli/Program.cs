// The command line: one line per verb. Parsing errors and bad requests end with 2 before anything starts.
using System.CommandLine;
using FeatureForge.Cli;

var root = new RootCommand("Trains self-supervised encoders on raw audio, images and text, and turns files into hierarchical embeddings and clusters.");
foreach (var option in GlobalOptions.All) root.Add(option);
foreach (var verb in (Command[])
[
    IngestCommand.Create(), TrainCommand.Create(), ExtractCommand.Create(), ClusterCommand.Create(), MapCommand.Create(), EvaluateCommand.Create(),
    AssignCommand.Create(), ClustersCommand.Create(), SampleCommand.Create(), DedupCommand.Create(), LabelCommand.Create(), ClassifyCommand.Create(),
    RunCommand.Create(), DemoCommand.Create(), ServeCommand.Create(), DatasetsCommand.Create(), ImportEncoderCommand.Create(), ExportCommand.Create(),
    RunsCommand.Create(), CorpusCommand.Create(), QuarantineCommand.Create(), PeekCommand.Create(), SearchCommand.Create(), IndexCommand.Create(), StoreCommand.Create(), DoctorCommand.Create(),
    WorkerCommand.Create(), SelftestCommand.Create(),
]) root.Add(verb);

var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (var error in parsed.Errors) Console.Error.WriteLine(error.Message);
    Console.Error.WriteLine("Add --help to see what can be given.");
    return ExitCode.BadRequest;
}
// Signals are ours to handle, and so are exceptions.
return await parsed.InvokeAsync(new() { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
