// How our types become HTML: the formatting library finds the attribute on a type when a value of it is shown first. Nothing has to be
// registered, and nothing here knows the kernel.
using System.Net;
using Microsoft.DotNet.Interactive.Formatting;

namespace FeatureForge.Notebooks;

/// <summary>Something that shows itself as an HTML fragment.</summary>
public interface IRendered
{
    /// <summary>An HTML fragment that needs no script and no file beside it.</summary>
    string ToHtml();
}

/// <summary>Tells the formatting library that <typeparamref name="T"/> is shown by <see cref="IRendered.ToHtml"/>.</summary>
public sealed class RenderedSource<T> : ITypeFormatterSource where T : IRendered
{
    /// <inheritdoc/>
    public IEnumerable<ITypeFormatter> CreateTypeFormatters() => [new HtmlFormatter<T>((value, context) => context.Writer.Write(value.ToHtml()))];
}

internal static class Html
{
    internal static string Text(object? value) => WebUtility.HtmlEncode(Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture) ?? "");

    /// <summary>A table; cells are text, escaped here.</summary>
    internal static string Table(IReadOnlyList<string> head, IEnumerable<IReadOnlyList<object?>> rows) =>
        $"<table><thead><tr>{string.Concat(head.Select(cell => $"<th>{Text(cell)}</th>"))}</tr></thead><tbody>"
        + string.Concat(rows.Select(row => $"<tr>{string.Concat(row.Select(cell => $"<td>{Text(cell)}</td>"))}</tr>")) + "</tbody></table>";
}
