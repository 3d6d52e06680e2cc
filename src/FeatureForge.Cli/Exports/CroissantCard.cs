// Croissant 1.0 metadata (mlcommons.org/croissant/1.0) of an exported corpus: its files with their hashes, and one record set with its fields.
using System.Text.Json;
using System.Text.Json.Nodes;
using FeatureForge.Data;

namespace FeatureForge.Cli;

internal static class CroissantCard
{
    private static readonly (string Key, string Value)[] _terms =
    [
        ("@language", "en"), ("@vocab", "https://schema.org/"), ("citeAs", "cr:citeAs"), ("column", "cr:column"), ("conformsTo", "dct:conformsTo"), ("cr", "http://mlcommons.org/croissant/"),
        ("dct", "http://purl.org/dc/terms/"), ("extract", "cr:extract"), ("field", "cr:field"), ("fileObject", "cr:fileObject"), ("fileSet", "cr:fileSet"), ("format", "cr:format"), ("includes", "cr:includes"),
        ("isLiveDataset", "cr:isLiveDataset"), ("jsonPath", "cr:jsonPath"), ("key", "cr:key"), ("md5", "cr:md5"), ("parentField", "cr:parentField"), ("path", "cr:path"), ("recordSet", "cr:recordSet"),
        ("references", "cr:references"), ("regex", "cr:regex"), ("repeated", "cr:repeated"), ("replace", "cr:replace"), ("sc", "https://schema.org/"), ("separator", "cr:separator"), ("source", "cr:source"),
        ("subField", "cr:subField"), ("transform", "cr:transform"),
    ];

    internal static string Write(CorpusManifest corpus, Modality modality, bool withLabels, IReadOnlyList<PartFile> files)
    {
        var context = new JsonObject(_terms.Select(term => KeyValuePair.Create(term.Key, (JsonNode?)term.Value)))
        {
            ["data"] = new JsonObject { ["@id"] = "cr:data", ["@type"] = "@json" },
            ["dataType"] = new JsonObject { ["@id"] = "cr:dataType", ["@type"] = "@vocab" },
            ["examples"] = new JsonObject { ["@id"] = "cr:examples", ["@type"] = "@json" },
        };
        JsonNode FileObject(PartFile file) => new JsonObject
        {
            ["@type"] = "cr:FileObject",
            ["@id"] = file.Path,
            ["name"] = file.Path,
            ["contentUrl"] = file.Path,
            ["contentSize"] = $"{file.Bytes} B",
            ["encodingFormat"] = "application/vnd.apache.parquet",
            ["sha256"] = file.Sha256,
        };
        JsonNode Field(string name, string type) => new JsonObject
        {
            ["@type"] = "cr:Field",
            ["@id"] = $"items/{name}",
            ["name"] = name,
            ["dataType"] = type,
            ["source"] = new JsonObject { ["fileSet"] = new JsonObject { ["@id"] = "parquet-files" }, ["extract"] = new JsonObject { ["column"] = name } },
        };
        var fields = new List<JsonNode> { Field(modality.ToString().ToLowerInvariant(), modality switch { Modality.Image => "sc:ImageObject", Modality.Audio => "sc:AudioObject", _ => "sc:Text" }), Field("item_id", "sc:Text"), Field("path", "sc:Text") };
        if (withLabels) fields.Add(Field("label", "sc:Text"));
        return new JsonObject
        {
            ["@context"] = context,
            ["@type"] = "sc:Dataset",
            ["conformsTo"] = "http://mlcommons.org/croissant/1.0",
            ["name"] = corpus.Name,
            ["description"] = $"Version {corpus.Version} of the FeatureForge corpus {corpus.Name}: {files.Sum(file => file.Rows)} items.",
            ["version"] = $"{corpus.Version}.0.0",
            ["datePublished"] = corpus.UpdatedAt.UtcDateTime.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture),
            ["distribution"] = new JsonArray(
            [
                .. files.Select(FileObject),
                new JsonObject { ["@type"] = "cr:FileSet", ["@id"] = "parquet-files", ["name"] = "parquet-files", ["encodingFormat"] = "application/vnd.apache.parquet", ["includes"] = "data/*.parquet" },
            ]),
            ["recordSet"] = new JsonArray(new JsonObject { ["@type"] = "cr:RecordSet", ["@id"] = "items", ["name"] = "items", ["key"] = new JsonObject { ["@id"] = "items/item_id" }, ["field"] = new JsonArray([.. fields]) }),
        }.ToJsonString(SpecJson.Readable);
    }
}
