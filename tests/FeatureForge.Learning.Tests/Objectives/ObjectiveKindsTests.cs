// The closed list of objectives in recipes: every problem at once and by name, every kind documented.
using System.Text.Json;
using System.Text.Json.Nodes;
using FeatureForge.Data;
using FeatureForge.TestKit;

namespace FeatureForge.Learning.Tests;

public sealed class ObjectiveKindsTests : IDisposable
{
    private readonly TemporaryStore _store = new();

    public void Dispose() => _store.Dispose();

    private Recipe Read(string objectives, Modality modality = Modality.Image)
    {
        var recipe = JsonSerializer.SerializeToNode(Recipe.DefaultFor(modality), SpecJson.Readable)!.AsObject();
        recipe["objectives"] = JsonNode.Parse(objectives);
        var path = Path.Combine(_store.Beside("recipes"), "mine.json");
        File.WriteAllText(path, recipe.ToJsonString());
        return Recipe.Read(path);
    }

    private IReadOnlyList<string> Problems(string objectives, Modality modality = Modality.Image) =>
        Assert.Throws<BadRequestException>(() => Read(objectives, modality)).Problems.Select(problem => problem[(problem.IndexOf(".json: ", StringComparison.Ordinal) + 7)..]).ToList();

    private static string ReadMe() => File.ReadAllText(Path.Combine(Repository.Root, "src/FeatureForge.Learning/Objectives/README.md"));

    [Fact]
    public void Every_kind_can_stand_in_a_recipe_with_its_defaults()
    {
        var list = string.Join(", ", ObjectiveKinds.All.Keys.Select(kind => $$"""{ "kind": "{{kind}}" }"""));

        var recipe = Read($"[{list}]", Modality.Text);

        Assert.Equal(ObjectiveKinds.All.Keys, recipe.Objectives.Select(ObjectiveKinds.Of));
        Assert.All(recipe.Objectives, spec => Assert.StartsWith(ObjectiveKinds.Of(spec), spec.Describe()));
    }

    [Fact]
    public void A_recipe_is_the_same_after_writing_and_reading_and_kind_may_stand_last()
    {
        var recipe = Read("""[{ "lambda": 0.4, "weight": 2, "projector": { "width": 32 }, "kind": "visreg" }]""");

        var spec = Assert.IsType<VisRegSpec>(Assert.Single(recipe.Objectives));
        Assert.Equal((0.4, 2, 32), (spec.Lambda, spec.Weight, spec.Projector.Width));
        Assert.Equal(spec, JsonSerializer.Deserialize<Recipe>(JsonSerializer.Serialize(recipe, SpecJson.Line), SpecJson.Strict)!.Objectives[0]);
    }

    [Fact]
    public void An_unknown_kind_gives_one_sentence_that_lists_the_kinds()
    {
        var problem = Assert.Single(Problems("""[{ "kind": "simclr", "temperature": 1 }]"""));

        Assert.Equal($"Objective 1 has the unknown kind 'simclr'; expected one of {string.Join(", ", ObjectiveKinds.All.Keys)}.", problem);
        Assert.Contains("nt-xent", problem);
    }

    [Fact]
    public void A_missing_kind_and_an_empty_list_give_one_sentence_that_lists_the_kinds()
    {
        Assert.StartsWith("Objective 1 has no kind; expected one of nt-xent, ", Assert.Single(Problems("""[{ "temperature": 1 }]""")));
        Assert.StartsWith("objectives is empty; expected at least one of nt-xent, ", Assert.Single(Problems("[]")));
        Assert.StartsWith("objectives is not a list; expected at least one of nt-xent, ", Assert.Single(Problems("3")));
    }

    [Fact]
    public void Unknown_settings_give_one_sentence_each_that_lists_the_settings()
    {
        var problems = Problems("""[{ "kind": "nt-xent", "temprature": 1, "projector": { "depth": 2 } }, { "kind": "byol", "slices": 3 }]""");

        Assert.Equal(
        [
            "Objective 1 (nt-xent) has no setting 'temprature'; expected temperature, projector, weight.",
            "Objective 1 (nt-xent) has no setting 'projector.depth'; expected projector.hidden, projector.hidden_layers, projector.width.",
            "Objective 2 (byol) has no setting 'slices'; expected projector, predictor_hidden, weight.",
        ], problems);
    }

    [Fact]
    public void All_problems_of_all_objectives_are_listed_at_once_by_name()
    {
        var problems = Problems("""[{ "kind": "sigreg", "lambda": 1, "slices": 0 }, { "kind": "masked-latent", "share": 2, "weight": -1 }, { "kind": "masked-tokens" }]""");

        Assert.Equal(
        [
            "Objective 1 (sigreg): lambda is 1; expected more than 0 and less than 1.",
            "Objective 1 (sigreg): slices is 0; expected at least 1.",
            "Objective 2 (masked-latent): weight is -1; expected more than 0.",
            "Objective 2 (masked-latent): share is 2; expected more than 0 and less than 1.",
            "Objective 3 (masked-tokens) guesses words; the recipe is for image.",
        ], problems);
    }

    public static TheoryData<string> Kinds => [.. ObjectiveKinds.All.Keys];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_number_of_every_kind_is_checked(string kind)
    {
        var spec = (ObjectiveSpec)Activator.CreateInstance(ObjectiveKinds.All[kind])!;
        Assert.Empty(spec.Problems());

        foreach (var property in spec.GetType().GetProperties().Where(property => property.PropertyType == typeof(int) || property.PropertyType == typeof(double)))
        {
            var wrong = spec with { };
            property.SetValue(wrong, property.PropertyType == typeof(int) ? (object)-1 : double.NaN);
            Assert.Contains(wrong.Problems(), problem => problem.Contains(JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name), StringComparison.Ordinal));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_kind_has_a_row_in_the_read_me_with_its_settings_and_defaults(string kind)
    {
        var row = Assert.Single(ReadMe().Split('\n'), line => line.StartsWith($"| `{kind}` |", StringComparison.Ordinal));

        Assert.Contains("arXiv ", row);
        var settings = JsonSerializer.SerializeToElement(Activator.CreateInstance(ObjectiveKinds.All[kind]), ObjectiveKinds.All[kind], SpecJson.Line);
        foreach (var setting in settings.EnumerateObject().Where(setting => setting.Value.ValueKind == JsonValueKind.Number && setting.Name != "weight"))
            Assert.Contains($"`{setting.Name}` ({setting.Value})", row);
        if (settings.TryGetProperty("projector", out var projector) && projector.GetProperty("width").GetInt32() != 64)
            Assert.Contains($"`projector.width` ({projector.GetProperty("width")})", row);
    }

    [Fact]
    public void Every_row_of_the_read_me_is_a_kind() =>
        Assert.Equal(ObjectiveKinds.All.Keys, ReadMe().Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split('`')[1]));
}
