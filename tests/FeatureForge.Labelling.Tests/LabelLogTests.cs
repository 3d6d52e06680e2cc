// The label log: nothing is lost, undoing restores, what the store says of it.
using FeatureForge.Data;

namespace FeatureForge.Labelling.Tests;

public sealed class LabelLogTests
{
    private static async Task<string> HashAsync(Shelf shelf) => (await StoreHash.ComputeAsync(shelf.Store, default)).Single(table => table.Table == "labels/labels").Hash;

    [Fact]
    public async Task Undoing_one_label_restores_the_table_exactly()
    {
        using var shelf = new Shelf();
        await shelf.GiveAsync("bird", 0, 3);
        var before = await HashAsync(shelf);

        var given = await shelf.GiveAsync("car", 1);
        var between = await HashAsync(shelf);
        await shelf.Desk.UndoAsync("labels", [given[0].LabelId], "anna", default);

        Assert.NotEqual(before, between);
        Assert.Equal(before, await HashAsync(shelf));
    }

    [Fact]
    public async Task Undoing_a_batch_restores_the_table_and_undoing_the_undo_gives_it_back()
    {
        using var shelf = new Shelf();
        await shelf.GiveAsync("bird", 0);
        var before = await HashAsync(shelf);
        var given = await shelf.GiveAsync("car", 1, 4, 7);
        var between = await HashAsync(shelf);

        var undone = await shelf.Desk.UndoBatchAsync("labels", given[0].Batch, "anna", default);
        var after = await HashAsync(shelf);
        await shelf.Desk.UndoAsync("labels", [.. undone.Select(row => row.LabelId)], "anna", default);

        Assert.Equal(3, undone.Count);
        Assert.Equal(before, after);
        Assert.Equal(between, await HashAsync(shelf));
    }

    [Fact]
    public async Task A_second_label_of_the_same_person_counts_until_it_is_undone()
    {
        using var shelf = new Shelf();
        await shelf.GiveAsync("bird", 0);
        var second = await shelf.GiveAsync("dog", 0);
        var changed = LabelDecisions.OfItems(await shelf.StateAsync())[Shelf.Id(0)].Name;
        await shelf.Desk.UndoAsync("labels", [second[0].LabelId], "anna", default);

        Assert.Equal("dog", changed);
        Assert.Equal("bird", LabelDecisions.OfItems(await shelf.StateAsync())[Shelf.Id(0)].Name);
    }

    [Fact]
    public async Task Given_labels_are_read_without_the_predictions_beside_them_and_are_the_same()
    {
        using var shelf = new Shelf();
        var log = LabelLog.Of(shelf.Store, "labels");
        await shelf.GiveAsync("bird", 0, 1);
        var predicted = (await shelf.GiveAsync("car", 2)).Concat(await shelf.GiveAsync("car", 3)).Select(row => row with { LabelId = LabelLog.NewId(), Source = LabelSource.Model, Author = "head" }).ToList();
        await log.AppendAsync(predicted, default);
        var wrong = await shelf.GiveAsync("dog", 0);
        await shelf.Desk.UndoAsync("labels", [wrong[0].LabelId, predicted[0].LabelId], "anna", default);
        var undone = (await shelf.StateAsync()).All.Where(row => row.Undoes is not null).ToList();
        await shelf.Desk.UndoAsync("labels", [undone.Single(row => row.Undoes == predicted[0].LabelId).LabelId], "anna", default);

        foreach (var merged in new[] { false, true })
        {
            if (merged) await log.CompactAsync(default);
            var (given, all) = (await log.ReadGivenAsync(default), await log.ReadAsync(default));
            Assert.Equal(all.Active.Where(LabelDecisions.IsGiven), given.Active);
            Assert.Equal(4, given.Active.Count);
            Assert.Equal(2, all.Active.Count(row => row.Source == LabelSource.Model));
            Assert.DoesNotContain(given.All, row => row.Source == LabelSource.Model);
        }
    }

    [Fact]
    public async Task Concurrent_appends_lose_nothing_and_merging_parts_changes_nothing()
    {
        using var shelf = new Shelf();
        await Task.WhenAll(Enumerable.Range(0, 40).Select(item => Task.Run(() => new LabelDesk(Store.Open(shelf.Store.Root), TimeProvider.System).SetAsync(
            new() { LabelSet = "labels", Name = "bird", ItemIds = [Shelf.Id(item)], Author = $"author {item % 2}" }, default))));
        var before = await HashAsync(shelf);
        var (parts, left) = await LabelLog.Of(shelf.Store, "labels").CompactAsync(default);

        Assert.Equal(40, (await shelf.StateAsync()).Active.Count);
        Assert.Equal((40, 1), (parts, left));
        Assert.Equal(before, await HashAsync(shelf));
        Assert.True(StoreVerify.Run(shelf.Store, default).Sound);
    }

    [Fact]
    public async Task A_damaged_part_is_found_by_store_verify()
    {
        using var shelf = new Shelf();
        await shelf.GiveAsync("bird", 0);
        var part = Directory.GetFiles(shelf.Store.LabelSetFolder("labels"))[0];
        File.WriteAllBytes(part, File.ReadAllBytes(part)[..^20]);

        Assert.Contains(StoreVerify.Run(shelf.Store, default).Findings, finding => finding.Severity == "error" && finding.Where == part);
    }

    [Theory]
    [InlineData("", "blank")]
    [InlineData(" bird", "begins or ends with a blank")]
    [InlineData("a\nb", "control character")]
    public async Task Names_that_no_table_should_hold_are_refused(string name, string why)
    {
        using var shelf = new Shelf();

        var error = await Assert.ThrowsAsync<BadRequestException>(() => shelf.GiveAsync(name, 0));

        Assert.Contains(why, error.Message);
        Assert.Empty(shelf.Store.LabelSets());
    }

    [Fact]
    public async Task Unknown_items_and_clusters_are_refused_by_name()
    {
        using var shelf = new Shelf();
        await shelf.WriteTreeAsync();

        var error = await Assert.ThrowsAsync<BadRequestException>(() => shelf.Desk.SetAsync(
            new() { LabelSet = "labels", Name = "bird", ItemIds = [Shelf.Id(9999)], ClusterIds = ["nowhere"], Clustering = "tree", Author = "anna" }, default));

        Assert.Equal(2, error.Problems.Count);
    }
}
