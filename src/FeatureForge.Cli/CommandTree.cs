// All verbs: one line each. VERBS.md beside this file is made from it.
using System.CommandLine;

namespace FeatureForge.Cli;

internal static class CommandTree
{
    internal static RootCommand Create()
    {
        var root = new RootCommand("Trains self-supervised encoders on raw audio, images and text, and turns files into hierarchical embeddings and clusters.");
        foreach (var option in GlobalOptions.All) root.Add(option);
        foreach (var verb in (Command[])
        [
            IngestCommand.Create(), TrainCommand.Create(), ExtractCommand.Create(), ClusterCommand.Create(), MapCommand.Create(), EvaluateCommand.Create(),
            AssignCommand.Create(), ClustersCommand.Create(), SampleCommand.Create(), SelectionCommand.Create(), DedupCommand.Create(), LabelCommand.Create(), ClassifyCommand.Create(),
            RunCommand.Create(), RefreshCommand.Create(), DemoCommand.Create(), ServeCommand.Create(), DatasetsCommand.Create(), ImportEncoderCommand.Create(), ExportCommand.Create(),
            RunsCommand.Create(), SchedulesCommand.Create(), CorpusCommand.Create(), QuarantineCommand.Create(), PeekCommand.Create(), SearchCommand.Create(), ParityCommand.Create(), IndexCommand.Create(), StoreCommand.Create(), UsersCommand.Create(), UsersCommand.Tokens(), UsersCommand.Audit(), DoctorCommand.Create(),
            WorkerCommand.Create(), InferCommand.Create(), SelftestCommand.Create(),
        ]) root.Add(verb);
        return root;
    }
}
