// `export`: what a store holds in the forms of other tools. An encoder without a word; everything else by its form's name.
using System.CommandLine;
using FeatureForge.Data;
using FeatureForge.Learning;

namespace FeatureForge.Cli;

internal static class ExportCommand
{
    internal static Command Create() => new Command("export", "Write an encoder, a corpus, a table or the history of runs in the form of another tool.")
        .With(Encoder()).With(Table(), HuggingFace(), WebDataset(), OpenLineage(), Mlflow());

    /// <summary>Options of `export` itself, with its action.</summary>
    private static Command With(this Command command, (Option<string> Encoder, Option<string> To) own) => command.With(own.Encoder, own.To).Does((parsed, options, _) =>
    {
        var store = options.OpenStore();
        var written = EncoderExport.Write(store, parsed.GetRequiredValue(own.Encoder), parsed.GetRequiredValue(own.To));
        if (options.Json) Verb.PrintJson(written);
        else Console.Out.WriteLine($"""
            Encoder {written.Encoder} (id {written.EncoderId}) in {written.Folder}: {string.Join(", ", written.Files)}.
            Bring it into a store with: featureforge import-encoder {written.Folder} --name NAME
            """);
        return Task.FromResult(ExitCode.Done);
    });

    private static (Option<string> Encoder, Option<string> To) Encoder() =>
        (new("--encoder") { Description = "The encoder, as safetensors with its configuration and a model card.", Required = true }, Folder());

    private static Option<string> Folder() => new("--to") { Description = "The folder to make; new or empty.", Required = true };
    private static Option<string> File(string what) => new("--to") { Description = $"The file to write: {what}.", Required = true };
    private static Option<string> Corpus() => new("--corpus") { Description = "The corpus.", Required = true };
    private static Option<string?> LabelSet() => new("--label-set") { Description = "Labels to go along: of each item the one that counts." };

    private static Command Table()
    {
        var table = new Argument<string>("TABLE") { Description = $"{TableRows.Names}." };
        var to = File("one JSON object a row");
        return new Command("table", "Write a table as JSON lines, for tools that read no Parquet.").With(table, to).Does((parsed, options, stop) =>
            TellAsync(options, JsonLines.WriteAsync(TableRows.ReadAsync(options.OpenStore(), parsed.GetRequiredValue(table), int.MaxValue, stop), parsed.GetRequiredValue(to), stop)));
    }

    private static Command HuggingFace()
    {
        var (corpus, labelSet, to) = (Corpus(), LabelSet(), Folder());
        return new Command("huggingface", "Write a corpus as a Hugging Face dataset: Parquet with media columns, a card, and Croissant metadata.").With(corpus, labelSet, to).Does((parsed, options, stop) =>
            TellAsync(options, HuggingFaceExport.WriteAsync(options.OpenStore(), parsed.GetRequiredValue(corpus), parsed.GetValue(labelSet), parsed.GetRequiredValue(to), stop)));
    }

    private static Command WebDataset()
    {
        var (corpus, labelSet, to) = (Corpus(), LabelSet(), Folder());
        var shard = new Option<long>("--shard-bytes") { Description = "Payload after which the next shard begins.", DefaultValueFactory = _ => WebDatasetExport.ShardBytes };
        return new Command("webdataset", "Write a corpus as WebDataset shards: tar files of media, text, JSON and label.").With(corpus, labelSet, to, shard).Does((parsed, options, stop) =>
            TellAsync(options, WebDatasetExport.WriteAsync(options.OpenStore(), parsed.GetRequiredValue(corpus), parsed.GetValue(labelSet), parsed.GetRequiredValue(to), parsed.GetValue(shard), stop)));
    }

    private static Command OpenLineage()
    {
        var to = File("one OpenLineage event a line");
        var space = new Option<string?>("--namespace") { Description = "Namespace of jobs and data sets. Default: file: and the store's folder." };
        return new Command("openlineage", "Write the history of runs as OpenLineage events.").With(to, space).Does((parsed, options, stop) =>
        {
            var store = options.OpenStore();
            return TellAsync(options, JsonLines.WriteAsync(OpenLineageExport.Events(store, parsed.GetValue(space) ?? (store.IsRemote ? store.Address : $"file:{store.Root}")).ToAsyncEnumerable(), parsed.GetRequiredValue(to), stop));
        });
    }

    private static Command Mlflow()
    {
        var encoder = new Option<string>("--encoder") { Description = "The encoder whose training it is.", Required = true };
        var to = Folder();
        return new Command("mlflow", "Write the training of an encoder as an MLflow file store: parameters, metrics, tags, model.").With(encoder, to).Does((parsed, options, stop) =>
            TellAsync(options, MlflowExport.WriteAsync(options.OpenStore(), parsed.GetRequiredValue(encoder), parsed.GetRequiredValue(to), stop)));
    }

    private static async Task<int> TellAsync(GlobalOptions options, Task<Exported> writing)
    {
        var written = await writing;
        if (options.Json) Verb.PrintJson(written);
        else Console.Out.WriteLine($"{written.Rows} rows in {written.Path}{(written.Files.Count > 1 ? $" ({written.Files.Count} files)" : "")}.{(written.LeftOut > 0 ? $" {written.LeftOut} items were left out: kept by reference, their bytes are not in the store." : "")}");
        return ExitCode.Done;
    }
}
