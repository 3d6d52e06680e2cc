#:project ../src/FeatureForge.Notebooks/FeatureForge.Notebooks.csproj
#:property PublishAot=false

// %%
using System;
using System.Linq;
using FeatureForge.Data;
using FeatureForge.Notebooks;

// %% program
using var page = ProgramPage.Begin("notebooks/pages/02-train-and-read-the-curves.html");

// %% [markdown]
// # Train, and read the curves
//
// Training is a run of a server (`featureforge serve`); `FEATUREFORGE_SERVER` names it. Without one, the curves of an encoder that is there are shown.

// %%
var store = ExistingStore.Open();
var encoder = store.Encoders()[0].Name;
if (Environment.GetEnvironmentVariable("FEATUREFORGE_SERVER") is { Length: > 0 } url)
{
    using var server = new JobServer(url);
    var asked = await server.StartAsync(RunKind.Train, new { Corpus = store.Encoders()[0].Corpus, Encoder = "from-a-notebook", Steps = 20 });
    // One card, brought up to date until the run has ended.
    var ended = await server.FollowAsync(asked.RunId);
    if (ended.State == RunState.Succeeded) encoder = "from-a-notebook";
}

// %% [markdown]
// The loss should fall and then bend. `retrieval` (does one view of an item find the other?) and `rankme_ratio` (how many dimensions are in use) stand beside
// the same numbers for `raw`, where nothing is learned: an encoder that does not beat `raw` has learned nothing that matters.

// %%
var curves = await store.CurvesAsync(encoder);
curves.Only("loss", "retrieval", "rankme_ratio").Display();

// %%
store.Encoder(encoder).Probes.OrderBy(probe => probe.Key).Select(probe => new { Measure = probe.Key, probe.Value }).ToList().DisplayTable();

// %% [markdown]
// The newest runs of the store.

// %%
store.Runs(10).Display();
