// A corpus as WebDataset shards: tar files whose entries of one item share the item's id as their name (github.com/webdataset/webdataset).
using System.Formats.Tar;
using System.Text;
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class WebDatasetExport
{
    internal const long ShardBytes = 256L << 20;

    internal static async Task<Exported> WriteAsync(Store store, string name, string? labelSet, string folder, long shardBytes, CancellationToken stop)
    {
        if (shardBytes < 1) throw new BadRequestException($"--shard-bytes {shardBytes}: expected at least 1.");
        var corpus = store.Corpus(name);
        var labels = await CorpusExport.LabelsAsync(store, labelSet, stop);
        return await ExportFolder.WriteAsync(folder, async staging =>
        {
            var (rows, leftOut, shard, bytes) = (0L, 0L, 0, 0L);
            TarWriter? tar = null;
            try
            {
                foreach (var part in corpus.ItemParts)
                    await foreach (var item in CorpusExport.ReadAsync(store, corpus, part, labels, stop))
                    {
                        if (item is null)
                        {
                            leftOut++;
                            continue;
                        }
                        if (tar is null || bytes >= shardBytes)
                        {
                            tar?.Dispose();
                            tar = new(File.Create(Path.Combine(staging, $"shard-{shard++:000000}.tar")), TarEntryFormat.Pax);
                            bytes = 0;
                        }
                        Add(tar, item);
                        bytes += item.Bytes.Length;
                        rows++;
                    }
            }
            finally { tar?.Dispose(); }
            return (rows, leftOut);
        });
    }

    // No times, owners or modes of this machine: the same corpus gives the same shards.
    private static void Add(TarWriter tar, LeavingItem item)
    {
        void Entry(string extension, byte[] bytes) =>
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, $"{item.Row.ItemId}.{extension}") { ModificationTime = DateTimeOffset.UnixEpoch, DataStream = new MemoryStream(bytes) });

        Entry(item.Extension, item.Bytes);
        Entry("json", JsonSerializer.SerializeToUtf8Bytes(new { item.Row.ItemId, item.Row.Modality, item.Row.Path, item.Row.SourceUri, item.Row.MediaType, item.Row.Language, item.Row.Quality }, SpecJson.Line));
        if (item.Label is { } label) Entry("cls", Encoding.UTF8.GetBytes(label));
    }
}
