#:project ../src/FeatureForge.Notebooks/FeatureForge.Notebooks.csproj
#:property PublishAot=false

// %%
using System;
using System.Linq;
using FeatureForge.Data;
using FeatureForge.Notebooks;

// %% program
using var page = ProgramPage.Begin("notebooks/pages/01-look-at-a-corpus.html");

// %% [markdown]
// # Look at a corpus
//
// What is in it, what was left out and why, and what its quality scores say. `FEATUREFORGE_STORE` names the store; `featureforge demo --no-serve` makes one.

// %%
var store = ExistingStore.Open();
var corpus = store.Corpora()[0];
$"{corpus.Name}, version {corpus.Version}: {string.Join(", ", corpus.Items.Select(count => $"{count.Value} {count.Key}"))}; {corpus.Quarantined} files in quarantine".Display();

// %% [markdown]
// The first items, as they are: pictures, players, texts.

// %%
(await store.LookAsync(corpus.Name, 24)).Display();

// %% [markdown]
// The same items as a data frame. Every quality score is a column; `Description` gives counts, means and extremes.

// %%
var items = await store.ItemsAsync(corpus.Name);
var frame = items.ToDataFrame();
frame.Description().Display();

// %% [markdown]
// The items with the highest value of the first score.

// %%
var score = frame.Columns.Select(column => column.Name).First(name => name.StartsWith("quality."));
var worst = frame.OrderByDescending(score)["item_id"].Cast<string>().Take(8).ToList();
score.Display();
(await store.LookAsync(corpus.Name, worst)).Display();
