// Who may use a server: users with roles, secrets that stand for them (sessions, API tokens), and who did what. Secrets are kept as
// hashes only; what hashes a password is the server's business.
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace FeatureForge.Data;

/// <summary>What a person may do; each role may do what those before it may.</summary>
public enum AccessRole
{
    /// <summary>See everything but users and the audit log.</summary>
    Viewer,
    /// <summary>Give labels and take them back.</summary>
    Labeller,
    /// <summary>Start, cancel and schedule runs; change clusters.</summary>
    Editor,
    /// <summary>Users, everybody's tokens, the audit log, Hangfire's own buttons.</summary>
    Admin,
}

/// <summary>Whether a secret is a browser's session or a program's token.</summary>
public enum SecretKind
{
    Session,
    Token,
}

/// <summary>Somebody who may sign in.</summary>
/// <param name="HasPassword">False for people whom an identity provider signs in.</param>
/// <param name="Subject">The identity provider's name for them (issuer and subject); null without one.</param>
public sealed record UserRow(string Name, AccessRole Role, bool Enabled, bool HasPassword, string? Subject, DateTimeOffset CreatedAt);

/// <summary>A secret that stands for a user until it expires or is revoked.</summary>
/// <param name="Role">The most it may be used for, whatever the user may do.</param>
public sealed record SecretRow(string SecretId, string User, SecretKind Kind, string Name, AccessRole Role, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt, DateTimeOffset? LastUsedAt, DateTimeOffset? RevokedAt);

/// <summary>Who asks: a user by a secret.</summary>
public sealed record Caller(UserRow User, SecretRow Secret)
{
    /// <summary>What the caller may do: the lesser of the user's and the secret's role.</summary>
    public AccessRole Role => (AccessRole)Math.Min((int)User.Role, (int)Secret.Role);
}

/// <summary>Something that was done, or refused.</summary>
/// <param name="Action">Method and path, or the act's name.</param>
/// <param name="Status">The HTTP status that answered it.</param>
public sealed record AuditRow(long Sequence, DateTimeOffset At, string Actor, string Address, string Action, int Status);

/// <summary>Users, secrets and the audit log of a store.</summary>
public sealed class AccessLedger
{
    private const string UserColumns = "name, role, enabled, password IS NOT NULL AS has_password, subject, created_at";
    private static readonly TimeSpan _useIsNoted = TimeSpan.FromMinutes(1);

    private readonly LedgerDatabase _database;
    private readonly Store _store;
    private readonly TimeProvider _time;

    internal AccessLedger(LedgerDatabase database, Store store, TimeProvider time) => (_database, _store, _time) = (database, store, time);

