// Users, secrets and the audit log, on both databases.
using FeatureForge.TestKit;

namespace FeatureForge.Data.Tests;

public sealed class AccessLedgerTests : IDisposable
{
    private readonly FixedTimeProvider _time = new();
    private TemporaryStore? _place;
    private RunLedger? _ledger;

    public void Dispose()
    {
        _ledger?.Dispose();
        _place?.Dispose();
    }

    // The database server's clock is not ours to move, so what depends on time is tested on the embedded ledger.
    private AccessLedger Open(string ledger)
    {
        _place = TemporaryStore.On(ledger);
        _ledger = RunLedger.Open(_place.Store, _time);
        return _ledger.Access;
    }

    [Theory, EveryLedger]
    public void A_secret_stands_for_its_user_until_it_is_revoked(string ledger)
    {
        var access = Open(ledger);
        access.AddUser("ada", AccessRole.Admin, "hash");
        access.AddUser("lea", AccessRole.Labeller, null, "https://id.example|7");

        var (row, secret) = access.Issue("ada", SecretKind.Token, "nightly job", AccessRole.Editor, TimeSpan.FromDays(30));
        var caller = access.Find(secret, SecretKind.Token)!;

        Assert.Equal(("ada", AccessRole.Editor), (caller.User.Name, caller.Role));
        Assert.Equal("lea", access.FindSubject("https://id.example|7")!.Name);
        Assert.Equal([true, false], access.Users().Select(user => user.HasPassword));
        Assert.Null(access.Find(secret, SecretKind.Session));
        Assert.Null(access.Find(secret[..^1] + (secret[^1] == 'A' ? 'B' : 'A'), SecretKind.Token));
        Assert.NotNull(Assert.Single(access.Tokens()).LastUsedAt);
        Assert.False(access.Revoke(row.SecretId, "lea"));
        Assert.True(access.Revoke(row.SecretId, "ada"));
        Assert.Null(access.Find(secret, SecretKind.Token));
    }

    [Theory, EveryLedger]
    public void Users_that_are_kept_out_removed_or_demoted_lose_what_they_had(string ledger)
    {
        var access = Open(ledger);
        access.AddUser("ada", AccessRole.Admin, "hash");
        access.AddUser("bob", AccessRole.Editor, "hash");
        var (_, session) = access.Issue("bob", SecretKind.Session, "browser", AccessRole.Editor, TimeSpan.FromHours(1));
        var (_, token) = access.Issue("bob", SecretKind.Token, "script", AccessRole.Editor, TimeSpan.FromHours(1));

        access.SetRole("bob", AccessRole.Viewer);
        Assert.Equal(AccessRole.Viewer, access.Find(token, SecretKind.Token)!.Role);
        access.SetPassword("bob", "another");
        Assert.Null(access.Find(session, SecretKind.Session));
        Assert.NotNull(access.Find(token, SecretKind.Token));
        access.SetEnabled("bob", false);
        Assert.Null(access.Find(token, SecretKind.Token));
        Assert.Null(access.PasswordOf("bob"));
        access.SetEnabled("bob", true);
        Assert.NotNull(access.Find(token, SecretKind.Token));
        access.RemoveUser("bob");
        Assert.Null(access.Find(token, SecretKind.Token));
        Assert.Empty(access.Tokens());
    }

    [Theory, EveryLedger]
    public void There_is_always_an_admin(string ledger)
    {
        var access = Open(ledger);

        Assert.Contains("must be an admin", Assert.Throws<BadRequestException>(() => access.AddUser("bob", AccessRole.Viewer, "hash")).Message);
        Assert.False(_place!.Store.RequiresSignIn);
        access.AddUser("ada", AccessRole.Admin, "hash");
        Assert.True(_place.Store.RequiresSignIn);
        Assert.Contains("already", Assert.Throws<BadRequestException>(() => access.AddUser("ada", AccessRole.Viewer, "hash")).Message);
        foreach (var act in new Action[] { () => access.SetRole("ada", AccessRole.Editor), () => access.SetEnabled("ada", false), () => access.RemoveUser("ada") })
            Assert.Contains("last admin", Assert.Throws<BadRequestException>(act).Message);
        Assert.Contains("no user 'eve'", Assert.Throws<BadRequestException>(() => access.SetRole("eve", AccessRole.Viewer)).Message);
        access.AddUser("bob", AccessRole.Admin, "hash");
        access.RemoveUser("ada");
        Assert.Equal("bob", Assert.Single(access.Users()).Name);
    }

    [Fact]
    public void Secrets_expire()
    {
        var access = Open("sqlite");
        access.AddUser("ada", AccessRole.Admin, "hash");
        var (_, token) = access.Issue("ada", SecretKind.Token, "script", AccessRole.Viewer, TimeSpan.FromHours(1));

        _time.Advance(TimeSpan.FromMinutes(59));
        Assert.NotNull(access.Find(token, SecretKind.Token));
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Null(access.Find(token, SecretKind.Token));
        Assert.Equal(3, Assert.Throws<BadRequestException>(() =>
        {
            access.AddUser("lea", AccessRole.Labeller, "hash");
            access.Issue("lea", SecretKind.Token, " ", AccessRole.Admin, TimeSpan.Zero);
        }).Problems.Count);
    }

    [Theory, EveryLedger]
    public void The_audit_log_is_read_backwards_and_searched(string ledger)
    {
        var access = Open(ledger);
        for (var i = 0; i < 5; i++) access.Note(i % 2 == 0 ? "ada" : "bob", "127.0.0.1", $"POST /api/v1/runs/{i}", 201);

        var newest = access.Audit(take: 2);
        var older = access.Audit(before: newest[^1].Sequence);

        Assert.Equal(["POST /api/v1/runs/4", "POST /api/v1/runs/3"], newest.Select(row => row.Action));
        Assert.Equal(3, older.Count);
        Assert.Equal(2, access.Audit(text: "bob").Count);
    }
}
