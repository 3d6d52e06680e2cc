// Reads the address of a PostgreSQL server in both usual spellings, and names it without its password.
using Npgsql;

namespace FeatureForge.Data;

/// <summary>Addresses of PostgreSQL servers: <c>Host=…;Database=…</c> or <c>postgresql://user:password@host:port/database</c>.</summary>
public static class PostgresAddress
{
    /// <exception cref="BadRequestException">It is neither.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string address)
    {
        try
        {
            return address.StartsWith("postgres://", StringComparison.Ordinal) || address.StartsWith("postgresql://", StringComparison.Ordinal)
                ? FromUri(new(address))
                : new(address);
        }
        catch (Exception error) when (error is ArgumentException or FormatException or KeyNotFoundException)
        {
            // Its text may hold a password: only the reason is repeated.
            throw new BadRequestException($"The ledger's address is neither Host=…;Database=…;Username=…;Password=… nor postgresql://user:password@host/database: {error.Message}");
        }
    }

    /// <summary>Host, port, database and schema.</summary>
    public static string Describe(NpgsqlConnectionStringBuilder address) =>
        $"in database '{address.Database}' at {address.Host}:{address.Port}{(address.SearchPath is { Length: > 0 } schema ? $", schema '{schema}'" : "")}";

    private static NpgsqlConnectionStringBuilder FromUri(Uri uri)
    {
        var (user, password) = uri.UserInfo.Split(':', 2) is [var name, var secret] ? (name, secret) : (uri.UserInfo, "");
        var builder = new NpgsqlConnectionStringBuilder { Host = uri.Host, Database = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/')) };
        if (uri.Port > 0) builder.Port = uri.Port;
        if (user.Length > 0) builder.Username = Uri.UnescapeDataString(user);
        if (password.Length > 0) builder.Password = Uri.UnescapeDataString(password);
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (key, value) = pair.Split('=', 2) is [var left, var right] ? (left, right) : (pair, "");
            builder[Uri.UnescapeDataString(key) switch { "sslmode" => "SSL Mode", "search_path" or "currentSchema" => "Search Path", var other => other }] = Uri.UnescapeDataString(value);
        }
        return builder;
    }
}
