// How numbers, sizes and times read on pages.
using System.Globalization;
using FeatureForge.Data;

namespace FeatureForge.Server;

/// <summary>Numbers, sizes and times as people read them.</summary>
public static class Display
{
    /// <summary>1,234,567</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>"1 item", "2,000 items".</summary>
    public static string Count(long value, string singular, string? plural = null) => $"{Count(value)} {(value == 1 ? singular : plural ?? singular + "s")}";

    /// <summary>1.4 GB, decimal units.</summary>
    public static string Bytes(long bytes)
    {
        string[] units = ["B", "kB", "MB", "GB", "TB", "PB"];
        var (value, unit) = ((double)bytes, 0);
        while (value >= 1000 && unit < units.Length - 1) (value, unit) = (value / 1000, unit + 1);
        return unit == 0 ? $"{bytes} B" : string.Create(CultureInfo.InvariantCulture, $"{value:0.#} {units[unit]}");
    }

    /// <summary>45 s, 3 min 20 s, 2 h 5 min, 3 d 4 h.</summary>
    public static string Duration(double seconds) => seconds switch
    {
        < 1 => "< 1 s",
        < 60 => $"{(int)seconds} s",
        < 3600 => $"{(int)seconds / 60} min {(int)seconds % 60} s",
        < 86400 => $"{(int)seconds / 3600} h {(int)seconds % 3600 / 60} min",
        _ => $"{(int)(seconds / 86400)} d {(int)(seconds % 86400) / 3600} h",
    };

    /// <summary>0.482: three significant digits, without exponent where it can be avoided.</summary>
    public static string Number(double value) => Math.Abs(value) switch
    {
        >= 100_000 or (> 0 and < 0.0001) => value.ToString("0.##e0", CultureInfo.InvariantCulture),
        >= 100 => value.ToString("N0", CultureInfo.InvariantCulture),
        >= 1 => value.ToString("0.##", CultureInfo.InvariantCulture),
        _ => value.ToString("0.####", CultureInfo.InvariantCulture),
    };

    /// <summary>1.25 EUR, 0.0075 EUR; what is less than that in words.</summary>
    public static string Money(double amount, string currency) =>
        amount is > 0 and < 0.0001 ? $"under 0.0001 {currency}" : $"{Number(Math.Abs(amount) >= 1 ? Math.Round(amount, 2) : amount)} {currency}";

    /// <summary>A condition that fits items of a kind, as an example where conditions are typed in.</summary>
    public static string ConditionExample(Modality modality) => modality switch
    {
        Modality.Audio => "duration_ms < 1000 and path like '%door%'",
        Modality.Text => "characters > 100 and path like '%news%'",
        _ => "width > 100 and path like '%cat%'",
    };

    /// <summary>12 kWh, 3.4 Wh.</summary>
    public static string Energy(double kilowattHours) => kilowattHours >= 1 ? $"{Number(kilowattHours)} kWh" : $"{Number(kilowattHours * 1000)} Wh";

    /// <summary>As a number field of a form takes it.</summary>
    public static string Exact(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>2026-11-22 20:25 UTC</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC";

    /// <summary>For the datetime attribute; a script turns it into the reader's own time.</summary>
    public static string Machine(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    /// <summary>1:05 for 65,000 ms.</summary>
    public static string Clock(int milliseconds) => milliseconds < 10_000
        ? string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000.0:0.0} s")
        : $"{milliseconds / 60000}:{milliseconds / 1000 % 60:00}";

    /// <summary>The page of a selection's items.</summary>
    public static string SelectionAddress(string corpus, string selection) => WhereAddress(corpus, $"selection = '{selection}'");

    /// <summary>The page of a corpus's items for which a condition holds.</summary>
    public static string WhereAddress(string corpus, string where) => $"/corpora/{corpus}?where={Uri.EscapeDataString(where)}";

    /// <summary>What follows the last separator of an item's path: "b.png" of "a/b.png", "7" of "table.csv#7".</summary>
    public static string FileName(string path) => path[(path.LastIndexOfAny(['/', '!', '#']) + 1)..] is { Length: > 0 } name ? name : path;

    /// <summary>The text's beginning, cut at a word where possible.</summary>
    public static string Snippet(string? text, int length)
    {
        if (text == null || text.Length <= length) return text ?? "";
        var cut = text.LastIndexOf(' ', length);
        if (cut < length / 2) cut = char.IsHighSurrogate(text[length - 1]) ? length - 1 : length;
        return text[..cut] + "…";
    }
}
