// The compact sets behind "is this known?": right for a million keys, and small.
using FeatureForge.Data;

namespace FeatureForge.Ingest.Tests;

public sealed class KeySetTests
{
    [Fact]
    public void Every_key_that_was_added_is_found_and_no_other()
    {
        var set = new KeySet();
        var random = new Random(1);
        var keys = Enumerable.Range(0, 200_000).Select(_ => Next(random)).ToList();

        Assert.All(keys, key => Assert.True(set.Add(key)));

        Assert.All(keys, key => Assert.True(set.Contains(key)));
        Assert.All(keys.Take(1000), key => Assert.False(set.Add(key)));
        Assert.DoesNotContain(Enumerable.Range(0, 200_000).Select(_ => Next(random)), set.Contains);
    }

    [Fact]
    public void The_key_zero_is_a_key_like_others()
    {
        var set = new KeySet();
        Assert.False(set.Contains(0));

        Assert.True(set.Add(0));

        Assert.True(set.Contains(0));
        Assert.False(set.Add(0));
    }

    [Fact]
    public void A_path_that_was_settled_twice_is_taken_twice()
    {
        var settled = new SettledKeys([StagedPart.ShortKey("b"), StagedPart.ShortKey("a"), StagedPart.ShortKey("a")]);

        Assert.Equal([true, true, false], new[] { settled.Take("a"), settled.Take("a"), settled.Take("a") });
        Assert.False(settled.Has("a"));
        Assert.True(settled.Has("b"));
    }

    [Fact]
    public void A_full_disk_is_named_with_what_is_needed_and_what_is_free()
    {
        var error = Assert.Throws<DiskFullException>(() => DiskFullException.ThrowIfLess("/tmp/not/there/yet", long.MaxValue / 2));

        Assert.Matches("/tmp/not/there/yet is full: [0-9]+ bytes are needed, [0-9]+ are free", error.Message);
    }

    private static UInt128 Next(Random random) => new((ulong)random.NextInt64(), (ulong)random.NextInt64());
}
