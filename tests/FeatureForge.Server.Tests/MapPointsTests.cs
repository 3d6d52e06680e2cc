// Large maps: every point is there once, what is sent first is spread over the whole, and leaves are found whatever the order of memberships.
using System.Globalization;
using System.Runtime.InteropServices;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Server.Tests;

public sealed class MapPointsTests : IDisposable
{
    private const int Rows = 2 * MapPoints.ChunkPoints + 50_001;

    private readonly TemporaryStore _place = new();

    public void Dispose() => _place.Dispose();

    private static string Id(int row) => row.ToString("x32", CultureInfo.InvariantCulture);

    private async Task<MapPoints> LoadAsync(IEnumerable<int> membershipOrder)
    {
        var folder = _place.Store.ClusteringFolder("t");
        foreach (var table in new[] { "clusters", "map", "memberships" }) Directory.CreateDirectory(Path.Combine(folder, table));
        string[] files = ["clusters/part-00000.parquet", "map/part-00000.parquet", "memberships/part-00000.parquet"];
        await ClustersTable.WriteAsync(Path.Combine(folder, files[0]), [.. Enumerable.Range(0, 3).Select(leaf => new ClusterRow { ClusterId = $"c{leaf}", ParentId = null, Depth = 0, Size = Rows / 3, Name = $"{leaf}", Keywords = [], ExemplarIds = [], BoundaryIds = [], Cohesion = 1, Centroid = [] })], default);
        await MapTable.WriteAsync(Path.Combine(folder, files[1]), [.. Enumerable.Range(0, Rows).Select(row => new MapRow(Id(row), row % 5, row, -row))], default);
        await MembershipsTable.WriteAsync(Path.Combine(folder, files[2]), [.. membershipOrder.Select(row => new MembershipRow(Id(row), row % 5, row % 4 == 3 ? null : $"c{row % 4}", [], 1, 0, null))], default);
        var clustering = SampleManifests.Clustering with
        {
            Name = "t",
            Vectors = Rows,
            Clusters = 3,
            Leaves = 3,
            ClusterParts = [DurableFile.Describe(Path.Combine(folder, files[0]), files[0], 3)],
            MapParts = [DurableFile.Describe(Path.Combine(folder, files[1]), files[1], Rows)],
            MembershipParts = [DurableFile.Describe(Path.Combine(folder, files[2]), files[2], Rows)],
        };
        return await MapPoints.LoadAsync(_place.Store, clustering, await ClusterTree.LoadAsync(_place.Store, clustering, default), default);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_point_is_there_once_with_its_leaf_and_the_first_ones_are_spread_evenly(bool backwards)
    {
        var map = await LoadAsync(backwards ? Enumerable.Range(0, Rows).Reverse() : Enumerable.Range(0, Rows));

        Assert.Equal((Rows, Rows), (map.Count, (int)map.Total));
        var seen = new bool[Rows];
        for (var first = 0; first < map.Count; first += MapPoints.ChunkPoints)
        {
            var numbers = MemoryMarshal.Cast<byte, int>(map.Triples(first, MapPoints.ChunkPoints).Span).ToArray();
            var rows = new List<int>();
            for (var point = 0; point < numbers.Length / 3; point++)
            {
                var row = (int)BitConverter.Int32BitsToSingle(numbers[point * 3]);
                Assert.False(seen[row]);
                seen[row] = true;
                rows.Add(row);
                Assert.Equal(row % 4 == 3 ? -1 : row % 4, numbers[point * 3 + 2]);
                Assert.Equal((Id(row), row % 5), map.At(first + point));
            }
            if (first == 0) Assert.All(rows.Take(Rows / 3).Zip(rows.Skip(1)), pair => Assert.Equal(3, pair.Second - pair.First));
        }
        Assert.DoesNotContain(false, seen);
        Assert.Null(map.At(map.Count));
    }
}
