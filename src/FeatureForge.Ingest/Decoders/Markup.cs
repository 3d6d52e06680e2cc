// What a reader sees of an HTML or Markdown document: no tags, scripts, styles or comments, entities decoded, blocks on lines of their own.
using System.Text;
using AngleSharp.Dom;
using AngleSharp.Html.Parser;
using Markdig;

namespace FeatureForge.Ingest;

internal static class Markup
{
    private static readonly HashSet<string> Invisible = new(StringComparer.OrdinalIgnoreCase) { "script", "style", "template", "noscript", "head", "svg", "math", "iframe", "object", "select", "datalist" };

    private static readonly HashSet<string> Blocks = new(StringComparer.OrdinalIgnoreCase)
    {
        "address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "dialog", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form",
        "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
    };

    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder().UsePipeTables().UseAutoLinks().UseFootnotes().UseYamlFrontMatter().Build();

    /// <summary>The visible text, or the text as it is when it is neither.</summary>
    /// <param name="mediaType">What the name said; a document that begins like HTML is HTML whatever its name.</param>
    public static string Strip(string text, string mediaType)
    {
        if (IsHtml(text, mediaType)) return VisibleText(text);
        return mediaType == "text/markdown" ? VisibleText(Markdown.ToHtml(text, Pipeline)) : text;
    }

    private static bool IsHtml(string text, string mediaType)
    {
        var start = text.AsSpan(0, Math.Min(text.Length, 1024)).TrimStart();
        return mediaType == "text/html" || start.StartsWith("<!doctype html", StringComparison.OrdinalIgnoreCase) || start.StartsWith("<html", StringComparison.OrdinalIgnoreCase);
    }

    private static string VisibleText(string html)
    {
        var document = new HtmlParser().ParseDocument(html);
        var text = new StringBuilder();
        var title = document.Title;
        if (!string.IsNullOrWhiteSpace(title)) text.Append(title.Trim()).Append("\n\n");
        if (document.Body is { } body) Append(body, text);
        return text.ToString().Trim();
    }

    // With a stack of its own: pages nest as deep as they like.
    private static void Append(INode root, StringBuilder text)
    {
        var open = new Stack<(INode Node, bool IsEnd)>();
        open.Push((root, false));
        var preformatted = 0;
        while (open.TryPop(out var next))
        {
            var name = next.Node.NodeName;
            if (next.Node is IText run)
            {
                AppendRun(text, run.Data, preformatted > 0);
                continue;
            }
            if (next.Node is not IElement || Invisible.Contains(name)) continue;
            var isBlock = Blocks.Contains(name);
            var isPreformatted = string.Equals(name, "pre", StringComparison.OrdinalIgnoreCase);
            if (isBlock) Break(text);
            if (next.IsEnd)
            {
                if (isPreformatted) preformatted--;
                continue;
            }
            if (string.Equals(name, "br", StringComparison.OrdinalIgnoreCase)) text.Append('\n');
            if (name is "TD" or "TH" && text.Length > 0 && text[^1] != '\n') text.Append('\t');
            if (isPreformatted) preformatted++;
            open.Push((next.Node, true));
            for (var child = next.Node.LastChild; child != null; child = child.PreviousSibling) open.Push((child, false));
        }
    }

    private static void Break(StringBuilder text)
    {
        if (text.Length > 0 && text[^1] == ' ') text.Length--;
        if (text.Length > 0 && text[^1] != '\n') text.Append('\n');
    }

    // Runs of white space are one space, as browsers show them; a no-break space stays.
    private static void AppendRun(StringBuilder text, string run, bool isPreformatted)
    {
        if (isPreformatted)
        {
            text.Append(run);
            return;
        }
        foreach (var unit in run)
        {
            if (unit is not (' ' or '\t' or '\n' or '\r' or '\f')) text.Append(unit);
            else if (text.Length > 0 && text[^1] is not (' ' or '\n' or '\t')) text.Append(' ');
        }
    }
}
