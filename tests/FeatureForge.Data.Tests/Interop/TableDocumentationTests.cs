// TABLES.md names exactly the columns that the tables have.
using System.Text.RegularExpressions;
using DuckDB.NET.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Data.Tests.Interop;

public sealed partial class TableDocumentationTests
{
    [Fact]
    public async Task Every_column_of_every_table_is_documented_and_no_other()
    {
        using var folder = new TemporaryFolder();
        var tables = (await WrittenTables.WriteAsync(folder.Path)).GroupBy(table => table.Schema.Split('/')[0]);
        var sections = File.ReadAllText(Path.Combine(Repository.Root, "src", "FeatureForge.Data", "TABLES.md")).Split("\n## ")[1..].ToDictionary(section => section.Split('\n')[0], section => section);

        Assert.Equal(tables.Select(table => table.Key).Order(), sections.Keys.Order());
        foreach (var table in tables)
        {
            var documented = sections[table.Key].Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).SelectMany(line => Names().Matches(line.Split('|')[1]).Select(name => name.Groups[1].Value));
            Assert.Equal(table.SelectMany(file => Columns(file.Path)).Distinct().Order(), documented.Order());
        }
    }

    private static List<string> Columns(string path)
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"select column_name from (describe select * from '{path}')";
        using var reader = command.ExecuteReader();
        var names = new List<string>();
        while (reader.Read()) names.Add(reader.GetString(0));
        return names;
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Names();
}
