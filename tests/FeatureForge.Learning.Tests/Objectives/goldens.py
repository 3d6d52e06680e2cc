#!/usr/bin/env python3
"""Writes goldens.json: every objective on small fixed tensors, in double precision, from the papers' formulas.

Run beside the tests: python3 goldens.py > goldens.json   (needs numpy alone). It shares nothing with the program but the
formula of the tensors below, which Waves.cs repeats.
"""
import json
from math import exp, log, pi, sqrt
from statistics import NormalDist

import numpy as np


def wave(phase, *shape):
    """Values that look drawn but are a formula: the n-th is sin(1.7 n + 0.01 n^2 + phase) * (1 + n mod 3 / 4)."""
    n = np.arange(int(np.prod(shape)), dtype=np.float64)
    return (np.sin(1.7 * n + 0.01 * n * n + phase) * (1 + (n % 3) / 4)).reshape(shape)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def pairs(globals_, views):
    return [(a, b) for a in range(globals_) for b in range(a + 1, views)]


def prediction(z, globals_):
    return np.mean((z - z[:globals_].mean(0)) ** 2)


def epps_pulley(x):
    t = np.linspace(0, 3, 17)
    normal = np.exp(-t * t / 2)
    difference = np.abs(np.exp(1j * np.outer(t, x)).mean(1) - normal) ** 2
    return 2 * np.trapz(difference * normal, t)


def sigreg(z, globals_, a, lam, n):
    statistic = np.mean([epps_pulley(view @ line) for view in z for line in a])
    return (1 - lam) * prediction(z, globals_) + lam * n * statistic


def visreg(z, a, scale, shape, centre):
    terms = []
    for view in z:
        mu, sigma = view.mean(0), view.std(0, ddof=1)
        standard = (view - mu) / sigma
        quantiles = np.array([NormalDist().inv_cdf((i + 1) / (len(view) + 1)) for i in range(len(view))])
        wasserstein = np.mean([np.mean((np.sort(standard @ line) - quantiles) ** 2) for line in a])
        terms.append(scale * np.mean((1 - sigma) ** 2) + shape * wasserstein + centre * np.mean(mu**2))
    return np.mean(terms)


def off_diagonal(matrix):
    return np.sum(matrix**2) - np.sum(np.diag(matrix) ** 2)


def vicreg(z, globals_):
    invariance = np.mean([np.mean((z[a] - z[b]) ** 2) for a, b in pairs(globals_, len(z))])
    variance = np.mean([np.mean(np.maximum(0, 1 - np.sqrt(view.var(0, ddof=1) + 1e-4))) for view in z])
    covariance = np.mean([off_diagonal(np.cov(view.T)) / view.shape[1] for view in z])
    return 25 * invariance + 25 * variance + covariance


def barlow(x, y, lam):
    c = np.corrcoef(x.T, y.T)[: x.shape[1], x.shape[1]:]
    return np.sum((1 - np.diag(c)) ** 2) + lam * off_diagonal(c)


def crossed(student, teacher):
    return np.mean([np.mean(np.sum(student[v] * teacher[g], -1)) for v in range(len(student)) for g in range(len(teacher)) if v != g])


def sinkhorn(scores, sharpness, iterations):
    q = np.exp(scores / sharpness)
    for _ in range(iterations):
        q = q / q.sum(0, keepdims=True) / q.shape[1]
        q = q / q.sum(1, keepdims=True) / q.shape[0]
    return q * q.shape[0]


def log_softmax(x):
    return x - np.log(np.sum(np.exp(x), -1, keepdims=True))


def swav(scores, globals_):
    codes = np.stack([sinkhorn(scores[g], 0.05, 3) for g in range(globals_)])
    return -crossed(log_softmax(scores / 0.1), codes)


def rate(z, squared):
    n, p = z.shape
    return 0.5 * np.linalg.slogdet(np.eye(p) + p / (n * squared) * z.T @ z)[1]


def total_coding_rate(z, lam, squared):
    z = unit(z)
    return -np.mean([rate(view, squared) for view in z]) / z.shape[2] - lam * np.mean(np.sum(z * unit(z.mean(0)), -1))


def simdino(student, teacher, e):
    s, t = unit(student), unit(teacher)
    distance = np.mean([np.mean(np.sum((s[v] - t[g]) ** 2, -1)) / 2 for v in range(len(s)) for g in range(len(t)) if v != g])
    n, p = s.shape[1:]
    gamma = e * sqrt(n / (p * min(p, n)))
    return distance - gamma * np.mean([rate(s[g], e * e) for g in range(len(t))])


def masked_autoencoder(predicted, patches, hidden):
    standard = (patches - patches.mean(-1, keepdims=True)) / np.sqrt(patches.var(-1, keepdims=True) + 1e-6)
    return np.mean(((predicted - standard) ** 2).mean(-1)[hidden])


def latent_target(layers):
    return np.mean([(x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5) for x in layers], 0)


def nt_xent(x, y, temperature):
    z = unit(np.concatenate([x, y]))
    s = z @ z.T / temperature
    n = len(z)
    return np.mean([log(sum(exp(s[i, k]) for k in range(n) if k != i)) - s[i, (i + n // 2) % n] for i in range(n)])


views, target, lines = wave(0.3, 3, 6, 4), wave(2.0, 2, 6, 4), unit(wave(5.0, 7, 4))
cells, patches = wave(1.0, 2, 5, 3), wave(4.0, 2, 5, 3)
hidden = (np.arange(10).reshape(2, 5) % 3) == 0
scores = wave(3.0, 4, 6)

print(json.dumps({
    "nt-xent": nt_xent(views[0], views[1], 0.2),
    "sigreg": sigreg(views, 2, lines, 0.05, 256),
    "visreg": 0.7 * prediction(views, 2) + 0.3 * visreg(views, lines, 1, 2, 3),
    "vicreg": vicreg(views, 2),
    "barlow-twins": barlow(views[0], views[1], 5e-3),
    "byol": 2 - 2 * crossed(unit(views), unit(target)),
    "swav": swav(views / 2, 2),
    "simdino": simdino(views, target, 0.05),
    "total-coding-rate": total_coding_rate(views, 0.2, 0.2),
    "masked-autoencoder": masked_autoencoder(cells, patches, hidden),
    "masked-latent": float(np.mean(((cells - latent_target([wave(0.5, 2, 5, 3), patches])) ** 2).mean(-1)[hidden])),
    "masked-tokens": float(-np.mean([log_softmax(scores)[row, token] for row, token in [(0, 2), (1, 5), (3, 0)]])),
}, indent=2))
