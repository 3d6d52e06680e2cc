"""k-means of Debian 12's scikit-learn 1.2 and faiss 1.7 on raw float32 rows, one JSON line per run.
    apt-get install python3-sklearn python3-faiss libopenblas0-pthread
    kmeans_peers.py FILE.f32 ROWS DIMENSION K THREADS RUN[,RUN...]   RUN: faiss20, faiss100, sklearn, sklearn-random
Inertia is computed again in float64 from labels and centroids."""
import json, os, resource, sys, time
path, rows, dimension, k, threads, runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]), sys.argv[6].split(",")
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = str(threads)
import numpy as np

X = np.fromfile(path, np.float32).reshape(rows, dimension)


def inertia(centroids, labels):
    total = 0.0
    for first in range(0, rows, 16384):
        some = slice(first, first + 16384)
        total += float(((X[some].astype(np.float64) - centroids[labels[some]]) ** 2).sum())
    return total


def with_faiss(iterations, seed):
    import faiss
    faiss.omp_set_num_threads(threads)
    found = faiss.Kmeans(dimension, k, niter=iterations, seed=seed + 1, max_points_per_centroid=10_000_000, min_points_per_centroid=1)
    found.train(X)
    _, labels = found.index.search(X, 1)
    return found.centroids, labels[:, 0], iterations


def with_sklearn(init, seed):
    from sklearn.cluster import KMeans
    found = KMeans(k, init=init, n_init=1, random_state=seed).fit(X)
    return found.cluster_centers_, found.labels_, found.n_iter_


RUNS = {
    "faiss20": lambda seed: with_faiss(20, seed),
    "faiss100": lambda seed: with_faiss(100, seed),
    "sklearn": lambda seed: with_sklearn("k-means++", seed),
    "sklearn-random": lambda seed: with_sklearn("random", seed),
}
for run in runs:
    name, _, seed = run.partition(":")
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    centroids, labels, iterations = RUNS[name](int(seed or 0))
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps(dict(run=run, seconds=round(seconds, 3), cpu_seconds=round(cpu, 3), iterations=int(iterations),
                          inertia=inertia(np.asarray(centroids, np.float64), np.asarray(labels)))), flush=True)
