// A corpus as a Hugging Face dataset: data/train-*.parquet with a column of media ({bytes, path}, as the datasets library stores Image and
// Audio), README.md whose YAML head names the features, and croissant.json (see CroissantCard.cs).
using System.Globalization;
using System.Text;
using System.Text.Json;
using Apache.Arrow;
using Apache.Arrow.Types;
using FeatureForge.Data;
using ParquetSharp;
using ParquetSharp.Arrow;

namespace FeatureForge.Cli;

internal static class HuggingFaceExport
{
    private const int GroupRows = 1000;
    private const long GroupBytes = 64L << 20;

    internal static async Task<Exported> WriteAsync(Store store, string name, string? labelSet, string folder, CancellationToken stop)
    {
        var corpus = store.Corpus(name);
        var modalities = corpus.Items.Where(count => count.Value > 0).Select(count => count.Key).ToList();
        if (modalities.Count != 1) throw new BadRequestException($"Corpus '{name}' holds {(modalities.Count == 0 ? "no items" : string.Join(" and ", modalities).ToLowerInvariant())}; a Hugging Face dataset has one media column. Export a corpus of one modality.");
        var labels = await CorpusExport.LabelsAsync(store, labelSet, stop);
        var modality = modalities[0];
        return await ExportFolder.WriteAsync(folder, async staging =>
        {
            var (rows, leftOut) = (0L, 0L);
            Directory.CreateDirectory(Path.Combine(staging, "data"));
            var files = new List<PartFile>();
            for (var part = 0; part < corpus.ItemParts.Count; part++)
            {
                var path = $"data/train-{part:00000}-of-{corpus.ItemParts.Count:00000}.parquet";
                var (partRows, partLeftOut) = await WritePartAsync(Path.Combine(staging, path), modality, labelSet is not null, CorpusExport.ReadAsync(store, corpus, corpus.ItemParts[part], labels, stop));
                files.Add(DurableFile.Describe(Path.Combine(staging, path), path, partRows));
                (rows, leftOut) = (rows + partRows, leftOut + partLeftOut);
            }
            DurableFile.WriteAllText(Path.Combine(staging, "README.md"), Card(corpus, modality, labelSet, files, rows));
            DurableFile.WriteAllText(Path.Combine(staging, "croissant.json"), CroissantCard.Write(corpus, modality, labelSet is not null, files));
            return (rows, leftOut);
        });
    }

    private static async Task<(long Rows, long LeftOut)> WritePartAsync(string path, Modality modality, bool withLabels, IAsyncEnumerable<LeavingItem?> items)
    {
        var schema = SchemaOf(modality, withLabels);
        using var properties = new WriterPropertiesBuilder().Compression(Compression.Zstd).CompressionLevel(3).Build();
        using var arrow = new ArrowWriterPropertiesBuilder().StoreSchema().EnableCompliantNestedTypes().Build();
        using var writer = new FileWriter(path, schema, properties, arrow);
        var (rows, leftOut, bytes) = (0L, 0L, 0L);
        var group = new List<LeavingItem>();
        void Flush()
        {
            if (group.Count == 0) return;
            using var batch = new RecordBatch(schema, Columns(group, modality, withLabels), group.Count);
            writer.WriteRecordBatch(batch, group.Count);
            (rows, bytes) = (rows + group.Count, 0);
            group.Clear();
        }
        await foreach (var item in items)
        {
            if (item is null)
            {
                leftOut++;
                continue;
            }
            group.Add(item);
            bytes += item.Bytes.Length;
            if (group.Count >= GroupRows || bytes >= GroupBytes) Flush();
        }
        Flush();
        writer.Close();
        return (rows, leftOut);
    }

    private static StructType MediaType { get; } = new([new Field("bytes", BinaryType.Default, nullable: true), new Field("path", StringType.Default, nullable: true)]);

