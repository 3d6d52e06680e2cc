// Do live answers equal the vectors in the store? Items of a set are embedded again as a client would have it done, and held against the Parquet rows.
using FeatureForge.Data;
using FeatureForge.Ingest;
using FeatureForge.Learning;

namespace FeatureForge.Jobs;

/// <summary>The largest difference at one level.</summary>
/// <param name="Largest">Of any value of any item, absolute.</param>
/// <param name="ItemId">The item that has it.</param>
public sealed record LevelParity(string Level, long Items, double Largest, string ItemId);

/// <summary>Compares live vectors with stored ones.</summary>
public static class ParityCheck
{
    /// <summary>What float32 allows.</summary>
    public const double Tolerance = 1e-5;

    private const int ItemsAtOnce = 16;

    /// <param name="most">Items to compare, spread over the set.</param>
    /// <param name="embed">Embeds items at the levels, as <see cref="InferenceHost.EmbedAsync"/> does.</param>
    /// <exception cref="BadRequestException">The set has no item vectors, or its encoder is another now.</exception>
    public static async Task<IReadOnlyList<LevelParity>> RunAsync(Store store, string setName, int most, Func<EncoderManifest, IReadOnlyList<string>, IReadOnlyList<InferenceInput>, Task<IReadOnlyList<LevelVectors>>> embed, CancellationToken stop)
    {
        var set = store.Set(setName);
        var encoder = store.EncoderOf(set);
        var tables = set.Tables.Where(table => table.Grain == Grain.Item).ToList();
        if (tables.Count == 0) throw new BadRequestException($"Embedding set '{set.Name}' has no vectors of whole items; extract it with --grains item.");
        var every = Math.Max(1, tables[0].Rows / Math.Max(1, most));
        var stored = new Dictionary<string, Dictionary<string, float[]>>(StringComparer.Ordinal);
        foreach (var table in tables)
        {
            var row = 0L;
            foreach (var block in table.Parts.SelectMany(part => EmbeddingTable.Read(store.FileOf(store.SetFolder(set.Name), part))))
                for (var i = 0; i < block.Rows; i++, row++)
                {
                    if (row % every != 0 || row / every >= most) continue;
                    if (!stored.TryGetValue(block.ItemIds[i], out var levels)) stored[block.ItemIds[i]] = levels = [];
                    levels[table.Level] = block.Vectors.AsSpan(i * block.Dimension, block.Dimension).ToArray();
                }
        }
        var worst = tables.ToDictionary(table => table.Level, table => new LevelParity(table.Level, 0, 0, ""));
        var waiting = new List<ItemRow>();
        foreach (var part in store.Corpus(set.Corpus).ItemParts)
            await foreach (var row in ItemsTable.ReadAsync(store.FileOf(store.CorpusFolder(set.Corpus), part), withContent: true, stop))
            {
                if (stored.ContainsKey(row.ItemId)) waiting.Add(row);
                if (waiting.Count == ItemsAtOnce) await CompareAsync();
            }
        await CompareAsync();
        return [.. worst.Values];

        async Task CompareAsync()
        {
            // Requests hold items of one kind.
            foreach (var rows in waiting.GroupBy(row => LiveItem.IsRawPixels(row) ? $"{row.Width} {row.Height} {row.Channels}" : ""))
            {
                var vectors = await embed(encoder, [.. tables.Select(table => table.Level)], [.. rows.Select(InputOf)]);
                foreach (var level in vectors)
                    foreach (var (row, i) in rows.Select((row, i) => (row, i)))
                        if (stored[row.ItemId].TryGetValue(level.Level, out var expected))
                        {
                            var largest = 0.0;
                            for (var d = 0; d < expected.Length; d++) largest = Math.Max(largest, Math.Abs(expected[d] - level.Values[i * level.Dimension + d]));
                            var before = worst[level.Level];
                            worst[level.Level] = before with { Items = before.Items + 1, Largest = Math.Max(before.Largest, largest), ItemId = largest >= before.Largest ? row.ItemId : before.ItemId };
                        }
            }
            waiting.Clear();
        }
    }

    private static InferenceInput InputOf(ItemRow row) =>
        row.Modality == Modality.Text ? InferenceInput.OfText(row.Text!)
        : LiveItem.IsRawPixels(row) ? new(InferenceInputKind.Pixels, row.Content!, [row.Height!.Value, row.Width!.Value, row.Channels!.Value])
        : InferenceInput.OfFile(LiveItem.BytesOf(row));
}
