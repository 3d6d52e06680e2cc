// Plots as SVG: points in the plane, and lines over steps. No script, so that they show wherever HTML does.
using System.Globalization;
using System.Text;

namespace FeatureForge.Notebooks;

internal static class Plot
{
    private const double Width = 640, Height = 400, Left = 56, Bottom = 32, Top = 12, Right = 150;
    private static readonly CultureInfo _culture = CultureInfo.InvariantCulture;

    /// <param name="points">Group -1 is drawn grey.</param>
    internal static string Points(IReadOnlyList<(float X, float Y, int Group)> points, IReadOnlyList<string> groups)
    {
        var svg = Start();
        var (x, y) = (Axis.Of(points.Select(point => (double)point.X), Left, Width - Right), Axis.Of(points.Select(point => (double)point.Y), Height - Bottom, Top));
        foreach (var group in points.GroupBy(point => point.Group).OrderBy(group => group.Key))
        {
            svg.Append($"<path stroke=\"{(group.Key < 0 ? "#bbb" : Colour(group.Key))}\" stroke-width=\"4\" stroke-linecap=\"round\" stroke-opacity=\"0.7\" d=\"");
            foreach (var point in group) svg.Append(_culture, $"M{x.At(point.X):0.#} {y.At(point.Y):0.#}h0");
            svg.Append("\"/>");
        }
        return Legend(svg, groups).Append("</svg>").ToString();
    }

    internal static string Lines(IReadOnlyList<(string Name, IReadOnlyList<(double Step, double Value)> Points)> lines)
    {
        var svg = Start();
        var x = Axis.Of(lines.SelectMany(line => line.Points).Select(point => point.Step), Left, Width - Right);
        var y = Axis.Of(lines.SelectMany(line => line.Points).Select(point => point.Value), Height - Bottom, Top);
        svg.Append(_culture, $"<path stroke=\"#888\" fill=\"none\" d=\"M{Left} {Top}V{Height - Bottom}H{Width - Right}\"/>");
        foreach (var value in new[] { y.Low, y.High }) svg.Append(_culture, $"<text x=\"{Left - 4}\" y=\"{y.At(value) + 4:0.#}\" text-anchor=\"end\">{value:0.###}</text>");
        foreach (var value in new[] { x.Low, x.High }) svg.Append(_culture, $"<text x=\"{x.At(value):0.#}\" y=\"{Height - Bottom + 16}\" text-anchor=\"middle\">{value:0}</text>");
        for (var index = 0; index < lines.Count; index++)
            svg.Append(_culture, $"<polyline fill=\"none\" stroke=\"{Colour(index)}\" stroke-width=\"1.5\" points=\"{string.Join(' ', lines[index].Points.Select(point => string.Create(_culture, $"{x.At(point.Step):0.#},{y.At(point.Value):0.#}")))}\"/>");
        return Legend(svg, [.. lines.Select(line => line.Name)]).Append("</svg>").ToString();
    }

    // Steps of the golden angle: neighbours in the legend are far apart on the wheel.
    private static string Colour(int index) => string.Create(_culture, $"hsl({index * 137.508 % 360:0.#},60%,{(index % 2 == 0 ? 42 : 58)}%)");

    private static StringBuilder Start() => new StringBuilder().Append(_culture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" width=\"{Width}\" height=\"{Height}\" font-family=\"sans-serif\" font-size=\"11\" fill=\"currentColor\">");

    private static StringBuilder Legend(StringBuilder svg, IReadOnlyList<string> names)
    {
        const int most = 22;
        for (var index = 0; index < Math.Min(names.Count, most); index++)
            svg.Append(_culture, $"<rect x=\"{Width - Right + 10}\" y=\"{Top + 17 * index}\" width=\"10\" height=\"10\" fill=\"{Colour(index)}\"/><text x=\"{Width - Right + 26}\" y=\"{Top + 17 * index + 9}\">{Html.Text(names[index].Length > 22 ? names[index][..21] + "…" : names[index])}</text>");
        if (names.Count > most) svg.Append(_culture, $"<text x=\"{Width - Right + 26}\" y=\"{Top + 17 * most + 9}\">and {names.Count - most} more</text>");
        return svg;
    }

    /// <summary>Values to pixels.</summary>
    private readonly record struct Axis(double Low, double High, double From, double To)
    {
        internal static Axis Of(IEnumerable<double> values, double from, double to)
        {
            var finite = values.Where(double.IsFinite).DefaultIfEmpty(0).ToList();
            return new(finite.Min(), finite.Max(), from, to);
        }

        internal double At(double value) => High > Low ? From + (value - Low) / (High - Low) * (To - From) : (From + To) / 2;
    }
}
