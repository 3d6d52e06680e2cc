#:project ../src/FeatureForge.Notebooks/FeatureForge.Notebooks.csproj
#:property PublishAot=false

// %%
using System;
using System.Linq;
using FeatureForge.Data;
using FeatureForge.Notebooks;

// %% program
using var page = ProgramPage.Begin("notebooks/pages/03-levels-and-grains.html");

// %% [markdown]
// # Levels and grains
//
// A level says how deep in the encoder a vector was read, a grain how much of an item it covers. What does each level take for similar?

// %%
var store = ExistingStore.Open();
var set = store.Sets()[0];
set.Tables.Select(table => new { table.Level, table.Grain, table.Dimension, table.Rows }).ToList().DisplayTable();

// %% [markdown]
// The nearest neighbours of one item, level by level: `raw` and `low` see texture and tone, `mid` parts, `high` what kind of thing it is.

// %%
foreach (var level in set.Tables.Where(table => table.Grain == Grain.Item).Select(table => table.Level))
{
    var vectors = store.Vectors(set.Name, level);
    level.Display();
    (await store.LookAsync(set.Corpus, [vectors.ItemIds[0], .. vectors.Nearest(0, 7).Select(row => vectors.ItemIds[row])])).Display();
}

// %% [markdown]
// How much do two levels agree? The share of the ten nearest neighbours that both have, over the first hundred items.

// %%
var levels = set.Tables.Where(table => table.Grain == Grain.Item).Select(table => store.Vectors(set.Name, table.Level, take: 1000)).ToList();
var neighbours = levels.Select(vectors => Enumerable.Range(0, Math.Min(100, vectors.ItemIds.Count)).Select(row => vectors.Nearest(row, 10)).ToList()).ToList();
Enumerable.Range(0, levels.Count).SelectMany(a => Enumerable.Range(a + 1, levels.Count - a - 1).Select(b => new
{
    A = levels[a].Header.Level,
    B = levels[b].Header.Level,
    Agreement = neighbours[a].Zip(neighbours[b], (x, y) => x.Intersect(y).Count() / 10.0).Average(),
})).ToList().DisplayTable();

// %% [markdown]
// Finer grains have several vectors an item, each with the span that it covers.

// %%
if (set.Tables.FirstOrDefault(table => table.Grain != Grain.Item) is { } finer)
    store.Vectors(set.Name, finer.Level, finer.Grain, take: 20).Display();
