// The run's own disk fails, not the source: the run ends with this instead of quarantining what it was reading.
namespace FeatureForge.Ingest;

internal sealed class ScratchFailedException(string path, Exception inner) : IOException($"The run cannot write to {path}: {inner.Message} Make room there, and run the same command again: it goes on where it stopped.", inner)
{
    /// <summary>Does something to the run's own files.</summary>
    public static T Guard<T>(string path, Func<T> write)
    {
        try
        {
            return write();
        }
        catch (Exception error) when (error is UnauthorizedAccessException or Microsoft.Data.Sqlite.SqliteException or IOException and not ScratchFailedException)
        {
            throw new ScratchFailedException(path, error);
        }
    }
}
