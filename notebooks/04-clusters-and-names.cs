#:project ../src/FeatureForge.Notebooks/FeatureForge.Notebooks.csproj
#:property PublishAot=false

// %%
using System;
using System.Linq;
using FeatureForge.Data;
using FeatureForge.Notebooks;

// %% program
using var page = ProgramPage.Begin("notebooks/pages/04-clusters-and-names.html");

// %% [markdown]
// # Clusters and their names
//
// The tree, from all items down to the smallest clusters, each with the items that show best what it is.

// %%
var store = ExistingStore.Open();
var name = store.Clusterings()[0].Name;
var tree = await store.TreeAsync(name);
tree.Display();

// %% [markdown]
// The same tree as a data frame, the largest clusters first.

// %%
var clusters = tree.ToDataFrame().OrderByDescending("size");
clusters.Head((int)Math.Min(10, clusters.Rows.Count)).Display();

// %% [markdown]
// The map: neighbours on it are neighbours in the vectors, as far as a plane allows.

// %%
var map = await store.MapAsync(name);
map.Display();

// %%
map.ToDataFrame().GroupBy("cluster").Count("item_id").Display();
