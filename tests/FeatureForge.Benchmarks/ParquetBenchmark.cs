// Writing and reading vectors as Parquet, beside other makers' writers and readers: each in a process of its own with one thread, Zstandard level 3,
// row groups of 20,000. Every reader reads the file that FeatureForge wrote, and ends with all values in its own memory form.
//   parquet [ROWS DIMENSION]        (200,000 x 384 unless given; Polars takes part where .ci/run has installed it)
using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using DuckDB.NET.Data;
using FeatureForge.Data;
using FeatureForge.TestKit;
using Parquet;
using Parquet.Schema;

namespace FeatureForge.Benchmarks;

internal static class ParquetBenchmark
{
    private const int Group = 20_000;
    private const int Rounds = 3;
    private static readonly DataField _element = new("element", typeof(float), isNullable: false);
    private static readonly ParquetSchema _schema = new(new DataField("item_id", typeof(string), isNullable: false), new ListField("vector", _element));

    /// <param name="Seconds">Of the timed section alone.</param>
    /// <param name="Megabytes">Peak resident memory of the process, start-up included.</param>
    private sealed record Cost(double Seconds, double Megabytes);

    internal static async Task<int> RunAsync(string[] arguments, TextWriter output)
    {
        if (arguments is ["one", var engine, var act, var path, var n, var d]) return await OneAsync(engine, act, path, int.Parse(n, CultureInfo.InvariantCulture), int.Parse(d, CultureInfo.InvariantCulture), output);
        var (rows, dimension) = arguments is [var r, var width] ? (r, width) : ("200000", "384");
        var folder = Directory.CreateTempSubdirectory("featureforge-parquet-").FullName;
        try
        {
            var ours = Path.Combine(folder, "ours.parquet");
            string[] engines = ["featureforge", "parquet.net", "duckdb", .. NodeProgram.Folder is null ? (string[])[] : ["polars"]];
            var costs = engines.ToDictionary(name => name, _ => (Write: new List<Cost>(), Read: new List<Cost>()));
            await ChildAsync("featureforge", "write", ours, rows, dimension);
            for (var round = 0; round < Rounds; round++)
            {
                foreach (var name in engines)
                {
                    File.Copy(ours, Path.Combine(folder, $"{name}.parquet"), overwrite: true); // DuckDB and Polars fill their table from it, untimed
                    costs[name].Write.Add(await ChildAsync(name, "write", Path.Combine(folder, $"{name}.parquet"), rows, dimension));
                    costs[name].Read.Add(await ChildAsync(name, "read", ours, rows, dimension));
                }
            }
            var megabytes = long.Parse(rows, CultureInfo.InvariantCulture) * long.Parse(dimension, CultureInfo.InvariantCulture) * 4 / 1e6;
            await output.WriteLineAsync($"{rows} x {dimension} float32, {megabytes:F0} MB; one thread each, median of {Rounds}\n\n| | write, s | of the best peer's speed | read, s | of the best peer's speed | peak MB, write / read |\n|---|---:|---:|---:|---:|---:|");
            var (bestWrite, bestRead) = (costs.Where(pair => pair.Key != "featureforge").Min(pair => Median(pair.Value.Write).Seconds), costs.Where(pair => pair.Key != "featureforge").Min(pair => Median(pair.Value.Read).Seconds));
            foreach (var (name, (write, read)) in costs)
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {name} | {Median(write).Seconds:F2} | {bestWrite / Median(write).Seconds:F2} | {Median(read).Seconds:F2} | {bestRead / Median(read).Seconds:F2} | {Median(write).Megabytes:F0} / {Median(read).Megabytes:F0} |"));
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static Cost Median(List<Cost> costs) => costs.OrderBy(cost => cost.Seconds).ElementAt(costs.Count / 2);

    private static async Task<Cost> ChildAsync(string engine, string act, string path, string rows, string dimension)
    {
        if (engine == "polars") return JsonSerializer.Deserialize<Cost>(await NodeProgram.RunAsync(Path.Combine(AppContext.BaseDirectory, "peers", "polars_parquet.mjs"), act, path), JsonSerializerOptions.Web)!;
        var start = new ProcessStartInfo("dotnet", [Environment.GetCommandLineArgs()[0], "parquet", "one", engine, act, path, rows, dimension]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var answer = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? JsonSerializer.Deserialize<Cost>(answer)! : throw new InvalidOperationException($"{engine} {act} ended with {process.ExitCode}.");
    }

    private static async Task<int> OneAsync(string engine, string act, string path, int rows, int dimension, TextWriter output)
    {
        var seconds = await ((engine, act) switch
        {
            ("featureforge", "write") => Task.FromResult(Write(path, rows, dimension)),
            ("featureforge", "read") => Task.FromResult(Read(path, rows, dimension)),
            ("parquet.net", "write") => WriteParquetNetAsync(path, rows, dimension),
            ("parquet.net", "read") => ReadParquetNetAsync(path),
            ("duckdb", "write") => Task.FromResult(WriteDuckDb(path)),
            ("duckdb", "read") => Task.FromResult(ReadDuckDb(path)),
            _ => throw new ArgumentException($"Unknown engine or act: {engine} {act}."),
        });
        await output.WriteLineAsync(JsonSerializer.Serialize(new Cost(seconds, PeakMegabytes())));
        return 0;
    }

    /// <summary>Blocks that differ in their ids only: making values is not what is timed.</summary>
    private static IEnumerable<EmbeddingBlock> Blocks(int rows, int dimension)
    {
        var random = new Random(7);
        var values = new float[Math.Min(Group, rows) * dimension];
        // Normal, by the sum of twelve uniform numbers: sixteen significant bits at least, as vectors of an encoder have.
        for (var i = 0; i < values.Length; i++)
        {
            var sum = -6f;
            for (var k = 0; k < 12; k++) sum += random.NextSingle();
            values[i] = sum / MathF.Sqrt(dimension);
        }
        for (var at = 0; at < rows; at += Group)
        {
            var count = Math.Min(Group, rows - at);
            string[] ids = [.. Enumerable.Range(at, count).Select(row => $"{row:x8}{row * 2654435761L:x24}")];
            yield return new(ids, new int[count], new ItemSpan[count], count * dimension == values.Length ? values : values[..(count * dimension)], dimension);
        }
    }

    private static double Write(string path, int rows, int dimension)
    {
        var blocks = Blocks(rows, dimension).ToList();
        var start = Stopwatch.GetTimestamp();
        using var writer = new EmbeddingWriter(path, new(Modality.Text, "encoder", "preprocessing", Level.High, Grain.Item, dimension, "cosine"));
        foreach (var block in blocks) writer.Write(block);
        writer.Close();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double Read(string path, int rows, int dimension)
    {
        var start = Stopwatch.GetTimestamp();
        var read = new float[(long)rows * dimension];
        var at = 0;
        foreach (var block in EmbeddingTable.Read(path))
        {
            block.Vectors.CopyTo(read, at);
            at += block.Vectors.Length;
        }
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return at == read.Length ? seconds : throw new InvalidDataException($"{at} of {read.Length} values.");
    }

    private static async Task<double> WriteParquetNetAsync(string path, int rows, int dimension)
    {
        var blocks = Blocks(rows, dimension).ToList();
        var start = Stopwatch.GetTimestamp();
        await using var stream = File.Create(path);
        await using var writer = await ParquetWriter.CreateAsync(_schema, stream, new ParquetOptions { CompressionMethod = CompressionMethod.Zstd, CompressionLevel = CompressionLevel.Optimal });
        foreach (var block in blocks)
        {
            using var group = writer.CreateRowGroup();
            await group.WriteAsync((DataField)_schema.Fields[0], block.ItemIds.ToArray());
            var (definition, repetition) = (new int[block.Vectors.Length], new int[block.Vectors.Length]);
            Array.Fill(definition, _element.MaxDefinitionLevel);
            for (var i = 0; i < repetition.Length; i++) repetition[i] = i % dimension == 0 ? 0 : 1;
            await group.WriteAllPartsAsync<float>(_element, block.Vectors, definition, repetition, default);
            group.CompleteValidate();
        }
        await writer.DisposeAsync();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task<double> ReadParquetNetAsync(string path)
    {
        var start = Stopwatch.GetTimestamp();
        await using var stream = File.OpenRead(path);
        await using var reader = await ParquetReader.CreateAsync(stream);
        var element = reader.Schema.GetDataFields().Single(field => field.Path.ToString().StartsWith("vector", StringComparison.Ordinal));
        var kept = new List<float[]>();
        for (var index = 0; index < reader.RowGroupCount; index++)
        {
            using var group = reader.OpenRowGroupReader(index);
            await group.ReadAsync(reader.Schema.GetDataFields()[0], new string?[group.RowCount].AsMemory(), null);
            var stored = (int)group.GetMetadata(element)!.MetaData!.NumValues;
            kept.Add(new float[stored]);
            await group.ReadRawAsync<float>(element, kept[^1], new int[stored], new int[stored], default);
        }
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static double WriteDuckDb(string path)
    {
        using var connection = OneThread();
        Execute(connection, $"create table v as select * from '{path}'");
        return Timed(connection, $"copy v to '{path}' (format parquet, compression zstd, compression_level 3, row_group_size {Group})");
    }

    private static double ReadDuckDb(string path)
    {
        using var connection = OneThread();
        return Timed(connection, $"create table v as select * from '{path}'");
    }

    private static DuckDBConnection OneThread()
    {
        var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        Execute(connection, "set threads = 1");
        return connection;
    }

    private static double Timed(DuckDBConnection connection, string sql)
    {
        var start = Stopwatch.GetTimestamp();
        Execute(connection, sql);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Execute(DuckDBConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static double PeakMegabytes() => double.Parse(File.ReadLines("/proc/self/status").Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) / 1024;
}