    /// <summary>The problem with a user's name, or null.</summary>
    public static string? NameProblem(string? name) =>
        name is { Length: > 0 and <= 100 } && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '@' or '+') ? null
        : $"A user's name '{name}' is not one; expected 1 to 100 ASCII letters, digits and . _ - @ +.";

    /// <summary>What the servers of this store protect their forms with, as they wrote it.</summary>
    public IReadOnlyList<string> FormKeys() => _database.Read(connection => connection.Query("SELECT content FROM form_keys ORDER BY key_id", reader => reader.Text("content")!));

    /// <summary>Adds such a key; one that is there already stays as it is.</summary>
    public void AddFormKey(string keyId, string content) =>
        _database.Write(connection => connection.Execute("INSERT INTO form_keys (key_id, content) VALUES (@key, @content) ON CONFLICT (key_id) DO NOTHING", ("@key", keyId), ("@content", content)));

    /// <summary>All users, by name.</summary>
    public IReadOnlyList<UserRow> Users() => _database.Read(connection => connection.Query($"SELECT {UserColumns} FROM users ORDER BY name", User));

    public UserRow? FindUser(string name) => _database.Read(connection => FindUser(connection, name));

    private static UserRow? FindUser(System.Data.Common.DbConnection connection, string name) => connection.Query($"SELECT {UserColumns} FROM users WHERE name = @name", User, ("@name", name)).FirstOrDefault();

    /// <summary>The user whom an identity provider calls that.</summary>
    public UserRow? FindSubject(string subject) => _database.Read(connection => connection.Query($"SELECT {UserColumns} FROM users WHERE subject = @subject", User, ("@subject", subject)).FirstOrDefault());

    /// <summary>What the user's password hashes to; null when there is none, or no such user that may sign in.</summary>
    public string? PasswordOf(string name) => _database.Read(connection => connection.Scalar<string>("SELECT password FROM users WHERE name = @name AND enabled = 1", ("@name", name)));

    /// <summary>Adds a user. From the first one on, every server of the store asks people to sign in.</summary>
    /// <exception cref="BadRequestException">The name is not one, or taken; or the first user is no admin.</exception>
    public UserRow AddUser(string name, AccessRole role, string? password, string? subject = null)
    {
        BadRequestException.ThrowIfAny(NameProblem(name) is { } problem ? [problem] : []);
        _database.Write(connection =>
        {
            if (connection.Scalar<long>("SELECT count(*) FROM users WHERE name = @name OR subject = @subject", ("@name", name), ("@subject", subject)) > 0) throw new BadRequestException($"There is a user '{name}' already.");
            if (role != AccessRole.Admin && connection.Scalar<long>("SELECT count(*) FROM users") == 0) throw new BadRequestException("The first user must be an admin, who lets the others in.");
            return connection.Execute("INSERT INTO users (name, role, enabled, password, subject, created_at) VALUES (@name, @role, 1, @password, @subject, @now)",
                ("@name", name), ("@role", RunWords.Word(role)), ("@password", password), ("@subject", subject), ("@now", RunLedger.Milliseconds(_time.GetUtcNow())));
        }, repeatable: false);
        _store.RequireSignIn();
        return FindUser(name)!;
    }

    /// <exception cref="BadRequestException">There is no such user, or no admin would be left.</exception>
    public void SetRole(string name, AccessRole role) => Change(name, role != AccessRole.Admin, connection => connection.Execute("UPDATE users SET role = @role WHERE name = @name", ("@name", name), ("@role", RunWords.Word(role))));

    /// <summary>Sets the password and ends the user's sessions; tokens stay.</summary>
    /// <exception cref="BadRequestException">There is no such user.</exception>
    public void SetPassword(string name, string password) => Change(name, false, connection =>
        connection.Execute("UPDATE users SET password = @password WHERE name = @name", ("@name", name), ("@password", password))
        + connection.Execute("DELETE FROM secrets WHERE user_name = @name AND kind = 'session'", ("@name", name)));

    /// <summary>Lets the user in again, or keeps them out; their secrets stop counting at once.</summary>
    /// <exception cref="BadRequestException">There is no such user, or no admin would be left.</exception>
    public void SetEnabled(string name, bool enabled) => Change(name, !enabled, connection => connection.Execute("UPDATE users SET enabled = @enabled WHERE name = @name", ("@name", name), ("@enabled", enabled ? 1L : 0L)));

    /// <summary>Removes the user and their secrets; the audit log keeps the name.</summary>
    /// <exception cref="BadRequestException">There is no such user, or no admin would be left.</exception>
    public void RemoveUser(string name) => Change(name, true, connection =>
        connection.Execute("DELETE FROM secrets WHERE user_name = @name", ("@name", name)) + connection.Execute("DELETE FROM users WHERE name = @name", ("@name", name)));

    /// <summary>Makes a secret that stands for the user. It is told once; the ledger keeps its hash.</summary>
    /// <exception cref="BadRequestException">There is no such user, it would outrank them, or it would not expire within ten years.</exception>
    public (SecretRow Row, string Secret) Issue(string user, SecretKind kind, string name, AccessRole role, TimeSpan lifetime)
    {
        var owner = FindUser(user) ?? throw new BadRequestException($"There is no user '{user}'.");
        var problems = new List<string>();
        if (string.IsNullOrWhiteSpace(name) || name.Length > 100) problems.Add("A token needs a name of at most 100 characters that says what it is for.");
        if (role > owner.Role) problems.Add($"A token of {user} may be used for what a {RunWords.Word(owner.Role)} may do at most, not for what a {RunWords.Word(role)} may.");
        if (lifetime <= TimeSpan.Zero || lifetime > TimeSpan.FromDays(3660)) problems.Add(FormattableString.Invariant($"A token lives {lifetime.TotalDays} days; expected more than 0 and at most 3660."));
        BadRequestException.ThrowIfAny(problems);
        var secret = (kind == SecretKind.Token ? "fft_" : "ffs_") + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var now = _time.GetUtcNow();
        var row = new SecretRow(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8)), user, kind, name.Trim(), role, now, now + lifetime, null, null);
        _database.Write(connection =>
        {
            connection.Execute("DELETE FROM secrets WHERE kind = 'session' AND expires_at < @now", ("@now", RunLedger.Milliseconds(now)));
            return connection.Execute("INSERT INTO secrets (secret_id, user_name, kind, name, role, hash, created_at, expires_at) VALUES (@id, @user, @kind, @name, @role, @hash, @now, @until)",
                ("@id", row.SecretId), ("@user", user), ("@kind", RunWords.Word(kind)), ("@name", row.Name), ("@role", RunWords.Word(role)), ("@hash", HashOf(secret)),
                ("@now", RunLedger.Milliseconds(now)), ("@until", RunLedger.Milliseconds(row.ExpiresAt)));
        }, repeatable: false);
        return (row, secret);
    }

    /// <summary>Whom a secret stands for; null when it is unknown, expired or revoked, or its user is kept out.</summary>
    public Caller? Find(string secret, SecretKind kind)
    {
        if (secret.Length is < 20 or > 100) return null;
        var now = _time.GetUtcNow();
        // On every request: both in one reading.
        var (secretRow, user) = _database.Read(connection =>
        {
            var found = connection.Query("SELECT * FROM secrets WHERE hash = @hash AND kind = @kind AND revoked_at IS NULL AND expires_at > @now", Secret,
                ("@hash", HashOf(secret)), ("@kind", RunWords.Word(kind)), ("@now", RunLedger.Milliseconds(now))).FirstOrDefault();
            return (found, found is null ? null : FindUser(connection, found.User));
        });
        if (secretRow is null || user is not { Enabled: true }) return null;
        if (!(now - secretRow.LastUsedAt < _useIsNoted))
            _database.Write(connection => connection.Execute("UPDATE secrets SET last_used_at = @now WHERE secret_id = @id", ("@id", secretRow.SecretId), ("@now", RunLedger.Milliseconds(now))));
        return new(user, secretRow);
    }

    /// <summary>API tokens, newest first; of one user or of all.</summary>
    public IReadOnlyList<SecretRow> Tokens(string? user = null) => _database.Read(connection => connection.Query(
        $"SELECT * FROM secrets WHERE kind = 'token' {(user is null ? "" : "AND user_name = @user")} ORDER BY created_at DESC, secret_id", Secret, ("@user", user ?? "")));

    /// <summary>Voids a secret; false when there is none of that id, or it is not that user's.</summary>
    public bool Revoke(string secretId, string? user = null) => _database.Write(connection => connection.Execute(
        $"UPDATE secrets SET revoked_at = @now WHERE secret_id = @id AND revoked_at IS NULL {(user is null ? "" : "AND user_name = @user")}",
        ("@id", secretId), ("@user", user ?? ""), ("@now", RunLedger.Milliseconds(_time.GetUtcNow())))) == 1;

    /// <summary>Adds a line to the audit log.</summary>
    public void Note(string actor, string address, string action, int status) => _database.Write(connection => connection.Execute(
        "INSERT INTO audit (at, actor, address, action, status) VALUES (@at, @actor, @address, @action, @status)",
        ("@at", RunLedger.Milliseconds(_time.GetUtcNow())), ("@actor", actor), ("@address", address), ("@action", action), ("@status", (long)status)), repeatable: false);

    /// <summary>The audit log, newest first, of lines before <paramref name="before"/> (a sequence) whose actor or action contains a text.</summary>
    public IReadOnlyList<AuditRow> Audit(long? before = null, int take = 100, string? text = null) => _database.Read(connection => connection.Query(
        "SELECT * FROM audit WHERE sequence < @before AND (@text = '' OR instr(actor, @text) > 0 OR instr(action, @text) > 0) ORDER BY sequence DESC LIMIT @take",
        reader => new AuditRow(reader.Number("sequence"), reader.Moment("at")!.Value, reader.Text("actor")!, reader.Text("address")!, reader.Text("action")!, (int)reader.Number("status")),
        ("@before", before ?? long.MaxValue), ("@text", text ?? ""), ("@take", (long)take)));

    private void Change(string name, bool mayLeaveNoAdmin, Func<System.Data.Common.DbConnection, int> work) => _database.Write(connection =>
    {
        var before = FindUser(connection, name) ?? throw new BadRequestException($"There is no user '{name}'.");
        if (mayLeaveNoAdmin && before is { Role: AccessRole.Admin, Enabled: true } && connection.Scalar<long>("SELECT count(*) FROM users WHERE role = 'admin' AND enabled = 1") == 1)
            throw new BadRequestException($"{name} is the last admin; make another user one first.");
        return work(connection);
    });

    private static string HashOf(string secret) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(secret)));

    private static UserRow User(System.Data.Common.DbDataReader reader) => new(reader.Text("name")!, RunWords.Parse<AccessRole>(reader.Text("role")!), reader.Number("enabled") != 0,
        reader["has_password"] is true or 1L, reader.Text("subject"), reader.Moment("created_at")!.Value);

    private static SecretRow Secret(System.Data.Common.DbDataReader reader) => new(reader.Text("secret_id")!, reader.Text("user_name")!, RunWords.Parse<SecretKind>(reader.Text("kind")!), reader.Text("name")!,
        RunWords.Parse<AccessRole>(reader.Text("role")!), reader.Moment("created_at")!.Value, reader.Moment("expires_at")!.Value, reader.Moment("last_used_at"), reader.Moment("revoked_at"));
}
