// Runs ingest in a test and reads back what it published.
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

internal sealed record Ingested(IngestResult Result, IReadOnlyList<ItemRow> Items, IReadOnlyList<Rejection> Quarantine)
{
    public const string Corpus = "things";

    public static async Task<Ingested> RunAsync(TemporaryStore store, IngestSpec spec, RunContext? context = null)
    {
        var result = await IngestRun.ExecuteAsync(spec, context ?? store.Context(), default);
        return new(result, await ItemsOf(store), await QuarantineOf(store));
    }

    public static Task<Ingested> RunAsync(TemporaryStore store, string source) => RunAsync(store, new IngestSpec { Sources = [source], Corpus = Corpus });

    public ItemRow Item(string path) => Items.Single(item => item.Path == path);

    public Rejection Bad(string path) => Quarantine.Single(row => row.Path == path);

    private static async Task<IReadOnlyList<ItemRow>> ItemsOf(TemporaryStore store)
    {
        var rows = new List<ItemRow>();
        foreach (var part in store.Store.FindCorpus(Corpus)?.ItemParts ?? [])
        {
            await foreach (var row in ItemsTable.ReadAsync(Path.Combine(store.Store.CorpusFolder(Corpus), part.Path), withContent: true, default)) rows.Add(row);
        }
        return rows;
    }

    private static async Task<IReadOnlyList<Rejection>> QuarantineOf(TemporaryStore store)
    {
        var rows = new List<Rejection>();
        foreach (var part in store.Store.FindCorpus(Corpus)?.QuarantineParts ?? [])
        {
            await foreach (var row in QuarantineTable.ReadAsync(Path.Combine(store.Store.CorpusFolder(Corpus), part.Path), default)) rows.Add(row);
        }
        return rows;
    }
}
