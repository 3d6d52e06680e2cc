// One encoder: curves of its training, its levels, its label-free quality beside that of raw features, its identity.
using System.Text.Json;
using FeatureForge.Data;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;

namespace FeatureForge.Server.Pages.Encoders;

public sealed class EncoderModel(Store store) : PageModel
{
    public EncoderManifest Encoder { get; private set; } = null!;
    public IReadOnlyList<ProbeFamily> ProbeFamilies { get; private set; } = [];
    public IReadOnlyList<string> ProbeLevels { get; private set; } = [];
    /// <summary>Measure, then level, to value.</summary>
    public IReadOnlyDictionary<string, Dictionary<string, double>> ProbeTable { get; private set; } = new Dictionary<string, Dictionary<string, double>>();
    public IReadOnlyList<string> Sets { get; private set; } = [];
    public string Architecture => JsonSerializer.Serialize(Encoder.Architecture, SpecJson.Readable);
    public string Training => JsonSerializer.Serialize(Encoder.Training, SpecJson.Readable);

    /// <summary>Curves that belong on one chart.</summary>
    public sealed record ProbeFamily(string Title, string Meaning, IReadOnlyList<string> Names);

    public IActionResult OnGet(string name)
    {
        if (store.FindEncoder(name) is not { } encoder) return NotFound();
        Encoder = encoder;
        Sets = [.. store.Sets().Where(set => set.EncoderId == encoder.EncoderId).Select(set => set.Name)];
        ProbeTable = encoder.Probes.GroupBy(probe => Family(probe.Key)).OrderBy(family => family.Key, StringComparer.Ordinal)
            .ToDictionary(family => family.Key, family => family.ToDictionary(probe => LevelOf(probe.Key), probe => probe.Value));
        ProbeLevels = [.. ProbeTable.Values.SelectMany(levels => levels.Keys).Distinct().OrderBy(level => Level.All.Contains(level) ? Level.All.ToList().IndexOf(level) : 99)];
        ProbeFamilies = [.. ProbeTable.Keys.Select(family => new ProbeFamily(Title(family), Meaning(family), [.. encoder.Probes.Keys.Where(probe => Family(probe) == family)]))];
        return Page();
    }

    private static string Family(string probe) => probe.Split('.', 2)[0];

    private static string LevelOf(string probe) => probe.Contains('.') ? probe.Split('.', 2)[1] : "value";

    private static string Title(string family) => family switch
    {
        "rankme_ratio" => "RankMe / D",
        "retrieval" => "View retrieval",
        "neighbours" or "neighbour_consistency" => "Neighbour consistency",
        _ => char.ToUpperInvariant(family[0]) + family[1..].Replace('_', ' '),
    };

    private static string Meaning(string family) => family switch
    {
        "rankme_ratio" => "Share of the dimensions in use; near 0 means collapse",
        "retrieval" => "How often a view finds its partner first",
        _ => "",
    };
}
