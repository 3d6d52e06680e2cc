// Hangfire's own storage: in memory beside the embedded ledger, in the ledger's database when that is PostgreSQL.
using FeatureForge.Data;
using Hangfire;
using Hangfire.InMemory;
using Hangfire.PostgreSql;

namespace FeatureForge.Jobs;

internal static class HangfireStorage
{
    /// <param name="address">The database that all servers of the store share; null: jobs of this process alone, in memory.</param>
    internal static JobStorage For(string? address)
    {
        if (address is null) return new InMemoryStorage();
        var connection = PostgresAddress.Parse(address);
        // Hangfire keeps its tables in a schema of its own beside the ledger's.
        var schema = connection.SearchPath is { Length: > 0 } own ? $"{own}_hangfire" : "hangfire";
        return new PostgreSqlStorage(new Hangfire.PostgreSql.Factories.NpgsqlConnectionFactory(connection.ConnectionString, Options(schema)), Options(schema));
    }

    private static PostgreSqlStorageOptions Options(string schema) => new()
    {
        SchemaName = schema,
        // A job that runs for days stays with its server as long as that lives; the lease in the ledger is what makes it single.
        UseSlidingInvisibilityTimeout = true,
        InvisibilityTimeout = TimeSpan.FromMinutes(5),
        QueuePollInterval = TimeSpan.FromSeconds(1),
        PrepareSchemaIfNecessary = true,
    };
}
