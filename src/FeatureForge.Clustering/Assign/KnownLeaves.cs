// The members of a clustering as something to compare new vectors with: a vote of the nearest members gives the leaf, and how
// near they are in proportion to what is usual in that leaf says whether the vector is like anything in the tree.
using FeatureForge.Data;
using FeatureForge.Tensors;

namespace FeatureForge.Clustering;

internal sealed class KnownLeaves
{
    private const int Near = 5;
    private const int CalibrationRows = 5000;
    private const int FewCalibrated = 30;
    private const double Usual = 0.99;
    /// <summary>Beyond what 99 % of the members have by this factor, a vector is out of distribution.</summary>
    private const float Unlike = 1.15f;

    private readonly SetVectors _members;
    private readonly FitSample _sample;
    private readonly string[] _leaves;
    private readonly int[] _leafOf; // per sampled row
    private readonly IReadOnlyList<string>[] _paths;
    private readonly float[][] _centroids;
    private readonly (float X, float Y)?[] _places;

    internal KnownLeaves(SetVectors members, MembershipRow[] memberships, IReadOnlyList<ClusterRow> clusters, IReadOnlyList<MapRow> map)
    {
        _members = members;
        _sample = FitSample.Of(members, ClusterRun.GraphRows, 0);
        _leaves = [.. memberships.Select(row => row.ClusterId!).Distinct().Order(StringComparer.Ordinal)];
        var number = _leaves.Select((id, i) => (id, i)).ToDictionary(pair => pair.id, pair => pair.i);
        _leafOf = Array.ConvertAll(_sample.Rows, row => number[memberships[row].ClusterId!]);
        _paths = new IReadOnlyList<string>[_leaves.Length];
        foreach (var row in memberships) _paths[number[row.ClusterId!]] ??= row.ClusterPath;
        var centroids = clusters.ToDictionary(row => row.ClusterId, row => row.Centroid);
        _centroids = Array.ConvertAll(_leaves, leaf => centroids[leaf]);
        var places = new Dictionary<(string, int), (float, float)>(map.Count);
        foreach (var row in map) places[(row.ItemId, row.SpanIndex)] = (row.X, row.Y);
        _places = Array.ConvertAll(_sample.Rows, row => places.TryGetValue((members.ItemIds[row], members.SpanIndex[row]), out var place) ? place : ((float, float)?)null);
    }

    private FitSample Members => new([], _sample.Values, _sample.Count);

    private int Neighbourhood => Math.Min(TreeMethod.NeighbourCount, _sample.Count);

    /// <summary>A shard's part of what <see cref="Assign"/> needs most time for.</summary>
    internal void MakeUnits(SetVectors fresh, string device, NeighbourUnits units, Action<string, int, int> progress, CancellationToken stop) =>
        Members.ForRest(fresh, device, Neighbourhood, (done, total) => progress("assignment", done, total), stop, (_, _, _) => { }, units);

    /// <param name="units">What shards have made of it; null: nothing.</param>
    internal AssignmentRow[] Assign(SetVectors fresh, string device, NeighbourUnits? units, Action<string, int, int> progress, CancellationToken stop)
    {
        var limits = Limits(device, progress, stop);
        var rows = new AssignmentRow[fresh.Rows];
        Members.ForRest(fresh, device, Neighbourhood, (done, total) => progress("assignment", done, total), stop, (row, nearest, distances) =>
        {
            var (leaf, strength) = Vote(nearest, distances);
            var novelty = MeanOf(distances) / limits[leaf];
            var isUnlike = novelty > Unlike;
            var place = Place(nearest, distances);
            rows[row] = new(fresh.ItemIds[row], fresh.SpanIndex[row], isUnlike ? null : _leaves[leaf], _leaves[leaf], isUnlike ? [] : _paths[leaf], strength,
                Geometry.Distance(fresh[row], _centroids[leaf], fresh.Metric), novelty, isUnlike, place?.X, place?.Y);
        }, units);
        return rows;
    }

    // What the members themselves have to their nearest other members, per leaf.
    private float[] Limits(string device, Action<string, int, int> progress, CancellationToken stop)
    {
        if (_sample.Count < 2) return [.. _leaves.Select(_ => 1f)];
        var asked = FitSample.Of(_members.Of(_sample.Rows), CalibrationRows, 1);
        var found = new float[asked.Count];
        var some = _members.Of(Array.ConvertAll(asked.Rows, row => _sample.Rows[row]));
        Members.ForRest(some, device, Math.Min(Near + 1, _sample.Count), (done, total) => progress("calibration", done, total), stop,
            (row, _, distances) => found[row] = MeanOf(distances[1..])); // the nearest member is the row itself
        var all = Quantile(found, Usual);
        var middle = Math.Max(Quantile(found, 0.5), 1e-9f);
        return [.. _leaves.Select((_, leaf) =>
        {
            var own = found.Where((_, i) => _leafOf[asked.Rows[i]] == leaf).ToArray();
            var limit = own.Length >= FewCalibrated ? Quantile(own, Usual) : own.Length > 0 ? Quantile(own, 0.5) * (all / middle) : all;
            return Math.Max(Math.Max(limit, 1e-3f * all), 1e-6f);
        })];
    }

    private static float Quantile(float[] values, double share)
    {
        var sorted = values.Order().ToArray();
        return sorted[Math.Min(sorted.Length - 1, (int)(share * sorted.Length))];
    }

    private static float MeanOf(ReadOnlySpan<float> distances)
    {
        var sum = 0f;
        var count = Math.Min(Near, distances.Length);
        for (var i = 0; i < count; i++) sum += distances[i];
        return count == 0 ? 0 : sum / count;
    }

    private (int Leaf, float Strength) Vote(ReadOnlySpan<int> nearest, ReadOnlySpan<float> distances)
    {
        var votes = new Dictionary<int, double>();
        double all = 0;
        var floor = 1e-6 + 1e-3 * distances[^1];
        for (var i = 0; i < nearest.Length; i++)
        {
            var weight = 1 / (floor + distances[i]);
            all += weight;
            votes[_leafOf[nearest[i]]] = votes.GetValueOrDefault(_leafOf[nearest[i]]) + weight;
        }
        var most = votes.MaxBy(vote => vote.Value);
        return (most.Key, (float)(most.Value / all));
    }

    // Between the places of its nearest members, nearer ones weighing more: the map's transform of new points.
    private (float X, float Y)? Place(ReadOnlySpan<int> nearest, ReadOnlySpan<float> distances)
    {
        double x = 0, y = 0, sum = 0;
        var floor = 1e-6 + 1e-3 * distances[^1];
        for (var i = 0; i < Math.Min(Near, nearest.Length); i++)
        {
            if (_places[nearest[i]] is not { } place) continue;
            var weight = 1 / (floor + distances[i]);
            (x, y, sum) = (x + weight * place.X, y + weight * place.Y, sum + weight);
        }
        return sum == 0 ? null : ((float)(x / sum), (float)(y / sum));
    }
}
