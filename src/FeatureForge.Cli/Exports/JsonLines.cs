// One JSON object a line, with every column in every line; written beside and renamed.
using System.Text.Json;
using System.Text.Json.Serialization;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class JsonLines
{
    private static readonly JsonSerializerOptions _everyColumn = new(SpecJson.Line) { DefaultIgnoreCondition = JsonIgnoreCondition.Never };

    internal static async Task<Exported> WriteAsync(IAsyncEnumerable<object> rows, string path, CancellationToken stop)
    {
        path = Path.GetFullPath(path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = $"{path}.{Environment.ProcessId}.tmp";
        var count = 0L;
        try
        {
            await using (var stream = File.Create(temporary))
            {
                await foreach (var row in rows.WithCancellation(stop))
                {
                    JsonSerializer.Serialize(stream, row, _everyColumn);
                    stream.WriteByte((byte)'\n');
                    count++;
                }
            }
            DurableFile.Flush(temporary);
            DurableFile.MoveInto(temporary, path);
        }
        finally { File.Delete(temporary); }
        return new(path, count, 0, [Path.GetFileName(path)]);
    }
}