    private static Schema SchemaOf(Modality modality, bool withLabels)
    {
        var media = modality.ToString().ToLowerInvariant();
        Field[] fields =
        [
            new(media, modality == Modality.Text ? StringType.Default : MediaType, nullable: true), new("item_id", StringType.Default, nullable: false), new("path", StringType.Default, nullable: false),
            .. withLabels ? [new Field("label", StringType.Default, nullable: true)] : (Field[])[],
        ];
        var text = new { dtype = "string", _type = "Value" };
        var features = fields.ToDictionary(field => field.Name, field => field.Name == media && modality != Modality.Text ? (object)new { _type = modality.ToString() } : text);
        return new(fields, new Dictionary<string, string> { ["huggingface"] = JsonSerializer.Serialize(new { info = new { features } }) });
    }

    private static IEnumerable<IArrowArray> Columns(List<LeavingItem> items, Modality modality, bool withLabels)
    {
        if (modality == Modality.Text) yield return Strings(items.Select(item => item.Row.Text));
        else
        {
            var bytes = new BinaryArray.Builder();
            foreach (var item in items) bytes.Append(item.Bytes.AsSpan());
            yield return new StructArray(MediaType, items.Count, [bytes.Build(), Strings(items.Select(item => $"{item.Row.ItemId}.{item.Extension}"))], ArrowBuffer.Empty);
        }
        yield return Strings(items.Select(item => item.Row.ItemId));
        yield return Strings(items.Select(item => item.Row.Path));
        if (withLabels) yield return Strings(items.Select(item => item.Label));
    }

    private static StringArray Strings(IEnumerable<string?> values)
    {
        var column = new StringArray.Builder();
        foreach (var value in values)
        {
            if (value is null) column.AppendNull();
            else column.Append(value);
        }
        return column.Build();
    }

    private static string Card(CorpusManifest corpus, Modality modality, string? labelSet, List<PartFile> files, long rows)
    {
        var culture = CultureInfo.InvariantCulture;
        var media = modality.ToString().ToLowerInvariant();
        var text = new StringBuilder();
        text.AppendLine("---").AppendLine(culture, $"pretty_name: {JsonSerializer.Serialize(corpus.Name)}").AppendLine("configs:").AppendLine("- config_name: default").AppendLine("  data_files:").AppendLine("  - split: train").AppendLine("    path: data/train-*");
        text.AppendLine("dataset_info:").AppendLine("  features:").AppendLine(culture, $"  - name: {media}").AppendLine(culture, $"    dtype: {(modality == Modality.Text ? "string" : media)}");
        foreach (var column in (string[])["item_id", "path", .. labelSet is null ? (string[])[] : ["label"]]) text.AppendLine(culture, $"  - name: {column}").AppendLine("    dtype: string");
        text.AppendLine("  splits:").AppendLine("  - name: train").AppendLine(culture, $"    num_bytes: {files.Sum(file => file.Bytes)}").AppendLine(culture, $"    num_examples: {rows}");
        text.AppendLine(culture, $"  download_size: {files.Sum(file => file.Bytes)}").AppendLine(culture, $"  dataset_size: {files.Sum(file => file.Bytes)}").AppendLine("---").AppendLine();
        text.AppendLine(culture, $"# {corpus.Name}").AppendLine();
        text.AppendLine(culture, $"{rows} items ({media}), version {corpus.Version} of a FeatureForge corpus{(labelSet is null ? ", without labels" : $"; column `label` from label set `{labelSet}`, null where an item has none")}.").AppendLine();
        text.AppendLine("- `item_id`: the first 128 bits of the SHA-256 of the raw bytes as they were found, in hexadecimal.");
        text.AppendLine("- `path`: relative to the source it came from.").AppendLine();
        text.AppendLine("## Sources and licence").AppendLine();
        foreach (var source in corpus.Sources) text.AppendLine(culture, $"- `{source}`");
        text.AppendLine().AppendLine("The licence is that of the sources; it is not known here. Name it before you pass this data on.");
        return text.ToString();
    }
}
