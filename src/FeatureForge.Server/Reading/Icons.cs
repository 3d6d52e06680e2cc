// The icons of the dashboard: 20 x 20 line drawings, inline, in the colour of the text around them.
using Microsoft.AspNetCore.Html;

namespace FeatureForge.Server;

/// <summary>Inline SVG icons; decorative, so hidden from screen readers.</summary>
public static class Icons
{
    public static IHtmlContent Overview { get; } = Draw("<path d='M3 10.5 10 4l7 6.5M5 9v7h10V9'/>");
    public static IHtmlContent Corpora { get; } = Draw("<rect x='3' y='4' width='14' height='4' rx='1'/><rect x='3' y='10' width='14' height='6' rx='1'/><path d='M8 13h4'/>");
    public static IHtmlContent Encoders { get; } = Draw("<path d='M3 5v10M3 10h3M6 5l5 2.5v5L6 15zM11 10h3'/><circle cx='15.5' cy='10' r='1.5'/>");
    public static IHtmlContent Sets { get; } = Draw("<rect x='3' y='3' width='14' height='14' rx='2'/><path d='M3 8h14M3 12.5h14M8 3v14M12.5 3v14'/>");
    public static IHtmlContent Clusterings { get; } = Draw("<circle cx='6' cy='6' r='2.2'/><circle cx='14' cy='5' r='1.6'/><circle cx='13' cy='13.5' r='3'/><circle cx='5' cy='14.5' r='1.4'/>");
    public static IHtmlContent Labels { get; } = Draw("<path d='M3.5 4.5h6l7 7-5.5 5.5-7.5-7.5z'/><circle cx='7' cy='8' r='1.1'/>");
    public static IHtmlContent Search { get; } = Draw("<circle cx='8.5' cy='8.5' r='5'/><path d='m12.3 12.3 4.2 4.2'/>");
    public static IHtmlContent Runs { get; } = Draw("<circle cx='10' cy='10' r='7'/><path d='M8.5 7.2v5.6L13 10z'/>");
    public static IHtmlContent Schedules { get; } = Draw("<rect x='3' y='4.5' width='14' height='12' rx='2'/><path d='M3 8.5h14M7 3v3M13 3v3M10 11v2.2l1.6 1'/>");
    public static IHtmlContent Hangfire { get; } = Draw("<path d='M10 3c.5 3-3.5 4.5-3.5 8.5a3.5 3.5 0 0 0 7 0c0-1.6-.8-2.6-1.5-3.4-.2 1-.7 1.6-1.3 1.9C11 8 11 5 10 3z'/>");
    public static IHtmlContent Settings { get; } = Draw("<path d='M3 6h6M13 6h4M3 14h3M10 14h7'/><circle cx='11' cy='6' r='2'/><circle cx='8' cy='14' r='2'/>");
    public static IHtmlContent Theme { get; } = Draw("<circle cx='10' cy='10' r='6.5'/><path d='M10 3.5a6.5 6.5 0 0 1 0 13z' fill='currentColor'/>");
    public static IHtmlContent Menu { get; } = Draw("<path d='M3 5.5h14M3 10h14M3 14.5h14'/>");
    public static IHtmlContent Play { get; } = Draw("<path d='M6.5 4.5v11l9-5.5z' fill='currentColor'/>");
    public static IHtmlContent Copy { get; } = Draw("<rect x='7' y='7' width='9' height='9' rx='1.5'/><path d='M13 7V5.5A1.5 1.5 0 0 0 11.5 4h-6A1.5 1.5 0 0 0 4 5.5v6A1.5 1.5 0 0 0 5.5 13H7'/>");
    public static IHtmlContent Map { get; } = Draw("<path d='M3 5.5 8 3.5l4 2 5-2v11l-5 2-4-2-5 2zM8 3.5v11M12 5.5v11'/>");
    public static IHtmlContent Warning { get; } = Draw("<path d='M10 3.5 17.5 16.5h-15zM10 8.5v3.5M10 14.2v.1'/>");
    public static IHtmlContent Audio { get; } = Draw("<path d='M3 8.5v3M6 6v8M9 4v12M12 7v6M15 5.5v9M17.5 9v2'/>");
    public static IHtmlContent Image { get; } = Draw("<rect x='3' y='4' width='14' height='12' rx='2'/><circle cx='7.3' cy='8' r='1.3'/><path d='m4 15 4-4 2.5 2.5L13.5 10l3.3 4'/>");
    public static IHtmlContent Text { get; } = Draw("<path d='M4 5h12M4 8.5h12M4 12h12M4 15.5h7'/>");

    /// <summary>The icon of a modality.</summary>
    public static IHtmlContent Of(Data.Modality modality) => modality switch
    {
        Data.Modality.Audio => Audio,
        Data.Modality.Image => Image,
        _ => Text,
    };

    private static HtmlString Draw(string shapes) => new(
        $"<svg class='icon' viewBox='0 0 20 20' width='20' height='20' fill='none' stroke='currentColor' stroke-width='1.5' stroke-linecap='round' stroke-linejoin='round' aria-hidden='true'>{shapes}</svg>");
}
