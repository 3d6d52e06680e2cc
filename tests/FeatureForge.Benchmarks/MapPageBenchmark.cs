// How soon a large map can be drawn: a server is started on a store with so many points and asked as the map page asks.
//   mappage [ROWS] [--keep DIR]     DIR: make the store there and leave it, to look at
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using FeatureForge.Data;
using FeatureForge.Tensors;
using FeatureForge.TestKit;

namespace FeatureForge.Benchmarks;

internal static class MapPageBenchmark
{
    private const int Leaves = 256;
    private const int RowsPerPart = 500_000;

    internal static async Task<int> RunAsync(string[] arguments, TextWriter output)
    {
        var rows = arguments.Length > 0 && int.TryParse(arguments[0], CultureInfo.InvariantCulture, out var asked) ? asked : 2_000_000;
        var scratch = arguments.Text("--keep") is null ? Directory.CreateTempSubdirectory("featureforge-mappage-") : null;
        var storePath = arguments.Text("--keep") ?? Path.Combine(scratch!.FullName, "store");
        try
        {
            await FillAsync(Store.Open(storePath), rows);
            var port = FreePort.Find();
            using var server = FeatureForgeProcess.Serve(storePath, "--port", $"{port}", "--roles", "web");
            using var http = new HttpClient { BaseAddress = new($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromMinutes(2) };
            while (!await IsUpAsync(http)) await Task.Delay(100);
            await output.WriteLineAsync("| asked for | seconds | bytes |\n|---|---:|---:|");
            var clock = Stopwatch.StartNew();
            var first = 0;
            foreach (var (name, address) in new[] { ("page", "/clusterings/t/map"), ("clusters", "/api/v1/clusterings/t/clusters"), ("first points", "/api/v1/clusterings/t/map"), ("first points again", "/api/v1/clusterings/t/map") })
            {
                clock.Restart();
                var bytes = await http.GetByteArrayAsync(address);
                if (name == "first points") first = bytes.Length / 12;
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {name} | {clock.Elapsed.TotalSeconds:F2} | {bytes.Length:N0} |"));
            }
            clock.Restart();
            long all = 0;
            var (most, point) = (0, first);
            while (point < rows)
            {
                var bytes = await http.GetByteArrayAsync($"/api/v1/clusterings/t/map?first={point}");
                if (bytes.Length == 0) return 1;
                (all, most, point) = (all + bytes.Length, Math.Max(most, bytes.Length), point + bytes.Length / 12);
            }
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| the other points, at most {most:N0} bytes at a time | {clock.Elapsed.TotalSeconds:F2} | {all:N0} |"));
            using var process = Process.GetProcessById(server.Id);
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"\n{rows:N0} points; the server holds {process.WorkingSet64 / 1e6:F0} MB."));
            FeatureForgeProcess.Signal(server.Id, "TERM");
            await server.WaitForExitAsync();
            return 0;
        }
        finally { scratch?.Delete(recursive: true); }
    }

    internal static async Task<bool> IsUpAsync(HttpClient http)
    {
        try
        {
            using var answer = await http.GetAsync("/healthz");
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException) { return false; }
    }

    private static async Task FillAsync(Store store, int rows)
    {
        var folder = store.ClusteringFolder("t");
        if (Directory.Exists(folder)) return;
        var random = new CounterRandom(4);
        var clusters = Enumerable.Range(0, Leaves).Select(leaf => Cluster($"c.{leaf}", "c", 1, $"cluster {leaf}", Enumerable.Range(0, rows).Count(row => row % Leaves == leaf))).Prepend(Cluster("c", null, 0, "all", rows)).ToList();
        Directory.CreateDirectory(Path.Combine(folder, "clusters"));
        Directory.CreateDirectory(Path.Combine(folder, "map"));
        Directory.CreateDirectory(Path.Combine(folder, "memberships"));
        var (mapParts, memberParts) = (new List<PartFile>(), new List<PartFile>());
        await ClustersTable.WriteAsync(Path.Combine(folder, "clusters/part-00000.parquet"), clusters, default);
        for (var first = 0; first < rows; first += RowsPerPart)
        {
            var count = Math.Min(RowsPerPart, rows - first);
            var ids = Enumerable.Range(first, count).Select(row => row.ToString("x32", CultureInfo.InvariantCulture)).ToList();
            var (map, members) = ($"map/part-{first / RowsPerPart:D5}.parquet", $"memberships/part-{first / RowsPerPart:D5}.parquet");
            await MapTable.WriteAsync(Path.Combine(folder, map), [.. ids.Select((id, i) => new MapRow(id, 0, Place(first + i, 0), Place(first + i, 1)))], default);
            await MembershipsTable.WriteAsync(Path.Combine(folder, members), [.. ids.Select((id, i) => new MembershipRow(id, 0, $"c.{(first + i) % Leaves}", ["c", $"c.{(first + i) % Leaves}"], 1, 0.1f, null))], default);
            mapParts.Add(DurableFile.Describe(Path.Combine(folder, map), map, count));
            memberParts.Add(DurableFile.Describe(Path.Combine(folder, members), members, count));
        }
        // Every leaf a cloud on a ring.
        float Place(int row, int axis)
        {
            var (angle, radius) = (2 * Math.PI * (row % Leaves) / Leaves, 20 + 12 * Math.Sin(7.0 * (row % Leaves)));
            return (float)((axis == 0 ? Math.Cos(angle) : Math.Sin(angle)) * radius + 0.7 * random.Normal(2L * row + axis));
        }
        DurableFile.WriteAllText(Path.Combine(folder, "clustering.json"), JsonSerializer.Serialize(SampleManifests.Clustering with
        {
            Name = "t",
            EncoderId = "planted",
            Vectors = rows,
            Clusters = clusters.Count,
            Leaves = Leaves,
            ClusterParts = [DurableFile.Describe(Path.Combine(folder, "clusters/part-00000.parquet"), "clusters/part-00000.parquet", clusters.Count)],
            MembershipParts = memberParts,
            MapParts = mapParts,
            RunId = "planted",
        }, SpecJson.Readable));
    }

    private static ClusterRow Cluster(string id, string? parent, int depth, string name, long size) => new()
    {
        ClusterId = id,
        ParentId = parent,
        Depth = depth,
        Size = size,
        Name = name,
        Keywords = [],
        ExemplarIds = [],
        BoundaryIds = [],
        Cohesion = 1,
        Centroid = [],
    };
}
