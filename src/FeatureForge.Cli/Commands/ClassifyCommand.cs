// `classify`: a head on frozen vectors, from the labels of people.
using System.CommandLine;
using FeatureForge.Data;
using FeatureForge.Labelling;

namespace FeatureForge.Cli;

internal static class ClassifyCommand
{
    internal static Command Create()
    {
        var set = new Option<string>("--set") { Description = "The embedding set.", Required = true };
        var device = SharedOptions.Device();
        var labelSet = new Option<string>("--label-set") { Description = "The labels to learn from.", Required = true };
        var name = new Option<string?>("--head") { Description = "Name of the head. Default: the label set's name." };
        var level = new Option<string>("--level") { Description = "raw, low, mid or high.", DefaultValueFactory = _ => Level.High };
        var kind = new Option<string>("--kind") { Description = $"{string.Join(", ", HeadSpec.Kinds)}; auto takes the best in cross-validation.", DefaultValueFactory = _ => "auto" };
        var propagated = new Option<bool>("--with-propagated") { Description = "Learn from propagated labels as well, weighed by their confidence." };
        var seed = new Option<int>("--seed") { Description = "Of every random draw." };
        var train = new Command("train", "Fit a head: nearest neighbours, logistic regression or a small network, calibrated.").With(labelSet, set, name, level, kind, propagated, seed, device)
            .Does((parsed, options, stop) => SharedOptions.ExecuteAsync(RunKind.Fit, new HeadSpec
            {
                LabelSet = parsed.GetRequiredValue(labelSet),
                Set = parsed.GetRequiredValue(set),
                Head = parsed.GetValue(name),
                Level = parsed.GetValue(level)!,
                Kind = parsed.GetValue(kind)!,
                WithPropagated = parsed.GetValue(propagated),
                Seed = parsed.GetValue(seed),
                Device = parsed.GetValue(device)!,
            }, options.OpenStore, options, stop));

        var head = new Option<string?>("--head") { Description = "The head. Default: the label set's name." };
        var target = new Option<string?>("--label-set") { Description = "Where predictions go. Default: the label set the head learned from." };
        var threshold = new Option<double>("--threshold") { Description = "Predictions less sure than this are not written." };
        var predict = new Command("predict", "Label the items of a set with a head (source=model).").With(head, set, target, threshold, device)
            .Does((parsed, options, stop) => SharedOptions.ExecuteAsync(RunKind.Predict, new PredictSpec
            {
                Head = parsed.GetValue(head) ?? parsed.GetValue(target) ?? throw new BadRequestException("Name the head with --head."),
                Set = parsed.GetRequiredValue(set),
                LabelSet = parsed.GetValue(target),
                Threshold = parsed.GetValue(threshold),
                Device = parsed.GetValue(device)!,
            }, options.OpenStore, options, stop));
        return new Command("classify", "Classify items with a head on frozen vectors: train, predict.").With(train, predict);
    }
}
