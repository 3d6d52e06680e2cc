"""Makes hdbscan.txt: labels of HDBSCAN* by an independent implementation, from scipy's single linkage and the definitions of Campello,
Moulavi, Sander (2013).   apt-get install python3-scipy;   python3 hdbscan_goldens.py > hdbscan.txt
Points come from splitmix64 by additions, multiplications and square roots only, so that HdbscanTests.cs rebuilds the same float32 values.
One line per run: set, min_cluster_size, min_samples (the point itself not counted), selection, weight of the spanning tree, labels (one
character each: '.' is noise, then 0-9, a-z, A-Z by first appearance)."""
import sys
import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist, squareform

sys.setrecursionlimit(100_000)
GOLDEN, N = 0x9E3779B97F4A7C15, 2000
MASK = (1 << 64) - 1
LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def unit(seed, index):
    z = (seed * GOLDEN + (index + 1) * GOLDEN) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return (((z ^ (z >> 31)) >> 11) + 0.5) / (1 << 53)


def bell(seed, index):
    """About normal: twelve uniform numbers minus six."""
    total = 0.0
    for i in range(12):
        total += unit(seed, index * 12 + i)
    return total - 6


def blobs(dimension, centres, spread, noise):
    """Gaussians of rising width around random centres, and a share of uniform noise."""
    points = np.empty((N, dimension), np.float32)
    for i in range(N):
        c = int(unit(2, i) * centres)
        for d in range(dimension):
            if unit(4, i) < noise:
                points[i, d] = np.float32(unit(5, i * dimension + d) * 20 - 10)
            else:
                points[i, d] = np.float32((unit(1, c * dimension + d) * 20 - 10) + bell(3, i * dimension + d) * spread * (1 + c * 0.25))
    return points


def arcs():
    """Two parabolas that reach into each other."""
    points = np.empty((N, 2), np.float32)
    for i in range(N):
        x, side = unit(6, i) * 2 - 1, i % 2
        points[i, 0] = np.float32(x + side + bell(7, 2 * i) * 0.05)
        points[i, 1] = np.float32((x * x if side == 0 else 0.6 - x * x) + bell(7, 2 * i + 1) * 0.05)
    return points


def single_linkage(points, min_samples):
    distances = squareform(pdist(points.astype(np.float64)))
    core = np.sort(distances, axis=1)[:, min_samples]
    reach = np.maximum(distances, np.maximum(core[:, None], core[None, :]))
    np.fill_diagonal(reach, 0)
    return linkage(squareform(reach, checks=False), "single")


class Tree:
    def __init__(self, links, min_cluster_size):
        self.links, self.least, self.clusters = links, min_cluster_size, []

    def members(self, node):
        found, open_nodes = [], [node]
        while open_nodes:
            node = open_nodes.pop()
            if node < N:
                found.append(node)
            else:
                open_nodes += [int(self.links[node - N, 0]), int(self.links[node - N, 1])]
        return found

    def size(self, node):
        return 1 if node < N else int(self.links[node - N, 3])

    def grow(self, node, birth):
        """One cluster from its birth until it truly splits; returns its number."""
        number = len(self.clusters)
        mass, children, everyone = 0.0, [], self.members(node)
        self.clusters.append(None)
        while True:
            left, right, height = int(self.links[node - N, 0]), int(self.links[node - N, 1]), self.links[node - N, 2]
            density = 1 / height
            big = [child for child in (left, right) if self.size(child) >= self.least]
            mass += sum(self.size(child) for child in (left, right) if child not in big) * (density - birth)
            if len(big) == 2:
                mass += (self.size(left) + self.size(right)) * (density - birth)
                children = [self.grow(child, density) for child in big]
                break
            if not big:
                break
            node = big[0]
        self.clusters[number] = (mass, children, everyone)
        return number

    def excess_of_mass(self, number):
        mass, children, _ = self.clusters[number]
        if not children:
            return mass, [number]
        below = [self.excess_of_mass(child) for child in children]
        total = sum(value for value, _ in below)
        return (total, [c for _, chosen in below for c in chosen]) if total > mass or number == 0 else (mass, [number])

    def leaves(self):
        return [number for number, (_, children, _) in enumerate(self.clusters) if not children and number > 0]


def labels(points, min_cluster_size, min_samples, selection):
    links = single_linkage(points, min_samples)
    tree = Tree(links, min_cluster_size)
    tree.grow(2 * N - 2, 0.0)
    chosen = tree.leaves() if selection == "leaf" else [c for c in tree.excess_of_mass(0)[1] if c > 0]
    found = [-1] * N
    for cluster in chosen:
        for point in tree.clusters[cluster][2]:
            found[point] = cluster
    names, text = {}, ""
    for label in found:
        text += "." if label < 0 else LETTERS[names.setdefault(label, len(names))]
    return links[:, 2].sum(), text


SETS = {"blobs2": blobs(2, 12, 0.3, 0.1), "blobs16": blobs(16, 20, 0.5, 0.05), "arcs": arcs()}
for name, points in SETS.items():
    for min_cluster_size, min_samples in ((5, 5), (15, 5), (25, 10), (30, 1)):
        for selection in ("eom", "leaf"):
            try:
                weight, text = labels(points, min_cluster_size, min_samples, selection)
            except IndexError:
                continue  # more clusters than letters
            print(name, min_cluster_size, min_samples, selection, repr(float(weight)), text)
