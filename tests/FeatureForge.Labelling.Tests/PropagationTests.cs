// Propagation: right where labels reach, silent where they do not, and never over a person's word.
using FeatureForge.Data;

namespace FeatureForge.Labelling.Tests;

public sealed class PropagationTests
{
    private static readonly PropagateSpec _spec = new() { LabelSet = "labels", Set = "set", Device = "cpu" };

    private static async Task<int> RightAsync(Shelf shelf) =>
        (await shelf.StateAsync()).Active.Where(row => row.Source == LabelSource.Propagated).Count(row => row.Name == Shelf.NameOf(row.TargetId));

    [Fact]
    public async Task One_label_per_class_reaches_every_item_of_separate_classes()
    {
        using var shelf = new Shelf();
        foreach (var c in (int[])[0, 1, 2]) await shelf.GiveAsync(Shelf.Names[c], c);

        var result = await PropagateRun.ExecuteAsync(_spec, shelf.Context(), default);

        Assert.Equal((147, 0, 1.0), (result.Propagated, result.Abstained, result.Coverage));
        Assert.Equal(147, await RightAsync(shelf));
    }

    [Fact]
    public async Task A_person_s_label_is_never_overwritten_even_when_all_neighbours_say_otherwise()
    {
        using var shelf = new Shelf();
        foreach (var c in (int[])[0, 1, 2]) await shelf.GiveAsync(Shelf.Names[c], c, c + 3, c + 6);
        await shelf.GiveAsync("car", 30);

        await PropagateRun.ExecuteAsync(_spec, shelf.Context(), default);

        var state = await shelf.StateAsync();
        Assert.DoesNotContain(state.Active, row => row.Source == LabelSource.Propagated && row.TargetId == Shelf.Id(30));
        Assert.Equal("car", LabelDecisions.OfItems(state)[Shelf.Id(30)].Name);
    }

    [Fact]
    public async Task Again_it_replaces_its_own_labels_and_with_nothing_new_it_changes_nothing()
    {
        using var shelf = new Shelf();
        foreach (var c in (int[])[0, 1, 2]) await shelf.GiveAsync(Shelf.Names[c], c);
        await PropagateRun.ExecuteAsync(_spec, shelf.Context(), default);
        var first = await LabelLog.Of(shelf.Store, "labels").HashAsync(default);
        var idle = await PropagateRun.ExecuteAsync(_spec, shelf.Context(), default);
        var same = await LabelLog.Of(shelf.Store, "labels").HashAsync(default);

        await shelf.GiveAsync("dog", 0);
        await PropagateRun.ExecuteAsync(_spec, shelf.Context(), default);
        var state = await shelf.StateAsync();

        Assert.Equal((0, 0, first), (idle.Added, idle.Replaced, same));
        Assert.Equal(147, state.Active.Count(row => row.Source == LabelSource.Propagated));
        Assert.Equal("dog", LabelDecisions.OfItems(state)[Shelf.Id(3)].Name);
    }

    [Fact]
    public async Task Undoing_a_propagation_restores_what_the_one_before_had_written()
    {
        using var shelf = new Shelf();
        foreach (var c in (int[])[0, 1, 2]) await shelf.GiveAsync(Shelf.Names[c], c);
        await PropagateRun.ExecuteAsync(_spec, shelf.Context(), default);
        await shelf.GiveAsync("dog", 0);
        var before = await LabelLog.Of(shelf.Store, "labels").HashAsync(default);

        var second = await PropagateRun.ExecuteAsync(_spec, shelf.Context(), default);
        await shelf.Desk.UndoBatchAsync("labels", second.Batch, "anna", default);

        Assert.True(second.Replaced > 0);
        Assert.Equal(before, await LabelLog.Of(shelf.Store, "labels").HashAsync(default));
    }

    [Fact]
    public async Task The_nearest_labelled_ancestor_counts_and_deeper_labels_contradict_it()
    {
        using var shelf = new Shelf();
        await shelf.WriteTreeAsync();
        async Task Name(string name, params string[] clusters) => await shelf.Desk.SetAsync(new() { LabelSet = "labels", Name = name, ClusterIds = clusters, Clustering = "tree", Author = "anna" }, default);
        await Name("thing", "root");
        await Name("bird", "c0");
        await Name("young bird", "c0a");

        var result = await PropagateRun.ExecuteAsync(_spec with { Method = "tree" }, shelf.Context(), default);
        var decided = LabelDecisions.OfItems(await shelf.StateAsync());

        Assert.Equal((3, 150), (result.LabelledClusters, result.Propagated));
        Assert.Equal(("young bird", "bird", "thing"), (decided[Shelf.Id(0)].Name, decided[Shelf.Id(147)].Name, decided[Shelf.Id(1)].Name));
    }

