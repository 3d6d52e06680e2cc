// Short documents from a small grammar: five topics with words of their own, the same sentence shapes for all.
using System.Text.Json;
using FeatureForge.Data;

namespace FeatureForge.Ingest;

/// <summary>Made text: a JSONL table with id and text.</summary>
public static class GrammarSentences
{
    private sealed record Topic(string Name, string[] Agents, string[] Actions, string[] Things, string[] Places, string[] Qualities);

    private static readonly Topic[] Topics =
    [
        new("cooking", ["the chef", "my grandmother", "a young baker", "the cook", "our neighbour"], ["kneads", "roasts", "seasons", "stirs", "slices", "simmers"],
            ["the dough", "a pot of soup", "fresh basil", "two onions", "the sauce", "warm bread", "a lemon"], ["in the kitchen", "over a low flame", "on a wooden board", "in the oven"], ["crisp", "tender", "salty", "golden", "sweet"]),
        new("weather", ["a cold front", "the storm", "the morning fog", "an eastern wind", "the rain"], ["crosses", "covers", "cools", "reaches", "drenches", "leaves"],
            ["the valley", "the coast", "the northern hills", "the islands", "the plain", "the lowlands"], ["before dawn", "until the weekend", "over the sea", "towards evening"], ["cloudy", "humid", "mild", "gusty", "frosty"]),
        new("football", ["the striker", "the visiting team", "a young defender", "the goalkeeper", "the coach"], ["passes", "saves", "misses", "scores", "loses", "defends"],
            ["the ball", "a penalty", "the second goal", "a corner", "the opening match", "the final"], ["in the last minute", "at the stadium", "before the break", "in extra time"], ["fast", "tired", "brilliant", "unlucky", "offside"]),
        new("astronomy", ["the telescope", "a distant star", "the probe", "an astronomer", "the comet"], ["orbits", "observes", "passes", "measures", "circles", "reveals"],
            ["a young galaxy", "the outer planets", "two moons", "the spectrum", "a ring of dust", "the nebula"], ["beyond Saturn", "in the southern sky", "from the observatory", "at great distance"], ["faint", "massive", "luminous", "ancient", "reddish"]),
        new("finance", ["the central bank", "an investor", "the fund", "a small company", "the broker"], ["raises", "sells", "borrows", "audits", "trades", "insures"],
            ["interest rates", "ten thousand shares", "the bonds", "its debt", "the quarterly profit", "a mortgage"], ["on the stock market", "before the annual report", "at a lower price", "in the third quarter"], ["profitable", "risky", "overvalued", "solvent", "liquid"]),
    ];

    private static readonly string[] Links = ["Later", "As usual", "Even so", "By then", "To everyone's surprise", "Meanwhile"];

    /// <summary>Writes <paramref name="count"/> documents and their labels below the folder.</summary>
    public static SampleCorpus Write(string folder, int count, int seed)
    {
        Directory.CreateDirectory(folder);
        var documents = Enumerable.Range(0, count).Select(i => (Id: $"s{i:D5}", Topic: Topics[i % Topics.Length], Random: SampleCorpus.RandomOf(seed, i))).ToList();
        var source = Path.Combine(folder, "sentences.jsonl");
        File.WriteAllLines(source, documents.Select(document => JsonSerializer.Serialize(new { id = document.Id, text = Document(document.Topic, document.Random) }, SpecJson.Line)));
        var labels = SampleCorpus.WriteLabels(Path.Combine(folder, "sentences-labels.csv"), documents.Select(document => ($"sentences.jsonl#{document.Id}", document.Topic.Name)));
        return new(Modality.Text, source, labels);
    }

    private static string Document(Topic topic, Random random) => string.Join(' ', Enumerable.Range(0, random.Next(3, 7)).Select(_ => Sentence(topic, random)));

    private static string Sentence(Topic topic, Random random)
    {
        var (agent, action, thing, place, quality) = (Any(topic.Agents), Any(topic.Actions), Any(topic.Things), Any(topic.Places), Any(topic.Qualities));
        var sentence = random.Next(5) switch
        {
            0 => $"{agent} {action} {thing} {place}.",
            1 => $"{Any(Links)} {agent} {action} {thing}, and it is {quality}.",
            2 => $"When {agent} {action} {thing}, everything seems {quality}.",
            3 => $"{place}, {agent} {action} {thing}.",
            _ => $"It was {quality}: {agent} {action} {thing} again.",
        };
        return char.ToUpperInvariant(sentence[0]) + sentence[1..];

        string Any(string[] words) => words[random.Next(words.Length)];
    }
}
