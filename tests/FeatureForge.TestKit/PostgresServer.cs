// A PostgreSQL server of the tests' own: a fresh cluster in a temporary folder on a free port of this machine, ended with the test process.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace FeatureForge.TestKit;

/// <summary>One server per test process; each caller gets a schema of its own.</summary>
public sealed class PostgresServer : IDisposable
{
    private static readonly Lazy<PostgresServer> _shared = new(() =>
    {
        var server = new PostgresServer();
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.Dispose();
        return server;
    });

    private readonly string _folder = Directory.CreateTempSubdirectory("featureforge-pg-").FullName;
    private readonly int _port = FreePort.Find();
    private bool _isOver;

    /// <summary>Makes the cluster and starts it.</summary>
    public PostgresServer()
    {
        // PostgreSQL refuses to run as root; Debian's package brings a user for it.
        if (IsRoot) Run("chown", "postgres", _folder);
        Run([.. AsPostgres, Program("initdb"), "-D", Data, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"]);
        Start();
    }

    /// <summary>The server that the tests of this process share.</summary>
    public static PostgresServer Shared => _shared.Value;

    /// <summary>A connection string whose tables lie in a new schema.</summary>
    public string NewSchema()
    {
        var schema = $"s{Guid.NewGuid():N}";
        using var connection = new NpgsqlConnection(Address);
        connection.Open();
        using var command = new NpgsqlCommand($"CREATE SCHEMA {schema}", connection);
        command.ExecuteNonQuery();
        return $"{Address};Search Path={schema}";
    }

    /// <summary>Ends the server at once, as a crash does, and starts it again.</summary>
    public void Crash(Action? whileDown = null)
    {
        Run([.. AsPostgres, Program("pg_ctl"), "-D", Data, "-m", "immediate", "-w", "stop"]);
        whileDown?.Invoke();
        Start();
    }

    public void Dispose()
    {
        if (_isOver) return;
        _isOver = true;
        Run([.. AsPostgres, Program("pg_ctl"), "-D", Data, "-m", "immediate", "-w", "stop"]);
        Directory.Delete(_folder, recursive: true);
    }

    private static bool IsRoot => Environment.UserName == "root";

    private static string[] AsPostgres => IsRoot ? ["runuser", "-u", "postgres", "--"] : [];

    private string Data => Path.Combine(_folder, "data");

    private string Address => $"Host=127.0.0.1;Port={_port};Database=postgres;Username=postgres;Maximum Pool Size=20";

    private void Start() => Run([.. AsPostgres, Program("pg_ctl"), "-D", Data, "-w", "-l", Path.Combine(_folder, "log.txt"), "-o",
        $"-p {_port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={_folder} -c max_connections=200 -c fsync=off", "start"]);

    private static string Program(string name) => Path.Combine(NeedsToolFactAttribute.PostgresFolder ?? throw new InvalidOperationException("PostgreSQL is not installed (apt install postgresql)."), name);

    private static void Run(params string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = "/" };
        // pg_ctl hands its output on to the server: not to be read to its end here.
        using var process = Process.Start(start)!;
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{string.Join(' ', command)} ended with {process.ExitCode}.");
    }
}
