// The queue: what it asks, and that nobody is asked what somebody else holds.
using FeatureForge.Data;

namespace FeatureForge.Labelling.Tests;

public sealed class QueueTests
{
    private static readonly QueueSpec _spec = new() { LabelSet = "labels", Set = "set", Device = "cpu" };
    private static readonly TimeSpan _lease = TimeSpan.FromMinutes(30);

    [Fact]
    public async Task Cold_start_asks_for_every_class_first_and_the_same_for_a_seed()
    {
        using var shelf = new Shelf();
        var queue = await LabelQueue.OpenAsync(shelf.Store, _spec, shelf.Time, default);

        var turn = await queue.NextAsync("anna", 3, _lease, default);
        var again = await (await LabelQueue.OpenAsync(shelf.Store, _spec, shelf.Time, default)).NextAsync("anna", 3, _lease, default);

        Assert.Equal(3, turn.Entries.Select(entry => Shelf.NameOf(entry.ItemId)).Distinct().Count());
        Assert.Equal(turn.Entries.Select(entry => entry.ItemId).Order(), again.Entries.Select(entry => entry.ItemId).Order());
        Assert.All(turn.Entries, entry => Assert.StartsWith("pictures/", entry.Path));
    }

    [Fact]
    public async Task Two_people_who_ask_at_once_never_get_the_same_item()
    {
        using var shelf = new Shelf();
        var turns = await Task.WhenAll(Enumerable.Range(0, 6).Select(person => Task.Run(async () =>
            await (await LabelQueue.OpenAsync(shelf.Store, _spec, shelf.Time, default)).NextAsync($"person {person}", 8, _lease, default))));

        var handed = turns.SelectMany(turn => turn.Entries.Select(entry => entry.ItemId)).ToList();
        Assert.Equal(handed.Count, handed.Distinct().Count());
        Assert.Equal(48, handed.Count);
    }

    [Fact]
    public async Task Only_items_of_a_selection_are_handed_out_cold_and_warm()
    {
        using var shelf = new Shelf();
        await new SelectionDesk(shelf.Store, shelf.Time).ChangeAsync(new() { Name = "some", Corpus = "corpus", ItemIds = [.. Enumerable.Range(0, 12).Select(Shelf.Id)], Author = "anna" }, default);
        var queue = await LabelQueue.OpenAsync(shelf.Store, _spec with { Selection = "some" }, shelf.Time, default);

        var cold = await queue.NextAsync("anna", 5, _lease, default);
        for (var name = 0; name < 3; name++) await shelf.GiveAsync(Shelf.Names[name], [.. Enumerable.Range(20, 30).Where(item => Shelf.ClassOf(item) == name)]);
        var warm = await queue.NextAsync("anna", 40, _lease, default);
        await shelf.GiveAsync("dog", [.. Enumerable.Range(0, 12)]);
        var done = await queue.NextAsync("anna", 40, _lease, default);

        Assert.Equal(("coverage", 5, 12), (cold.Phase, cold.Entries.Count, cold.Left));
        Assert.All(cold.Entries.Concat(warm.Entries), entry => Assert.InRange(Shelf.Number(entry.ItemId), 0, 11));
        Assert.Equal(("uncertain", 12), (warm.Phase, warm.Entries.Count));
        Assert.Equal((0, 0), (done.Entries.Count, done.Left));
        await Assert.ThrowsAsync<BadRequestException>(() => LabelQueue.OpenAsync(shelf.Store, _spec with { Selection = "none" }, shelf.Time, default));
    }

    [Fact]
    public void A_lease_that_runs_out_frees_the_item_for_others()
    {
        using var shelf = new Shelf();
        using var leases = QueueLeases.Open(shelf.Store, "labels", shelf.Time);
        var first = leases.Take(["a", "b"], "anna", 2, _lease);
        var refused = leases.Take(["a", "b", "c"], "ben", 3, _lease);
        shelf.Time.Advance(_lease);

        Assert.Equal(["a", "b"], first);
        Assert.Equal(["c"], refused);
        Assert.Equal(["a"], leases.Take(["a"], "ben", 1, _lease));
    }

    [Fact]
    public async Task Skipped_items_stay_away_from_that_person_and_deferred_ones_from_all_until_their_time()
    {
        using var shelf = new Shelf();
        var queue = await LabelQueue.OpenAsync(shelf.Store, _spec, shelf.Time, default);
        var first = (await queue.NextAsync("anna", 2, _lease, default)).Entries;
        queue.Answer(first[0].ItemId, "anna", QueueAnswer.Skip);
        queue.Answer(first[1].ItemId, "anna", QueueAnswer.Defer, TimeSpan.FromHours(1));

        var anna = (await queue.NextAsync("anna", 20, _lease, default)).Entries.Select(entry => entry.ItemId).ToList();
        shelf.Time.Advance(TimeSpan.FromHours(2));
        var ben = (await queue.NextAsync("ben", 20, _lease, default)).Entries.Select(entry => entry.ItemId).ToList();

        Assert.DoesNotContain(first[0].ItemId, anna);
        Assert.DoesNotContain(first[1].ItemId, anna);
        Assert.Contains(first[0].ItemId, ben);
        Assert.Contains(first[1].ItemId, ben);
    }

    [Fact]
    public async Task An_item_that_people_disagree_about_goes_to_a_third_person_whose_word_decides()
    {
        using var shelf = new Shelf();
        await shelf.GiveAsync("anna", "bird", 0);
        await shelf.GiveAsync("ben", "dog", 0);
        var queue = await LabelQueue.OpenAsync(shelf.Store, _spec, shelf.Time, default);

        var anna = await queue.NextAsync("anna", 1, _lease, default);
        var clara = await queue.NextAsync("clara", 1, _lease, default);
        await shelf.GiveAsync("clara", "bird", 0);

        Assert.NotEqual("second_opinion", anna.Entries[0].Kind);
        Assert.Equal((Shelf.Id(0), "second_opinion"), (clara.Entries[0].ItemId, clara.Entries[0].Kind));
        Assert.Equal(("bird", false), (LabelDecisions.OfItems(await shelf.StateAsync())[Shelf.Id(0)].Name, LabelDecisions.OfItems(await shelf.StateAsync())[Shelf.Id(0)].Disputed));
    }

    [Fact]
    public async Task With_labels_enough_it_asks_where_they_disagree()
    {
        using var shelf = new Shelf(noise: 0.35);
        foreach (var c in (int[])[0, 1, 2]) await shelf.GiveAsync(Shelf.Names[c], [.. Enumerable.Range(0, 10).Select(i => 3 * i + c)]);

        var turn = await (await LabelQueue.OpenAsync(shelf.Store, _spec, shelf.Time, default)).NextAsync("anna", 5, _lease, default);

        Assert.Equal("uncertain", turn.Phase);
        Assert.All(turn.Entries, entry => Assert.True(Shelf.Number(entry.ItemId) >= 30 && entry.Suggestions.Count > 0));
    }
}
