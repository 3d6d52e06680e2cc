// Encoders side by side: what they were trained on and how, what that cost, and their label-free quality by level.
using FeatureForge.Data;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace FeatureForge.Server.Pages.Encoders;

public sealed class CompareModel(Store store, RunLedger ledger) : PageModel
{
    /// <summary>Curves that eyes tell apart.</summary>
    public const int Most = 5;

    // What says most first.
    private static readonly string[] _curves = ["loss", "retrieval.high", "neighbours.high", "rankme_ratio.high"];

    /// <summary>The encoder whose page this was reached from, first.</summary>
    public IReadOnlyList<EncoderManifest> Encoders { get; private set; } = [];
    /// <summary>Encoders of the same modality that could be added.</summary>
    public IReadOnlyList<string> Others { get; private set; } = [];
    /// <summary>Rows of the table of facts.</summary>
    public IReadOnlyList<(string Title, IReadOnlyList<string> Values)> Facts { get; private set; } = [];
    /// <summary>Measure and level, and a value for every encoder that has one.</summary>
    public IReadOnlyList<(string Measure, string Level, IReadOnlyList<double?> Values)> Probes { get; private set; } = [];
    public IReadOnlyList<string> Curves { get; private set; } = [];

    /// <summary>The API's address of a curve of all of them.</summary>
    public string SourceOf(string curve) => $"/api/v1/encoders/{Encoders[0].Name}/compare?metric={curve}{string.Concat(Encoders.Skip(1).Select(encoder => $"&with={encoder.Name}"))}";

    public IActionResult OnGet(string name, string[] with)
    {
        if (store.FindEncoder(name) is not { } first) return NotFound();
        var names = with.Distinct().Where(other => other != name).ToList();
        if (names.Any(other => Names.Problem("encoder", other) is not null || store.FindEncoder(other) is null)) return NotFound();
        Encoders = [first, .. names.Take(Most - 1).Select(store.Encoder)];
        Others = [.. store.Encoders().Where(other => other.Modality == first.Modality && Encoders.All(one => one.Name != other.Name)).Select(other => other.Name)];
        var probed = Encoders.SelectMany(encoder => encoder.Probes.Keys).ToHashSet();
        Curves = [.. _curves.Where(curve => curve == "loss" || probed.Contains(curve))];
        Facts =
        [
            Fact("Recipe", encoder => encoder.Recipe),
            Fact("Corpus", encoder => encoder.Corpus.Length == 0 ? "elsewhere" : $"{encoder.Corpus}, version {encoder.CorpusVersion}"),
            Fact("Steps", encoder => Display.Count(encoder.Steps)),
            Fact("Parameters", encoder => Display.Count(encoder.Parameters)),
            Fact("Values at high", encoder => encoder.Levels.FirstOrDefault(level => level.Name == Level.High) is { } high ? Display.Count(high.Dimension) : "–"),
            Fact("Recommended level", encoder => encoder.RecommendedLevel ?? "–"),
            Fact("Trained on", encoder => encoder.Device),
            Fact("Time", encoder => encoder.Seconds is { } seconds ? Display.Duration(seconds) : "–"),
            Fact("Cost", encoder => ledger.Find(encoder.RunId)?.Usage is { } usage ? Display.Money(usage.Cost, usage.Currency) : "–"),
            Fact("Made", encoder => Display.Time(encoder.CreatedAt)),
        ];
        Probes = [.. probed.Select(probe => (Key: probe, Parts: probe.Split('.', 2))).OrderBy(probe => probe.Parts[0], StringComparer.Ordinal).ThenBy(probe => Level.All.ToList().IndexOf(probe.Parts[^1]))
            .Select(probe => (probe.Parts[0].Replace('_', ' '), probe.Parts.Length > 1 ? probe.Parts[1] : "", (IReadOnlyList<double?>)[.. Encoders.Select(encoder => encoder.Probes.TryGetValue(probe.Key, out var value) ? value : (double?)null)]))];
        return Page();
    }

    private (string, IReadOnlyList<string>) Fact(string title, Func<EncoderManifest, string> value) => (title, [.. Encoders.Select(value)]);
}
