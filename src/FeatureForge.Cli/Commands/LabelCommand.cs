// `label`: what to label next, giving labels and taking them back, spreading them, checking them, bringing them in and out.
// The verbs that only append or read are done here; propagation is a run. The file is long because the verb has ten acts.
using System.CommandLine;
using System.Globalization;
using FeatureForge.Data;
using FeatureForge.Labelling;

namespace FeatureForge.Cli;

internal static class LabelCommand
{
    private static readonly Option<string> _labelSet = new("--label-set") { Description = "The label set.", Required = true };
    private static readonly Option<string> _set = new("--set") { Description = "The embedding set.", Required = true };
    private static readonly Option<string> _level = new("--level") { Description = "raw, low, mid or high.", DefaultValueFactory = _ => Level.High };
    private static readonly Option<string?> _clustering = new("--clustering") { Description = "The clustering. Default: the set's only one of that level." };
    private static readonly Option<string> _author = SharedOptions.Author("Who labels.");
    private static readonly Option<string[]> _items = new("--item") { Description = "Items, by id or path; repeat it or separate with commas.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<string?> _corpus = new("--corpus") { Description = "Only items of this corpus." };
    private static readonly Option<string?> _selection = new("--selection") { Description = "Items of this selection." };
    private static readonly Option<int> _seed = new("--seed") { Description = "Of every random draw." };

    internal static Command Create() => new Command("label", "Label items and clusters: queue, set, skip, defer, disagree, undo, list, propagate, check, import, export, compact.")
        .With(Queue(), Set(), Answer("skip", QueueAnswer.Skip, "Never show these items to this person again."), Answer("defer", QueueAnswer.Defer, "Show these items to nobody for a while."),
            Answer("disagree", QueueAnswer.Disagree, "Doubt the label these items have: others are asked."), Undo(), List(), Propagate(), Check(), Import(), Export(), Compact());

    private static Command Queue()
    {
        var count = new Option<int>("--count") { Description = "How many items.", DefaultValueFactory = _ => 10 };
        var lease = new Option<double>("--lease-minutes") { Description = "How long they are held for this person.", DefaultValueFactory = _ => 30 };
        return new Command("queue", "Say what to label next, and why; nobody else gets these items for a while.").With(_labelSet, _set, _level, _clustering, _selection, _author, count, lease, _seed).Does(async (parsed, options, stop) =>
        {
            if (parsed.GetValue(lease) is not (> 0 and <= 10080)) throw new BadRequestException("--lease-minutes: expected more than 0 and at most 10080 (a week).");
            var spec = new QueueSpec { LabelSet = parsed.GetRequiredValue(_labelSet), Set = parsed.GetRequiredValue(_set), Level = parsed.GetValue(_level)!, Clustering = parsed.GetValue(_clustering), Selection = parsed.GetValue(_selection), Seed = parsed.GetValue(_seed) };
            var queue = await LabelQueue.OpenAsync(options.OpenStore(), spec, TimeProvider.System, stop);
            var turn = await queue.NextAsync(parsed.GetValue(_author)!, parsed.GetValue(count), TimeSpan.FromMinutes(parsed.GetValue(lease)), stop);
            if (options.Json) Verb.PrintJson(turn);
            else
            {
                if (turn.Entries.Count > 0)
                    Console.Out.WriteLine(TextTable.Format(["ITEM", "PATH", "CLUSTER", "WHY"], turn.Entries.Select(entry => (IReadOnlyList<string>)[entry.ItemId, entry.Path, entry.ClusterName ?? "", entry.Reason])));
                Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
                    {turn.Labelled:N0} items labelled, {turn.Left:N0} left. {(turn.Entries.Count == 0 ? "There is nothing to ask now." : $"Answer with: featureforge label set --label-set {turn.LabelSet} --name CLASS --item ITEM (or label skip, label defer)")}
                    """));
            }
            return ExitCode.Done;
        });
    }

    private static Command Set()
    {
        var name = new Option<string>("--name") { Description = "The class.", Required = true };
        var clusters = new Option<string[]>("--cluster") { Description = "Clusters, by id; needs --clustering.", AllowMultipleArgumentsPerToken = true };
        var confidence = new Option<float>("--confidence") { Description = "0 to 1.", DefaultValueFactory = _ => 1 };
        var region = new Option<string?>("--region") { Description = "The part that is meant, as JSON: {\"start_ms\":0,\"end_ms\":500} or {\"x\":1,\"y\":2,\"width\":3,\"height\":4} or {\"start_char\":0,\"end_char\":9}." };
        return new Command("set", "Give items or clusters a label.").With(_labelSet, name, _items, clusters, _clustering, _selection, _author, confidence, region, _corpus).Does(async (parsed, options, stop) =>
        {
            var store = options.OpenStore();
            LabelRegion? part;
            try { part = LabelRegion.Parse(parsed.GetValue(region)); }
            catch (System.Text.Json.JsonException error) { throw new BadRequestException($"--region is no JSON object of a region: {error.Message}"); }
            var rows = await new LabelDesk(store, TimeProvider.System).SetAsync(new()
            {
                LabelSet = parsed.GetRequiredValue(_labelSet),
                Name = parsed.GetRequiredValue(name),
                ItemIds = await LabelDesk.ItemsAsync(store, Verb.List(parsed.GetValue(_items)), parsed.GetValue(_corpus), stop),
                ClusterIds = Verb.List(parsed.GetValue(clusters)),
                Clustering = parsed.GetValue(_clustering),
                Selection = parsed.GetValue(_selection),
                Author = parsed.GetValue(_author)!,
                Confidence = parsed.GetValue(confidence),
                Region = part,
            }, stop);
            if (options.Json) Verb.PrintJson(new { LabelSet = parsed.GetValue(_labelSet), rows[0].Batch, Labels = rows });
            else Console.Out.WriteLine($"{rows.Count} labelled {parsed.GetValue(name)}. Take it back: featureforge label undo --label-set {parsed.GetValue(_labelSet)} --batch {rows[0].Batch}");
            return ExitCode.Done;
        });
    }

    private static Command Answer(string verb, QueueAnswer answer, string description)
    {
        var hours = new Option<double>("--hours") { Description = "For how long (defer).", DefaultValueFactory = _ => 24 };
        return new Command(verb, description).With(answer == QueueAnswer.Defer ? [_labelSet, _items, _author, _corpus, hours] : [_labelSet, _items, _author, _corpus]).Does(async (parsed, options, stop) =>
        {
            var store = options.OpenStore();
            var items = await LabelDesk.ItemsAsync(store, Verb.List(parsed.GetValue(_items)), parsed.GetValue(_corpus), stop);
            if (items.Count == 0) throw new BadRequestException("Name items with --item.");
            using var leases = QueueLeases.Open(store, parsed.GetRequiredValue(_labelSet), TimeProvider.System);
            DateTimeOffset? until = answer == QueueAnswer.Defer ? TimeProvider.System.GetUtcNow().AddHours(parsed.GetValue(hours)) : null;
            foreach (var item in items) leases.Answer(item, parsed.GetValue(_author)!, answer, until);
            if (options.Json) Verb.PrintJson(new { LabelSet = parsed.GetValue(_labelSet), Answer = answer, Items = items, Until = until });
            else Console.Out.WriteLine($"{items.Count} noted: {verb}.");
            return ExitCode.Done;
        });
    }

    private static Command Undo()
    {
        var labels = new Option<string[]>("--label") { Description = "Labels, by label_id.", AllowMultipleArgumentsPerToken = true };
        var batch = new Option<string?>("--batch") { Description = "All labels of one act." };
        var last = new Option<bool>("--last") { Description = "The author's last act." };
        return new Command("undo", "Take labels back; what was in force before them is in force again.").With(_labelSet, labels, batch, last, _author).Does(async (parsed, options, stop) =>
        {
            var (desk, labelSet, author) = (new LabelDesk(options.OpenStore(), TimeProvider.System), parsed.GetRequiredValue(_labelSet), parsed.GetValue(_author)!);
            var ids = Verb.List(parsed.GetValue(labels));
            var act = parsed.GetValue(last) ? await desk.LastBatchAsync(labelSet, author, stop) : parsed.GetValue(batch);
            if ((act is null) == (ids.Count == 0)) throw new BadRequestException(parsed.GetValue(last) ? $"{author} has given no label that is in force." : "Say what to take back: --label, --batch or --last.");
            var undone = act is not null ? await desk.UndoBatchAsync(labelSet, act, author, stop) : await desk.UndoAsync(labelSet, ids, author, stop);
            if (options.Json) Verb.PrintJson(new { LabelSet = labelSet, Undone = undone.Count, Labels = undone.Select(row => row.Undoes), Batch = undone.Count > 0 ? undone[0].Batch : null });
            else Console.Out.WriteLine(undone.Count == 0 ? "All of it was taken back before." : $"{undone.Count} labels taken back.");
            return ExitCode.Done;
        });
    }

    private static Command List()
    {
        var take = new Option<int>("--take") { Description = "Newest labels to show.", DefaultValueFactory = _ => 20 };
        var optional = new Option<string?>("--label-set") { Description = "Default: names the label sets." };
        return new Command("list", "Say what a label set holds.").With(optional, take).Does(async (parsed, options, stop) =>
        {
            var store = options.OpenStore();
            if (parsed.GetValue(optional) is not { } labelSet)
            {
                if (options.Json) Verb.PrintJson(new { LabelSets = store.LabelSets() });
                else Console.Out.WriteLine(string.Join('\n', store.LabelSets()));
                return ExitCode.Done;
            }
            var summary = await new LabelDesk(store, TimeProvider.System).SummaryAsync(labelSet, stop);
            var newest = (await LabelLog.Existing(store, labelSet).ReadAsync(stop)).Active.Reverse().Take(parsed.GetValue(take)).ToList();
            if (options.Json) Verb.PrintJson(new { Summary = summary, Labels = newest });
            else
            {
                Console.Out.WriteLine(TextTable.Format(["AT", "SOURCE", "AUTHOR", "LABEL", "TARGET", "LABEL_ID", "BATCH"], newest.Select(row => (IReadOnlyList<string>)
                    [row.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture), row.Source.ToString().ToLowerInvariant(), row.Author, row.Name, row.TargetId, row.LabelId, row.Batch])));
                Console.Out.WriteLine($"In force: {Join(summary.BySource)}. Classes: {Join(summary.ByName)}.{(summary.Disputed > 0 ? $" People disagree about {summary.Disputed} items." : "")}");
            }
            return ExitCode.Done;
        });
    }

    private static string Join(IReadOnlyDictionary<string, int> counts) => counts.Count == 0 ? "nothing" : string.Join(", ", counts.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key} {pair.Value:N0}")));

    private static Command Propagate()
    {
        var method = new Option<string>("--method") { Description = string.Join(", ", PropagateSpec.Methods) + ".", DefaultValueFactory = _ => "both" };
        var threshold = new Option<double>("--threshold") { Description = "An item gets no label when no class is this sure.", DefaultValueFactory = _ => 0.5 };
        var neighbours = new Option<int>("--neighbours") { Description = "Nearest neighbours that each item is tied to.", DefaultValueFactory = _ => new PropagateSpec { LabelSet = "", Set = "" }.Neighbours };
        var device = SharedOptions.Device();
        return new Command("propagate", "Spread labels down the tree and over neighbours (source=propagated); a person's label is never touched.").With(_labelSet, _set, _level, _clustering, method, threshold, neighbours, _seed, device)
            .Does(async (parsed, options, stop) =>
            {
                var store = options.OpenStore();
                return await SharedOptions.ExecuteAsync(RunKind.Propagate, new PropagateSpec
                {
                    LabelSet = parsed.GetRequiredValue(_labelSet),
                    Set = parsed.GetRequiredValue(_set),
                    Level = parsed.GetValue(_level)!,
                    Clustering = parsed.GetValue(_clustering),
                    Method = parsed.GetValue(method)!,
                    Threshold = parsed.GetValue(threshold),
                    Neighbours = parsed.GetValue(neighbours),
                    Seed = parsed.GetValue(_seed),
                    Device = parsed.GetValue(device)!,
                }, () => store, options, stop);
            });
    }

    private static Command Check()
    {
        var splits = new Option<string?>("--splits") { Description = "CSV with path and split: look for near duplicates across splits." };
        return new Command("check", "Find labels that are probably wrong, conflicting duplicates and leakage between splits.").With(_labelSet, _set, _level, splits, _seed).Does(async (parsed, options, stop) =>
        {
            var found = await LabelCheck.RunAsync(options.OpenStore(), new() { LabelSet = parsed.GetRequiredValue(_labelSet), Set = parsed.GetRequiredValue(_set), Level = parsed.GetValue(_level)!, SplitsPath = parsed.GetValue(splits), Seed = parsed.GetValue(_seed) }, stop);
            if (options.Json) Verb.PrintJson(found);
            else
            {
                Console.Out.WriteLine($"{found.Labels} labels: {(found.EstimatedErrors is { } errors ? $"{errors} suspicious" : "too few to hold any out")}, {found.Conflicts.Count} conflicts, {found.Leaks.Count} near duplicates across splits.");
                if (found.Suspicious.Count > 0) Console.Out.WriteLine(TextTable.Format(["ITEM", "PATH", "LABEL", "RATHER", "QUALITY"], found.Suspicious.Take(30).Select(row => (IReadOnlyList<string>)[row.ItemId, row.Path, row.Given, row.Suggested, row.Quality.ToString("0.00", CultureInfo.InvariantCulture)])));
                foreach (var conflict in found.Conflicts.Take(30)) Console.Out.WriteLine($"conflict: {conflict.Path}: {string.Join(" / ", conflict.Names)}{(conflict.OtherId == conflict.ItemId ? "" : $", near duplicate of {conflict.OtherId}")}");
                foreach (var leak in found.Leaks.Take(30)) Console.Out.WriteLine($"leak: {leak.Path} ({leak.Split}) and {leak.OtherPath} ({leak.OtherSplit})");
            }
            return ExitCode.Done;
        });
    }

    private static Command Import()
    {
        var file = new Argument<string>("FILE") { Description = "CSV, JSON lines, Parquet, Label Studio's JSON or COCO." };
        var format = new Option<string?>("--format") { Description = $"{string.Join(", ", LabelFormats.All)}. Default: by the file's name." };
        return new Command("import", "Bring labels in (source=import); the same file again adds nothing.").With(file, _labelSet, format, _author, _corpus).Does(async (parsed, options, stop) =>
        {
            var found = await LabelImport.RunAsync(options.OpenStore(), parsed.GetRequiredValue(_labelSet), parsed.GetRequiredValue(file), parsed.GetValue(format), parsed.GetValue(_author)!, parsed.GetValue(_corpus), TimeProvider.System, stop);
            if (options.Json) Verb.PrintJson(found);
            else
                Console.Out.WriteLine($"{found.Added} labels added, {found.AlreadyThere} were there; {found.Unmatched} are of items that this store does not hold{(found.Unmatched > 0 ? $" ({string.Join(", ", found.UnmatchedNames.Take(5))} …)" : "")}. Take it back: featureforge label undo --label-set {found.LabelSet} --batch {found.Batch}");
            return ExitCode.Done;
        });
    }

    private static Command Export()
    {
        var to = new Option<string>("--to") { Description = "The file to write.", Required = true };
        var format = new Option<string?>("--format") { Description = $"{string.Join(", ", LabelFormats.All)}. Default: by the file's name." };
        var decided = new Option<bool>("--decided") { Description = "One label an item, the one that counts, instead of all in force." };
        var all = new Option<bool>("--all-items") { Description = "Unlabelled items as well, as tasks to be labelled (label-studio)." };
        return new Command("export", "Write labels to a file.").With(_labelSet, to, format, decided, all, _corpus).Does(async (parsed, options, stop) =>
        {
            var path = Path.GetFullPath(parsed.GetRequiredValue(to));
            var kind = parsed.GetValue(format) ?? (Path.GetExtension(path) == ".json" ? "label-studio" : LabelFormats.Of(path));
            var written = await LabelExport.RunAsync(options.OpenStore(), parsed.GetRequiredValue(_labelSet), kind, path, parsed.GetValue(decided), parsed.GetValue(all), parsed.GetValue(_corpus), stop);
            if (options.Json) Verb.PrintJson(written);
            else
            {
                foreach (var sentence in written.LeftOut.Take(20)) Console.Error.WriteLine($"left out: {sentence}");
                Console.Out.WriteLine($"{written.Labels} labels of {written.Items} items in {written.Path} ({written.Format}).");
            }
            return ExitCode.Done;
        });
    }

    private static Command Compact() => new Command("compact", "Merge the many small files of a label log into few.").With(_labelSet).Does(async (parsed, options, stop) =>
    {
        var (before, after) = await LabelLog.Existing(options.OpenStore(), parsed.GetRequiredValue(_labelSet)).CompactAsync(stop);
        if (options.Json) Verb.PrintJson(new { LabelSet = parsed.GetValue(_labelSet), Before = before, After = after });
        else Console.Out.WriteLine($"{before} files became {after}.");
        return ExitCode.Done;
    });
}
