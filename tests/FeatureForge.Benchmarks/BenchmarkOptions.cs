// What stands behind --NAME on a benchmark's command line.
using System.Globalization;

namespace FeatureForge.Benchmarks;

internal static class BenchmarkOptions
{
    /// <summary>The word behind the name; null where it is not there.</summary>
    internal static string? Text(this string[] arguments, string name) => Array.IndexOf(arguments, name) is var at and >= 0 ? arguments[at + 1] : null;

    internal static int Number(this string[] arguments, string name, int normal) => arguments.Text(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : normal;

    internal static double Number(this string[] arguments, string name, double normal) => arguments.Text(name) is { } text ? double.Parse(text, CultureInfo.InvariantCulture) : normal;
}
