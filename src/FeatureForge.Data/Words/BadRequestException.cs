// A request that cannot start: every problem at once, before any work.
namespace FeatureForge.Data;

/// <summary>A spec or flag is wrong. Nothing was started. Exit code 2.</summary>
public sealed class BadRequestException(IReadOnlyList<string> problems) : Exception(string.Join(Environment.NewLine, problems))
{
    public BadRequestException(string problem) : this([problem]) { }

    /// <summary>Every problem found, one sentence each.</summary>
    public IReadOnlyList<string> Problems { get; } = problems;

    /// <summary>Throws when the list holds anything.</summary>
    public static void ThrowIfAny(IReadOnlyList<string> problems)
    {
        if (problems.Count > 0) throw new BadRequestException(problems);
    }
}
