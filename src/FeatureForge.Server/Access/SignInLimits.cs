// How often somebody may try to sign in, and how fast a signed-in caller may change things.
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;

namespace FeatureForge.Server;

/// <summary>Limits on guessing and flooding.</summary>
public sealed class SignInLimits : IDisposable
{
    private const int TriesPerMinute = 10;

    private readonly PartitionedRateLimiter<string> _tries = PartitionedRateLimiter.Create<string, string>(key =>
        RateLimitPartition.GetFixedWindowLimiter(key, _ => new() { PermitLimit = TriesPerMinute, Window = TimeSpan.FromMinutes(1), QueueLimit = 0 }));

    /// <summary>Ten tries a minute from an address, and for a name from wherever.</summary>
    public bool MayTry(string address, string name)
    {
        using var here = _tries.AttemptAcquire("address " + address);
        using var them = _tries.AttemptAcquire("name " + name.ToUpperInvariant());
        return here.IsAcquired && them.IsAcquired;
    }

    /// <summary>Changes by one signed-in caller: bursts of 500, then 50 a second. What reads is not limited, nor is a server that asks nobody to sign in.</summary>
    internal static RateLimitPartition<string> OfChanges(HttpContext http, SignInPolicy policy)
    {
        var reads = HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method) || !NeedsAttribute.Of(http.GetEndpoint()).IsAudited;
        return reads || !policy.IsRequired ? RateLimitPartition.GetNoLimiter("")
            : RateLimitPartition.GetTokenBucketLimiter(http.Actor() ?? http.Address(), _ => new() { TokenLimit = 500, TokensPerPeriod = 50, ReplenishmentPeriod = TimeSpan.FromSeconds(1), QueueLimit = 0 });
    }

    public void Dispose() => _tries.Dispose();
}
