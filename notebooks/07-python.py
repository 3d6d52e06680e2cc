# %% [markdown]
# # The same store from Python
#
# pandas and scikit-learn over the tables of a store. With pyarrow (or fastparquet) pandas reads the Parquet files themselves; without, as with Debian 12's
# packages, `featureforge export table` writes the same rows as JSON lines. `FEATUREFORGE` may name the program.

# %%
import glob
import json
import os
import shlex
import subprocess
import tempfile

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score

store = os.environ.get("FEATUREFORGE_STORE", "featureforge-store")


def table(name):
    """A table as a data frame: corpora/NAME/items, embeddings/SET/level=high/grain=item, clusterings/NAME/clusters ..."""
    folder = name.replace("/level=", "/data/level=")
    try:
        return pd.concat([pd.read_parquet(part) for part in sorted(glob.glob(f"{store}/{folder}/part-*.parquet"))], ignore_index=True)
    except ImportError:
        with tempfile.TemporaryDirectory() as scratch:
            path = os.path.join(scratch, "rows.jsonl")
            program = shlex.split(os.environ.get("FEATUREFORGE", "featureforge"))
            subprocess.run([*program, "--store", store, "export", "table", name, "--to", path], check=True, stdout=subprocess.DEVNULL)
            return pd.read_json(path, lines=True, dtype=False, convert_dates=False)


def first(kind):
    """The first thing of a kind that the store holds."""
    return sorted(os.listdir(os.path.join(store, kind)))[0]


# %% [markdown]
# Items, with their quality scores as columns.

# %%
with open(f"{store}/embeddings/{first('embeddings')}/set.json") as file:
    embedding_set = json.load(file)
items = table(f"corpora/{embedding_set['corpus']}/items")
quality = pd.DataFrame([dict(scores) for scores in items["quality"]]).add_prefix("quality.")
print(len(items), "items,", items["byte_size"].sum(), "bytes")
quality.describe().round(3)

# %% [markdown]
# Vectors as one matrix, one row an item.

# %%
rows = table(f"embeddings/{embedding_set['name']}/level=high/grain=item")
vectors = np.stack(rows["vector"].to_numpy()).astype(np.float32)
print("vectors", vectors.shape, "finite" if np.isfinite(vectors).all() else "not finite")

# %% [markdown]
# k-means of scikit-learn beside the product's own clusters: how well separated are both, by the same measure?

# %%
members = rows[["item_id"]].merge(table(f"clusterings/{first('clusterings')}/memberships"), on="item_id")
own = members["cluster_id"].fillna("noise").to_numpy()
unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
theirs = KMeans(n_clusters=max(2, len(set(own))), n_init=3, random_state=0).fit_predict(unit)
print(f"silhouette: clusters {silhouette_score(unit, own):.3f}, k-means {silhouette_score(unit, theirs):.3f}")

# %% [markdown]
# The plane that holds most of the variance, and how much that is.

# %%
plane = PCA(n_components=2, random_state=0).fit(unit)
print("explained", plane.explained_variance_ratio_.round(3).tolist())
pd.DataFrame(plane.transform(unit), columns=["x", "y"]).assign(cluster=own).groupby("cluster").mean().round(2)
