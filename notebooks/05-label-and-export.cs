#:project ../src/FeatureForge.Notebooks/FeatureForge.Notebooks.csproj
#:property PublishAot=false

// %%
using System;
using System.Linq;
using FeatureForge.Data;
using FeatureForge.Notebooks;
using Microsoft.Data.Analysis;

// %% program
using var page = ProgramPage.Begin("notebooks/pages/05-label-and-export.html");

// %% [markdown]
// # Label, and take the labels elsewhere
//
// A label set is a log that is only ever added to. Here every leaf of the tree is labelled with its own name; a person would look first and type.

// %%
var store = ExistingStore.Open();
var tree = await store.TreeAsync(store.Clusterings()[0].Name);
var log = LabelLog.Of(store, "from-a-notebook");
var batch = LabelLog.NewId();
await log.AppendAsync([.. tree.Leaves.Select(leaf => new LabelRow
{
    LabelId = LabelLog.NewId(),
    Batch = batch,
    Target = LabelTarget.Cluster,
    TargetId = leaf.ClusterId,
    Clustering = tree.Clustering.Name,
    Name = leaf.Name,
    Source = LabelSource.Person,
    Author = Environment.UserName,
    At = TimeProvider.System.GetUtcNow(),
})], default);

// %%
var labels = await store.LabelsAsync("from-a-notebook");
labels.Select(label => new { label.Name, label.TargetId, label.Author }).DisplayTable();

// %% [markdown]
// On from cluster to item: every vector of a labelled leaf, as a CSV file. `featureforge label propagate` does it with confidence, and `featureforge label export`
// writes CSV, JSON lines, Parquet, Label Studio and COCO.

// %%
var nameOf = labels.ToDictionary(label => label.TargetId, label => label.Name);
var places = (await store.MapAsync(tree.Clustering.Name)).Places.Where(place => place.ClusterId is not null && nameOf.ContainsKey(place.ClusterId)).ToList();
var table = new DataFrame(
    new StringDataFrameColumn("item_id", places.Select(place => place.ItemId)),
    new StringDataFrameColumn("label", places.Select(place => nameOf[place.ClusterId!])));
var path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"labels-{batch}.csv");
DataFrame.SaveCsv(table, path);
$"{table.Rows.Count} labelled items in {path}".Display();

// %% [markdown]
// Whatever one act did can be taken back.

// %%
var undone = await log.UndoBatchAsync(batch, Environment.UserName, TimeProvider.System.GetUtcNow(), default);
$"{undone.Count} labels taken back, {(await store.LabelsAsync("from-a-notebook")).Count(label => label.Batch == batch)} of them left".Display();