    [Fact]
    public async Task Labelled_items_contradict_a_labelled_cluster_and_are_reviewed()
    {
        using var shelf = new Shelf();
        await shelf.WriteTreeAsync();
        await shelf.Desk.SetAsync(new() { LabelSet = "labels", Name = "bird", ClusterIds = ["c0", "c1"], Clustering = "tree", Author = "anna" }, default);
        await shelf.GiveAsync("car", [.. Enumerable.Range(0, 30).Select(i => 3 * i + 1)]);

        var result = await PropagateRun.ExecuteAsync(_spec, shelf.Context(), default);

        Assert.Equal("car", LabelDecisions.OfItems(await shelf.StateAsync()).GetValueOrDefault(Shelf.Id(148))?.Name ?? result.Review.First(row => row.ItemId == Shelf.Id(148)).Name);
        Assert.Contains(result.Review, row => row.Reason == "against_cluster");
    }

    [Fact]
    public async Task A_high_threshold_abstains_and_says_how_many()
    {
        using var shelf = new Shelf(noise: 0.6);
        foreach (var c in (int[])[0, 1, 2]) await shelf.GiveAsync(Shelf.Names[c], [.. Enumerable.Range(0, 10).Select(i => 3 * i + c)]);

        var bold = await PropagateRun.ExecuteAsync(_spec with { Threshold = 0 }, shelf.Context(), default);
        var timid = await PropagateRun.ExecuteAsync(_spec with { Threshold = 0.9 }, shelf.Context(), default);

        Assert.True(timid.Abstained > bold.Abstained);
        Assert.Equal(120, timid.Abstained + timid.Propagated);
        Assert.NotNull(timid.HeldOutAccuracy);
        Assert.InRange(timid.CalibrationErrorAfter!.Value, 0, 0.3);
    }

    [Fact]
    public void Two_labels_a_class_are_not_judged_by_what_one_of_them_could_do_alone()
    {
        // Each class is two groups far apart, each with one label: without it, nothing says what its group is.
        const int classes = 10, perGroup = 8, dimension = 16;
        var random = new Random(1);
        float Normal() => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        var centres = Enumerable.Range(0, 2 * classes).Select(_ => Enumerable.Range(0, dimension).Select(_ => 3 * Normal()).ToArray()).ToArray();
        var values = centres.SelectMany(centre => Enumerable.Range(0, perGroup).SelectMany(_ => centre.Select(value => value + 0.5f * Normal()))).ToArray();
        var rows = centres.Length * perGroup;
        var vectors = new LabelVectors("set", Shelf.Encoder, Level.High, Tensors.VectorMetric.L2, dimension, [.. Enumerable.Range(0, rows).Select(row => row.ToString("x32", System.Globalization.CultureInfo.InvariantCulture))], values);
        int ClassOf(int row) => row / perGroup / 2;
        var labels = Enumerable.Range(0, centres.Length).ToDictionary(group => group * perGroup, group => ClassOf(group * perGroup));

        var answer = Propagation.Run(vectors, null, labels, new Dictionary<string, int>(), classes, _spec, default);

        Assert.Equal(20, labels.Count);
        Assert.Null(answer.HeldOutAccuracy);
        var sure = Enumerable.Range(0, rows).Count(row => answer.Spread.Best(row) is var best && best.Probability >= _spec.Threshold && best.Class == ClassOf(row));
        Assert.True(sure > 0.9 * rows, $"{sure} of {rows}");
    }

    [Fact]
    public async Task A_tree_of_another_encoder_is_refused_and_both_are_named()
    {
        using var shelf = new Shelf();
        await shelf.WriteTreeAsync(encoder: new string('f', 32));
        await shelf.GiveAsync("bird", 0);

        var error = await Assert.ThrowsAsync<BadRequestException>(() => PropagateRun.ExecuteAsync(_spec with { Clustering = "tree" }, shelf.Context(), default));

        Assert.Contains(Shelf.Encoder, error.Message);
        Assert.Contains(new string('f', 32), error.Message);
    }
}
