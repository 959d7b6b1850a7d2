"""What each leaf (combination of all dimensions) says about a change, and how noisy that is.

A leaf has one *side* per window: a residual (its mean less the leaf's usual level) and the variance of its mean.
A segment's effect is the difference of its two precision-weighted residual means, so a leaf seen in one window only
still tells something, and a shift of mix between leaves of different level does not look like a change.
Totals against an expectation have one side: the relative change.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rca.cuboids import Cuboids

PRIOR = 10.0  # cases' worth of its neighbours' level that a leaf's own level is drawn towards
Array = np.ndarray


@dataclass(frozen=True)
class Side:
    """One window: residual mean of each leaf, its sampling variance (inf where the leaf is not seen), and the
    variance that one unit of over-dispersion adds."""

    sign: int
    residual: Array
    noise: Array
    extra: Array


@dataclass(frozen=True)
class Leaves:
    """The evidence of all leaves: the sides, and (for totals) the size that decides how noisy a leaf is."""

    kind: str
    sides: tuple[Side, ...]
    size: Array

    @property
    def seen(self) -> Array:
        """Leaves that carry evidence in at least one window."""
        return np.any([np.isfinite(s.noise) for s in self.sides], axis=0)


def evidence(kind: str, pairs: pd.DataFrame, cuboids: Cuboids) -> Leaves:
    """Leaves of a metric kind from the columns n, total, total_sq with `_before` and `_after`."""
    before, after = (pairs[f"total_{w}"].to_numpy(float) for w in ("before", "after"))
    if kind == "total":
        return _totals(before, after)
    n = [pairs[f"n_{w}"].to_numpy(float) for w in ("before", "after")]
    pooled, cases = before + after, n[0] + n[1]
    level = smooth(cases, pooled, cuboids)
    if kind == "mean":
        variance = _variance(pairs, n, [before, after])
    else:
        shrunk = _shrunk(cases, pooled)
        variance = shrunk if kind == "rate" else np.clip(shrunk * (1 - shrunk), 0.0099, 0.25)
    sides = (_side(-1, n[0], before, level, variance), _side(1, n[1], after, level, variance))
    return Leaves(kind, sides, cases)


def _side(sign: int, n: Array, total: Array, level: Array, variance: Array) -> Side:
    seen = n > 0
    count = np.where(seen, n, 1.0)
    return Side(
        sign, np.where(seen, total / count - level, 0.0), np.where(seen, variance / count, np.inf), variance
    )


def smooth(n: Array, total: Array, cuboids: Cuboids, rounds: int = 5) -> Array:
    """The level of each leaf: its own mean, drawn by PRIOR cases towards a sum of the dimensions' effects.

    The fit is found by backfitting (each dimension's values in turn take up their mean residual).
    """
    overall = _ratio(total, n)
    fit = np.full(len(n), overall)
    for _ in range(rounds):
        for codes, values in zip(cuboids.codes, cuboids.values, strict=True):
            residual = np.bincount(codes, total - n * fit, len(values))
            fit += (residual / (np.bincount(codes, n, len(values)) + PRIOR))[codes]
    return (total + PRIOR * fit) / (n + PRIOR)


def _shrunk(n: Array, total: Array) -> Array:
    """Each leaf's own mean drawn by PRIOR cases towards the overall mean: what its noise is reckoned from, so that
    a leaf of one or two cases is never taken for a certain one."""
    return (total + PRIOR * _ratio(total, n)) / (n + PRIOR)


def _variance(pairs: pd.DataFrame, n: Sequence[Array], totals: Sequence[Array]) -> Array:
    """Variance of a value inside each leaf, from the sums of squares of both windows."""
    squares, freedom = np.zeros(len(pairs)), np.zeros(len(pairs))
    for window, n_w, t_w in zip(("before", "after"), n, totals, strict=True):
        spread = pairs[f"total_sq_{window}"].to_numpy(float) - t_w * t_w / np.maximum(n_w, 1)
        squares += np.maximum(spread, 0)
        freedom += np.maximum(n_w - 1, 0)
    return _shrunk(freedom, squares)


def _totals(before: Array, after: Array) -> Leaves:
    """x = (after - before) / max of both, in [-1, 1]; its noise is never longer-tailed than that of the totals."""
    size = np.maximum(np.abs(before), np.abs(after))
    seen = size > 0
    change = np.where(seen, (after - before) / np.where(seen, size, 1.0), 0.0)
    side = Side(1, change, np.where(seen, 1.0, np.inf), np.ones(len(before)))
    return Leaves("total", (side,), size)


def binned_noise(x: Array, size: Array, use: Array) -> tuple[Array, float]:
    """Robust variance (MAD) in up to 12 bins of size, a smaller leaf never less noisy than a larger one; and the
    skewness of the background: |mean - median| of the leaves within 3 sd of the median."""
    variance, idx = np.full(len(x), np.inf), np.flatnonzero(use)
    order = idx[np.argsort(-size[idx], kind="stable")]
    floor = max(0.25 * mad(x[idx]), 1e-3)
    for part in np.array_split(order, max(1, min(12, len(idx) // 400))):
        floor = max(floor, mad(x[part]))
        variance[part] = floor**2
    off = x[idx] - np.median(x[idx])
    near = off * off < 9 * variance[idx]
    return variance, abs(float(off[near].mean()))


def mad(x: Array) -> float:
    """Standard deviation from the median absolute deviation."""
    return 1.4826 * float(np.median(np.abs(x - np.median(x)))) if len(x) else 0.0


def weighted_median(x: Array, weight: Array) -> float:
    """The value below and above which half of the weight lies."""
    order = np.argsort(x, kind="stable")
    cumulated = np.cumsum(weight[order])
    return float(x[order][np.searchsorted(cumulated, 0.5 * cumulated[-1])])


def _ratio(total: Array, n: Array) -> float:
    return float(total.sum() / max(n.sum(), 1e-300))
