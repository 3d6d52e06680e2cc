// `ingest`: files to items of a corpus; again = only what is new.
using System.CommandLine;
using FeatureForge.Data;
using FeatureForge.Ingest;

namespace FeatureForge.Cli;

internal static class IngestCommand
{
    internal static Command Create()
    {
        var sources = new Argument<string[]>("SOURCE") { Description = "Folders, archives (zip, tar, tar.gz), IDX files, tables (csv, tsv, jsonl) or media files.", Arity = ArgumentArity.OneOrMore };
        var corpus = new Option<string>("--corpus") { Description = "The corpus to make or to add to.", Required = true };
        var modality = new Option<string>("--modality") { Description = "auto, image, audio or text. Other files are quarantined.", DefaultValueFactory = _ => "auto" };
        var textColumns = new Option<string[]>("--text-column") { Description = "Columns of tables that hold the text." };
        var idColumn = new Option<string?>("--id-column") { Description = "Column of tables that names the row." };
        var reference = new Option<bool>("--reference") { Description = "Keep the place of files instead of their bytes." };
        var maxQuarantine = new Option<double>("--max-quarantine") { Description = "Fail, publishing nothing, when more than this fraction is quarantined.", DefaultValueFactory = _ => 1 };
        var dropIssues = new Option<string[]>("--drop-issues") { Description = $"Quarantine items with these quality issues instead of keeping them: {string.Join(", ", QualityIssue.All.Select(issue => issue.Name))}." };
        var threshold = new Option<string[]>("--threshold") { Description = "Another threshold for a quality issue, as NAME=VALUE; may be repeated." };
        var dropNearDuplicates = new Option<bool>("--drop-near-duplicates") { Description = "Quarantine near duplicates instead of keeping and marking them." };
        return new Command("ingest", "Turn files into items of a corpus; again means only what is new.").With(sources, corpus, modality, textColumns, idColumn, reference, maxQuarantine, dropIssues, threshold, dropNearDuplicates)
            .Does((parsed, options, stop) =>
            {
                var spec = new IngestSpec
                {
                    Sources = parsed.GetRequiredValue(sources),
                    Corpus = parsed.GetRequiredValue(corpus),
                    Modality = SharedOptions.ModalityOf(parsed.GetValue(modality)),
                    TextColumns = Verb.List(parsed.GetValue(textColumns)),
                    IdColumn = parsed.GetValue(idColumn),
                    Reference = parsed.GetValue(reference),
                    MaxQuarantine = parsed.GetValue(maxQuarantine),
                    DropIssues = Verb.List(parsed.GetValue(dropIssues)),
                    Quality = new QualityThresholds().With(Verb.List(parsed.GetValue(threshold))),
                    DropNearDuplicates = parsed.GetValue(dropNearDuplicates),
                };
                // Before a wrong request makes a store.
                BadRequestException.ThrowIfAny(spec.Problems());
                return SharedOptions.ExecuteAsync(RunKind.Ingest, spec, options.OpenOrCreateStore(), options, stop);
            });
    }
}
