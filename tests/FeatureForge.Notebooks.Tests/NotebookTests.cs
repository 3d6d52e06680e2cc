// The notebooks: made from their programs, committed without outputs, and every cell runs on a store of real pictures.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Notebooks.Tests;

public sealed class NotebookTests : IClassFixture<RealStore>, IDisposable
{
    private readonly RealStore _real;

    public NotebookTests(RealStore real)
    {
        _real = real;
        Environment.SetEnvironmentVariable("FEATUREFORGE_STORE", real.Path);
    }

    public void Dispose() => Environment.SetEnvironmentVariable("FEATUREFORGE_SERVER", null);

    /// <summary>With FEATUREFORGE_MAKE_NOTEBOOKS=1 the notebooks are written instead.</summary>
    [Fact]
    public void Notebooks_are_what_their_programs_say()
    {
        Assert.Equal(7, NotebookFiles.Programs.Count);
        foreach (var program in NotebookFiles.Programs)
        {
            if (Environment.GetEnvironmentVariable("FEATUREFORGE_MAKE_NOTEBOOKS") == "1") File.WriteAllText(program.NotebookPath, program.ToNotebook());
            Assert.True(File.ReadAllText(program.NotebookPath) == program.ToNotebook(), $"{program.NotebookPath} is not what {program.Path} says; run this test with FEATUREFORGE_MAKE_NOTEBOOKS=1.");
        }
    }

    [NeedsDatasetsFact(RealStore.Needs)]
    public async Task A_corpus_is_looked_at()
    {
        var outputs = await RunAsync("01-look-at-a-corpus");

        Assert.Contains($"{RealStore.Pictures} Image; 0 files in quarantine", outputs[1]);
        Assert.Equal(24, Count(outputs[2], "<img "));
        Assert.Contains("byte_size", outputs[3]);
        Assert.Equal(8, Count(outputs[4], "data:image/png;base64,"));
    }

    [NeedsDatasetsFact(RealStore.Needs)]
    public async Task A_run_is_started_on_a_server_followed_and_its_curves_are_drawn()
    {
        var port = FreePort.Find();
        Environment.SetEnvironmentVariable("FEATUREFORGE_SERVER", $"http://127.0.0.1:{port}");
        using var server = FeatureForgeProgram.Start(_real.Path, "serve", "--port", $"{port}");
        await FeatureForgeProgram.UntilAsync(() => Answers(port), answers => answers);

        var outputs = await RunAsync("02-train-and-read-the-curves");

        Assert.Contains("succeeded", outputs[1]);
        Assert.Equal(20, _real.Store.Encoder("from-a-notebook").Steps);
        Assert.Equal(3, Count(outputs[2], "<svg "));
        Assert.Contains("retrieval.high", outputs[3]);
        Assert.Contains("extract", outputs[4]);
    }

    [NeedsDatasetsFact(RealStore.Needs)]
    public async Task Levels_and_grains_are_compared()
    {
        var outputs = await RunAsync("03-levels-and-grains");

        foreach (var level in Level.All) Assert.Contains(level, outputs[1]);
        Assert.Equal(Level.All.Count * 8, Count(outputs[2], "<img "));
        Assert.Contains("Agreement", outputs[3]);
        Assert.Contains("grain patch", outputs[4]);
    }

    [NeedsDatasetsFact(RealStore.Needs)]
    public async Task Clusters_show_names_exemplars_and_a_map()
    {
        var outputs = await RunAsync("04-clusters-and-names");

        var clustering = _real.Store.Clustering("clothes");
        Assert.Equal(clustering.Clusters, Count(outputs[1], "<details"));
        Assert.True(Count(outputs[1], "<img ") >= clustering.Leaves);
        Assert.Contains("cohesion", outputs[2]);
        Assert.Contains("<svg ", outputs[3]);
        Assert.Contains("cluster", outputs[4]);
    }

    [NeedsDatasetsFact(RealStore.Needs)]
    public async Task Labels_are_given_exported_and_taken_back()
    {
        var outputs = await RunAsync("05-label-and-export");

        var leaves = _real.Store.Clustering("clothes").Leaves;
        Assert.Equal(leaves + 1, Count(outputs[2], "<tr>"));
        Assert.Matches(@"\d+ labelled items in .*\.csv", outputs[3]);
        Assert.Contains($"{leaves} labels taken back, 0 of them left", outputs[4]);
    }

