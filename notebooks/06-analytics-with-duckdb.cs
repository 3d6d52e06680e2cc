#:project ../src/FeatureForge.Notebooks/FeatureForge.Notebooks.csproj
#:property PublishAot=false
#:package DuckDB.NET.Data.Full

// %%
using System;
using System.Collections.Generic;
using System.Linq;
using DuckDB.NET.Data;
using FeatureForge.Data;
using FeatureForge.Notebooks;

// %% program
using var page = ProgramPage.Begin("notebooks/pages/06-analytics-with-duckdb.html");

// %% [markdown]
// # Analytics with DuckDB
//
// Every table of a store is plain Parquet. SQL reads it where it lies.

// %%
var store = ExistingStore.Open();
var (clustering, set) = (store.Clusterings()[0], store.Sets()[0]);
var connection = new DuckDBConnection("Data Source=:memory:");
connection.Open();
List<Dictionary<string, object?>> Sql(string query)
{
    using var command = connection.CreateCommand();
    command.CommandText = query;
    using var reader = command.ExecuteReader();
    var rows = new List<Dictionary<string, object?>>();
    while (reader.Read()) rows.Add(Enumerable.Range(0, reader.FieldCount).ToDictionary(reader.GetName, column => reader.IsDBNull(column) ? null : reader.GetValue(column)));
    return rows;
}

// %%
Sql($"create view items as select * from '{store.CorpusFolder(set.Corpus)}/items/*.parquet'");
Sql($"create view clusters as select * from '{store.ClusteringFolder(clustering.Name)}/clusters/*.parquet'");
Sql($"create view memberships as select * from '{store.ClusteringFolder(clustering.Name)}/memberships/*.parquet'");
Sql($"create view vectors as select * from read_parquet('{store.SetFolder(set.Name)}/data/*/*/*.parquet', hive_partitioning = true)");
Sql("select modality, count(*) as items, sum(byte_size) as bytes, sum(duration_ms) / 1000.0 as seconds from items group by modality").DisplayTable();

// %% [markdown]
// Scores are a map column: the mean of each.

// %%
Sql("select score.key as score, round(avg(score.value), 4) as mean, max(score.value) as worst from (select unnest(map_entries(quality)) as score from items) group by all order by 1").DisplayTable();

// %% [markdown]
// The largest leaves, with the item that is surest of its place.

// %%
Sql("""
    select clusters.name, clusters.size, arg_max(items.path, memberships.strength) as surest, round(max(memberships.strength), 3) as strength
    from memberships join clusters using (cluster_id) join items using (item_id) group by all order by clusters.size desc limit 10
    """).DisplayTable();

// %% [markdown]
// Level and grain are columns, and the vectors can be computed with: the pair of items that is nearest at level `high`.

// %%
var dimension = set.Tables.First(table => table.Level == "high" && table.Grain == Grain.Item).Dimension;
Sql($"""
    with v as (select item_id, vector::float[{dimension}] as v from vectors where level = 'high' and grain = 'item' order by item_id limit 300)
    select a.item_id as a, b.item_id as b, array_cosine_similarity(a.v, b.v) as similarity from v a join v b on a.item_id < b.item_id order by similarity desc limit 5
    """).DisplayTable();
