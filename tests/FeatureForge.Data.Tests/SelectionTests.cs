// Selections: what changes them, who may be in them, and that two people at once lose nothing.
using FeatureForge.TestKit;

namespace FeatureForge.Data.Tests;

public sealed class SelectionTests : IDisposable
{
    private readonly TemporaryStore _temporary = new();
    private readonly FixedTimeProvider _time = new();
    private Store Store => _temporary.Store;
    private SelectionDesk Desk => new(Store, _time);

    public void Dispose() => _temporary.Dispose();

    private static string Id(int item) => item.ToString("x32", System.Globalization.CultureInfo.InvariantCulture);

    private async Task FillAsync(string corpus = "c", int items = 40)
    {
        var context = _temporary.Context();
        var staged = Path.Combine(context.StagingFolder, "items.parquet");
        await ItemsTable.WriteAsync(staged, [.. Enumerable.Range(0, items).Select(i => new ItemRow { ItemId = Id(i), Modality = Modality.Text, SourceUri = "", Path = $"{i}.txt", MediaType = "text/plain", ByteSize = 1, Text = "x", IngestedAt = DateTimeOffset.UnixEpoch })], default);
        var publication = new Publication(context);
        publication.Commit(Path.Combine(Store.CorpusFolder(corpus), "corpus.json"), new CorpusManifest
        {
            Name = corpus,
            Version = 1,
            RunId = "r",
            UpdatedAt = default,
            Items = new Dictionary<Modality, long> { [Modality.Text] = items },
            Quarantined = 0,
            Sources = [],
            ItemParts = [publication.Add(staged, Store.CorpusFolder(corpus), "items/part-00000.parquet", items)],
            QuarantineParts = [],
            Preparations = new Dictionary<Modality, PreparationSpec>(),
        });
    }

    private SelectionRequest Request(SelectionChange change, params int[] items) => new() { Name = "odd", Corpus = "c", ItemIds = [.. items.Select(Id)], Change = change, Author = "ada" };

    private IEnumerable<string> Ids() => SelectionDesk.ReadIds(Store, Store.Selection("odd")).Ids;

    [Fact]
    public async Task Items_come_leave_and_are_replaced_and_each_is_there_once()
    {
        await FillAsync();
        var made = await Desk.ChangeAsync(Request(SelectionChange.Create, 5, 3, 3) with { Note = "why" }, default);
        var afterCreate = Ids().ToList();
        _time.Advance(TimeSpan.FromHours(1));
        var grown = await Desk.ChangeAsync(Request(SelectionChange.Add, 3, 9), default);
        var afterAdd = Ids().ToList();
        await Desk.ChangeAsync(Request(SelectionChange.Remove, 5, 7), default);
        var afterTake = Ids().ToList();
        var last = await Desk.ChangeAsync(Request(SelectionChange.Replace, 1), default);

        Assert.Equal([Id(3), Id(5)], afterCreate);
        Assert.Equal([Id(3), Id(5), Id(9)], afterAdd);
        Assert.Equal([Id(3), Id(9)], afterTake);
        Assert.Equal([Id(1)], Ids());
        Assert.Equal((1, 2, 4, "why", made.CreatedAt), (made.Version, grown.Version, last.Version, last.Note, last.CreatedAt));
        Assert.True(last.UpdatedAt > made.UpdatedAt);
        // One part is left, the one that counts.
        Assert.Single(Directory.EnumerateFiles(Path.Combine(Store.SelectionFolder("odd"), "items")));
        Assert.True(StoreVerify.Run(Store, default).Sound);
        Assert.Contains(await StoreHash.ComputeAsync(Store, default), table => table is { Table: "selections/odd", Rows: 1 });
    }

    [Fact]
    public async Task What_is_wrong_is_refused_and_leaves_the_selection_as_it_was()
    {
        await FillAsync();
        await FillAsync("other");
        await Desk.ChangeAsync(Request(SelectionChange.Create, 1, 2), default);

        async Task RefusedAsync(string expected, SelectionRequest request) => Assert.Contains(expected, (await Assert.ThrowsAsync<BadRequestException>(() => Desk.ChangeAsync(request, default))).Message, StringComparison.Ordinal);
        await RefusedAsync("exists already (2 items)", Request(SelectionChange.Create, 3));
        await RefusedAsync("lacks 1 of the 2 items, for instance " + Id(77), Request(SelectionChange.Add, 3, 77));
        await RefusedAsync("is of corpus 'c', not of 'other'", Request(SelectionChange.Add, 3) with { Corpus = "other" });
        await RefusedAsync("Nothing would be left", Request(SelectionChange.Remove, 1, 2));
        await RefusedAsync("There is no selection 'new'", Request(SelectionChange.Remove, 1) with { Name = "new" });
        await RefusedAsync("'7' is no item id", Request(SelectionChange.Add) with { ItemIds = ["7"] });
        await RefusedAsync("No item was named", Request(SelectionChange.Add));
        await RefusedAsync("may hold ASCII letters", Request(SelectionChange.Add, 1) with { Name = "../x" });

        Assert.Equal([Id(1), Id(2)], Ids());
    }

    [Fact]
    public async Task People_who_add_at_once_lose_nothing()
    {
        await FillAsync();
        await Desk.ChangeAsync(Request(SelectionChange.Create, 0), default);

        // Real time: who finds the selection locked waits.
        var desk = new SelectionDesk(Store, TimeProvider.System);
        await Task.WhenAll(Enumerable.Range(1, 12).Select(item => Task.Run(() => desk.ChangeAsync(Request(SelectionChange.Add, item), default))));

        Assert.Equal(Enumerable.Range(0, 13).Select(Id), Ids());
        Assert.Equal(13, Store.Selection("odd").Version);
    }

    [Fact]
    public async Task Removing_one_leaves_nothing_and_removing_none_is_refused()
    {
        await FillAsync();
        await Desk.ChangeAsync(Request(SelectionChange.Create, 0), default);

        await Desk.RemoveAsync("odd", default);

        Assert.Null(Store.FindSelection("odd"));
        Assert.False(Directory.Exists(Store.SelectionFolder("odd")));
        Assert.DoesNotContain(StoreVerify.Run(Store, default).Findings, finding => finding.Where.Contains("selections", StringComparison.Ordinal));
        await Assert.ThrowsAsync<BadRequestException>(() => Desk.RemoveAsync("odd", default));
    }
}