    [NeedsDatasetsFact(RealStore.Needs)]
    public async Task DuckDB_answers_questions_about_the_store()
    {
        var outputs = await RunAsync("06-analytics-with-duckdb");

        Assert.Contains($"{RealStore.Pictures}", outputs[2]);
        Assert.Contains("mean", outputs[3]);
        Assert.Contains("surest", outputs[4]);
        Assert.Equal(6, Count(outputs[5], "<tr>"));
    }

    /// <summary>With the library published as notebooks/README.md says. DuckDB's notebook, which fetches its package, and the one that needs a server are left out.</summary>
    [NeedsToolFact("dotnet-interactive")]
    public async Task DotNet_Interactive_itself_runs_the_notebooks()
    {
        using var folder = new TemporaryFolder();
        var library = Path.Combine(Repository.Root, "src", "FeatureForge.Notebooks");
        var published = await ProcessAsync(folder.Path, "dotnet", ["publish", library, "-c", "Release", "--use-current-runtime", "--self-contained", "false", "-o", Path.Combine(folder.Path, "bin"), "--artifacts-path", Path.Combine(folder.Path, "artifacts")]);
        Assert.True(published.ExitCode == 0, published.Output);

        foreach (var (name, expected) in new[] { ("01-look-at-a-corpus", "<img "), ("03-levels-and-grains", "grain patch"), ("04-clusters-and-names", "<svg "), ("05-label-and-export", "labels taken back, 0 of them left") })
        {
            using var kernel = new InteractiveKernel(folder.Path);
            var shown = "";
            foreach (var source in await ScriptKernel.SourcesAsync(Path.Combine(NotebookFiles.Folder, $"{name}.ipynb"))) shown += await kernel.SubmitAsync(source);
            Assert.Contains(expected, shown);
        }
    }

    [NeedsDatasetsFact(RealStore.Needs)]
    public async Task A_program_of_one_file_shows_the_same_on_a_page()
    {
        using var folder = new TemporaryFolder();

        var outcome = await ProcessAsync(folder.Path, "dotnet", ["run", Path.Combine(NotebookFiles.Folder, "01-look-at-a-corpus.cs"), "-c", "Release"]);

        Assert.True(outcome.ExitCode == 0, outcome.Output + outcome.Errors);
        Assert.Equal(32, Count(await File.ReadAllTextAsync(Path.Combine(folder.Path, "notebooks", "pages", "01-look-at-a-corpus.html")), "<img "));
    }

    [NeedsToolFact("pandas")]
    public async Task Python_reads_the_same_store()
    {
        using var folder = new TemporaryFolder();
        var cells = await ScriptKernel.SourcesAsync(Path.Combine(NotebookFiles.Folder, "07-python.ipynb"));
        // Cell by cell in one state; the value of a cell's last expression is printed, as a kernel does.
        var runner = folder.Write("cells.py", """
            import ast, json, sys
            state = {}
            for source in json.load(open(sys.argv[1])):
                tree = ast.parse(source)
                last = ast.Expression(tree.body.pop().value) if isinstance(tree.body[-1], ast.Expr) and not source.rstrip().endswith(")\n") else None
                exec(compile(tree, "cell", "exec"), state)
                if last is not None:
                    value = eval(compile(last, "cell", "eval"), state)
                    if value is not None: print(value)
            """);
        var sources = folder.Write("cells.json", new JsonArray([.. cells.Select(source => (JsonNode)source)]).ToJsonString());
        Environment.SetEnvironmentVariable("FEATUREFORGE", $"dotnet {Path.Combine(AppContext.BaseDirectory, "featureforge.dll")}");

        var outcome = await ProcessAsync(folder.Path, NeedsToolFactAttribute.Python, [runner, sources]);

        Assert.True(outcome.ExitCode == 0, outcome.Errors);
        Assert.Contains($"{RealStore.Pictures} items, {RealStore.Pictures * 28 * 28} bytes", outcome.Output);
        var dimension = _real.Store.Set("clothes").Tables.Single(table => table is { Level: Level.High, Grain: Grain.Item }).Dimension;
        Assert.Contains($"vectors ({RealStore.Pictures}, {dimension}) finite", outcome.Output);
        Assert.Matches(@"silhouette: clusters -?0\.\d+, k-means -?0\.\d+", outcome.Output);
        Assert.Contains("explained", outcome.Output);
    }

    private static Task<IReadOnlyList<string>> RunAsync(string name) => ScriptKernel.RunAsync(Path.Combine(NotebookFiles.Folder, $"{name}.ipynb"));

    private static async Task<Outcome> ProcessAsync(string folder, string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return new(process.ExitCode, await output, await errors);
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    private static bool Answers(int port)
    {
        try
        {
            using var client = new TcpClient();
            client.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException) { return false; }
    }
}
