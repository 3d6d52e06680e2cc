// Tables as Polars writes them: every compression it has, nulls, categories, several row groups, no rows.
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Ingest.Tests;

public sealed class PolarsSourceTests : IngestTest
{
    [NeedsToolFact("node")]
    public async Task Tables_written_by_Polars_are_sources()
    {
        await NodeProgram.RunAsync(Path.Combine(AppContext.BaseDirectory, "write_polars.mjs"), _source.Path);
        var spec = new IngestSpec { Sources = [_source.Path], Corpus = Ingested.Corpus, TextColumns = ["text"], IdColumn = "id" };

        foreach (var compression in (string[])["uncompressed", "snappy", "gzip", "lz4", "zstd"])
        {
            using var store = new TemporaryStore();
            var ingested = await Ingested.RunAsync(store, spec with { Sources = [Path.Combine(_source.Path, $"{compression}.parquet")] });

            Assert.Equal(["first", "fourth", "third 🤔 日本語"], ingested.Items.Select(item => item.Text).Order(StringComparer.Ordinal));
            Assert.Equal("""{"n":1,"f":2.5,"flag":true,"moment":"2026-01-02T03:04:05.0000000Z","tags":["x","y"],"kind":"a"}""", ingested.Item($"{compression}.parquet#a").Metadata);
            Assert.Equal(RejectionCode.MissingColumn, ingested.Bad($"{compression}.parquet#b").Code);
        }
        Assert.Equal(3000, (await Ingested.RunAsync(_store, Path.Combine(_source.Path, "many.parquet"))).Result.Added);
        Assert.Equal(RejectionCode.Empty, (await Ingested.RunAsync(_store, Path.Combine(_source.Path, "none.parquet"))).Bad("none.parquet").Code);
    }
}
