// The tutorial, typed in from first to last line by a shell, with a training budget for tests.
using System.Diagnostics;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.EndToEnd.Tests;

public sealed class TutorialTests : IDisposable
{
    private static readonly string _page = Path.Combine(Repository.Root, "notebooks", "TUTORIAL.md");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Every_command_of_the_tutorial_does_what_the_page_says()
    {
        var commands = Commands("sh").ToList();
        Assert.Contains(commands, line => line.Contains("--minutes 2", StringComparison.Ordinal));
        // The program under test, under the name that the page uses.
        var program = Path.Combine(_folder.Path, "bin", "featureforge");
        Directory.CreateDirectory(Path.GetDirectoryName(program)!);
        await File.WriteAllTextAsync(program, $"#!/bin/sh\nexec dotnet '{Path.Combine(AppContext.BaseDirectory, "featureforge.dll")}' \"$@\"\n");
        var script = Path.Combine(_folder.Path, "tutorial.sh");
        await File.WriteAllLinesAsync(script, ["set -ex", $"chmod +x '{program}'", $"export PATH='{Path.GetDirectoryName(program)}':\"$PATH\"", "unset FEATUREFORGE_STORE", .. commands.Select(line => line
            .Replace("--minutes 2", "--steps 12", StringComparison.Ordinal).Replace("--minutes 1", "--steps 6", StringComparison.Ordinal).Replace("datasets make image", "datasets make image --items 300", StringComparison.Ordinal))]);

        using var shell = Process.Start(new ProcessStartInfo("bash", [script]) { WorkingDirectory = _folder.Path, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = shell.StandardOutput.ReadToEndAsync();
        var errors = await shell.StandardError.ReadToEndAsync();
        await shell.WaitForExitAsync();
        var said = await output;

        Assert.True(shell.ExitCode == 0, $"{said}\n{errors}");
        var store = Store.Open(Path.Combine(_folder.Path, "featureforge-store"));
        Assert.Equal(300, store.Corpus("shapes").Items[Modality.Image]);
        Assert.Equal(6, store.Encoder("shapes-v2").Steps);
        Assert.Contains("0.0000", said); // the picture finds itself
        var labels = File.ReadLines(Path.Combine(_folder.Path, "glyphs.csv")).Skip(1).ToList();
        Assert.Equal(20, labels.Count(line => line.Contains(",person,", StringComparison.Ordinal)));
        Assert.True(labels.Count > 200, $"{labels.Count} labels");
        // What the page points at is there.
        foreach (var target in System.Text.RegularExpressions.Regex.Matches(File.ReadAllText(_page), @"\]\((?!http)([^)#]+)").Select(match => match.Groups[1].Value))
            Assert.True(Path.Exists(Path.Combine(Path.GetDirectoryName(_page)!, target)), $"{target} is not there.");
    }

    private static IEnumerable<string> Commands(string language)
    {
        var inside = false;
        foreach (var line in File.ReadLines(_page))
            if (line.StartsWith("```", StringComparison.Ordinal)) inside = line == "```" + language;
            else if (inside) yield return line;
    }
}
