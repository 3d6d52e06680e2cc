// Where a file-based program shows what a notebook would: one HTML page, written when the program ends.
using System.Text;
using Microsoft.DotNet.Interactive.Formatting;

namespace FeatureForge.Notebooks;

/// <summary>Collects what a program displays. Dispose it to write the page.</summary>
public sealed class ProgramPage : IDisposable
{
    private readonly List<DisplayedValue> _shown = [];
    private readonly string _path;
    private readonly IDisposable _subscription;

    private ProgramPage(string path)
    {
        _path = Path.GetFullPath(path);
        _subscription = Formatter.SubscribeToDisplayedValues(Keep);
    }

    /// <summary>Begins a page; every value that is displayed from now on is on it, in its last state.</summary>
    public static ProgramPage Begin(string path) => new(path);

    // An update comes as another value with the id of the first.
    private void Keep(DisplayedValue value)
    {
        var first = _shown.FindIndex(shown => shown.DisplayId == value.DisplayId);
        if (first < 0) _shown.Add(value);
        else _shown[first] = value;
    }

    /// <summary>Writes the page and says where it is.</summary>
    public void Dispose()
    {
        _subscription.Dispose();
        var text = new StringBuilder($"<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{Html.Text(Path.GetFileNameWithoutExtension(_path))}</title><body style=\"font-family:sans-serif;max-width:60em;margin:2em auto\">");
        foreach (var value in _shown) text.Append("<section style=\"margin:1em 0\">").Append(value.Value.ToDisplayString(HtmlFormatter.MimeType)).Append("</section>");
        Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
        File.WriteAllText(_path, text.Append("</body></html>").ToString());
        Console.Out.WriteLine($"{_shown.Count} displayed values are in {_path}");
    }
}
