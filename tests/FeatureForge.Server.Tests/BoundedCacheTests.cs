// The cache behind pages and media: one load for many readers, a bound that holds, failures that are not kept.
namespace FeatureForge.Server.Tests;

public sealed class BoundedCacheTests
{
    [Fact]
    public async Task Readers_that_come_together_share_one_load()
    {
        var cache = new BoundedCache<string, int>(100, _ => 1);
        var gate = new TaskCompletionSource();
        var loads = 0;
        async Task<int> LoadAsync()
        {
            Interlocked.Increment(ref loads);
            await gate.Task;
            return 7;
        }

        var readers = Enumerable.Range(0, 8).Select(_ => cache.GetAsync("key", LoadAsync, CancellationToken.None)).ToList();
        gate.SetResult();

        Assert.All(await Task.WhenAll(readers), value => Assert.Equal(7, value));
        Assert.Equal(1, loads);
    }

    [Fact]
    public async Task What_was_used_longest_ago_goes_first()
    {
        var cache = new BoundedCache<int, int>(20, value => value);
        var loads = new List<int>();
        Task<int> GetAsync(int key) => cache.GetAsync(key, () => { loads.Add(key); return Task.FromResult(8); }, CancellationToken.None);

        foreach (var key in new[] { 1, 2, 1, 3, 1, 2 }) await GetAsync(key);

        Assert.Equal([1, 2, 3, 2], loads);
        Assert.Equal(16, cache.Weight);
    }

    [Fact]
    public async Task A_failed_load_is_tried_again()
    {
        var cache = new BoundedCache<int, string>(20, _ => 1);
        await Assert.ThrowsAsync<IOException>(() => cache.GetAsync(1, () => Task.FromException<string>(new IOException()), CancellationToken.None));

        Assert.Equal("read", await cache.GetAsync(1, () => Task.FromResult("read"), CancellationToken.None));
    }

    [Fact]
    public async Task A_reader_who_leaves_does_not_stop_the_load_for_others()
    {
        var cache = new BoundedCache<int, string>(20, _ => 1);
        var gate = new TaskCompletionSource<string>();
        using var leaves = new CancellationTokenSource();
        var left = cache.GetAsync(1, () => gate.Task, leaves.Token);
        var stays = cache.GetAsync(1, () => gate.Task, CancellationToken.None);

        await leaves.CancelAsync();
        gate.SetResult("read");

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        Assert.Equal("read", await stays);
    }
}
