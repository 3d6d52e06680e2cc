// How long a search for text takes among very many runs, beside looking at each of them, and how long one action on many runs takes.
//   ledger [ROWS]        (1,000,000 rows unless given, a tenth as many that wait; the embedded ledger, in a temporary folder)
using System.Diagnostics;
using System.Globalization;
using FeatureForge.Data;
using Microsoft.Data.Sqlite;

namespace FeatureForge.Benchmarks;

internal static class LedgerBenchmark
{
    private const int Rounds = 3;

    internal static async Task<int> RunAsync(string[] arguments, TextWriter output)
    {
        var rows = arguments.Length > 0 ? int.Parse(arguments[0], CultureInfo.InvariantCulture) : 1_000_000;
        var folder = Directory.CreateTempSubdirectory("featureforge-ledger-").FullName;
        try
        {
            var store = Store.Open(folder);
            using var ledger = RunLedger.Open(store, TimeProvider.System);
            using var connection = new SqliteConnection($"Data Source={store.CatalogPath}");
            connection.Open();
            var seconds = Timed(() => Fill(connection, rows));
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{rows:N0} runs written in {seconds:F0} s; catalog.db {new FileInfo(store.CatalogPath).Length / 1e6:F0} MB\n\n| text | runs that hold it | indexed, ms | one by one, ms |\n|---|---:|---:|---:|"));
            foreach (var (name, text) in ((string, string)[])[("one run's argument", $"corpus-{rows / 2:D7}"), ("a hundred runs'", $"corpus-{rows / 200:D5}"), ("a tenth of them", "\"recipe\":\"image-base-7\""), ("all of them", "corpus"), ("none", "no such thing"), ("a run id", $"run-{rows / 3:D8}")])
            {
                long found = 0;
                var indexed = Median(() => found = ledger.List(new() { Text = text }).Total);
                var scanned = Median(() => Scan(connection, text));
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"| {name} | {found:N0} | {indexed * 1000:F0} | {scanned * 1000:F0} |"));
            }
            Fill(connection, rows / 10, "waiting", "queued");
            var waiting = new RunFilter { Text = "waiting-" };
            long stopped = 0, queued = 0;
            var stopping = Timed(() => stopped = ledger.RequestCancel(waiting));
            var queueing = Timed(() => queued = ledger.Resume(waiting));
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"\n{stopped:N0} runs that wait cancelled in one action: {stopping:F1} s; {queued:N0} queued again: {queueing:F1} s"));
            return 0;
        }
        finally
        {
            SqliteConnection.ClearAllPools();
            Directory.Delete(folder, recursive: true);
        }
    }

    internal static void Fill(SqliteConnection connection, int rows, string prefix = "run", string state = "succeeded")
    {
        using var transaction = connection.BeginTransaction();
        using var command = connection.CreateCommand();
        command.CommandText = """
            INSERT INTO runs (run_id, kind, spec, spec_hash, state, max_attempts, created_at, result)
            VALUES (@run, 'train', @spec, @hash, @state, 3, @at, @result)
            """;
        command.Parameters.AddWithValue("@state", state);
        var names = (string[])["@run", "@spec", "@hash", "@at", "@result"];
        foreach (var name in names) command.Parameters.Add(name, name == "@at" ? SqliteType.Integer : SqliteType.Text);
        for (var i = 0; i < rows; i++)
        {
            command.Parameters["@run"].Value = $"{prefix}-{i:D8}";
            command.Parameters["@spec"].Value = $$"""{"corpus":"corpus-{{i:D7}}","encoder":"encoder-{{i % 977}}","recipe":"image-base-{{i % 10}}","minutes":{{i % 60}},"seed":{{i % 5}},"device":"auto","early_stop":false,"from":null}""";
            command.Parameters["@hash"].Value = $"{i:x32}";
            command.Parameters["@at"].Value = 1_700_000_000_000 + i * 1000L;
            command.Parameters["@result"].Value = $$"""{"encoder":"encoder-{{i % 977}}","encoder_id":"{{i:x32}}","steps":2000,"seconds":{{i % 600}},"final_loss":1.25}""";
            command.ExecuteNonQuery();
        }
        transaction.Commit();
    }

    private static void Scan(SqliteConnection connection, string text)
    {
        foreach (var sql in (string[])["SELECT count(*) FROM runs WHERE instr(run_id, @text) > 0 OR instr(spec, @text) > 0", "SELECT * FROM runs WHERE instr(run_id, @text) > 0 OR instr(spec, @text) > 0 ORDER BY created_at DESC, rowid DESC LIMIT 50"])
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.Parameters.AddWithValue("@text", text);
            using var reader = command.ExecuteReader();
            while (reader.Read()) { }
        }
    }

    private static double Median(Action work) => Enumerable.Range(0, Rounds).Select(_ => Timed(work)).Order().ElementAt(Rounds / 2);

    private static double Timed(Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
