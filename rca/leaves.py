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

PRIOR = 20.0  # cases (events) of its neighbours' level that a leaf's own level is drawn towards
PRIOR_VARIANCE = 50.0  # the same for the variance of a value: long tails make a leaf's own a poor guide
SYMMETRIC = {"proportion": 1.0, "rate": 2 / 3, "mean": 1 / 3}
Array = np.ndarray


@dataclass(frozen=True)
class Side:
    """One window: cases of each leaf, its residual mean, the sampling variance of that (inf where the leaf is not
    seen)."""

    sign: int
    n: Array
    residual: Array
    noise: Array


@dataclass(frozen=True)
class Leaves:
    """The evidence of all leaves.

    sides  one per window (for totals one in all)
    size   cases, or the larger of the two totals
    level  what the leaf usually shows, both windows pooled
    spread variance of one case
    forms  that variance beyond sampling may take from leaf to leaf
    power  of a mean at which its noise is symmetric: 1 as it stands, 1/3 for skewed values as times are (Wilson &
           Hilferty 1931), 2/3 for counts (Anscombe 1953)
    """

    kind: str
    sides: tuple[Side, ...]
    size: Array
    level: Array
    spread: Array
    forms: tuple[Array, ...]
    power: float

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
    cases, pooled = n[0] + n[1], before + after
    overall = _ratio(pooled, cases)
    prior = PRIOR / max(overall, 1e-300) if kind == "rate" else PRIOR  # events of a rate, cases of the others
    factors = kind != "proportion" and overall > 0 and min(before.min(), after.min()) >= 0
    level = smooth(cases, pooled, cuboids.codes, prior, factors)
    if kind == "mean":
        variance = _variance(pairs, n, [before, after], level)
    else:
        shrunk = _shrunk(cases, pooled, prior)
        variance = shrunk if kind == "rate" else np.clip(shrunk * (1 - shrunk), 0.0099, 0.25)
    forms: tuple[Array, ...] = (variance, level**2 if factors else np.ones(len(level)))
    if kind == "proportion":
        forms = (variance, variance**2, np.ones(len(level)))  # beta-binomial, logistic-normal, in points
    sides = (_side(-1, n[0], before, level, variance), _side(1, n[1], after, level, variance))
    return Leaves(kind, sides, cases, level, variance, forms, SYMMETRIC[kind] if factors else 1.0)


def _side(sign: int, n: Array, total: Array, level: Array, variance: Array) -> Side:
    seen = n > 0
    count = np.where(seen, n, 1.0)
    residual, noise = np.where(seen, total / count - level, 0.0), np.where(seen, variance / count, np.inf)
    return Side(sign, n, residual, noise)


def smooth(n: Array, total: Array, codes: Sequence[Array], prior: float, factors: bool, rounds: int = 5) -> Array:
    """The level of each leaf: its own mean, drawn by `prior` cases towards a fit from its dimensions.

    The fit is a sum of the dimensions' effects, or (`factors`) their product; found by backfitting: the values of each
    dimension in turn take up what is left.
    """
    overall = _ratio(total, n)
    fit = np.full(len(n), overall)
    for _ in range(rounds):
        for code in codes:
            found, fitted, cases = (np.bincount(code, x) for x in (total, n * fit, n))
            if factors:
                fit *= ((found + prior * overall) / (fitted + prior * overall))[code]
            else:
                fit += ((found - fitted) / (cases + prior))[code]
    return (total + prior * fit) / (n + prior)


def _shrunk(n: Array, total: Array, prior: float) -> Array:
    """Each leaf's own mean drawn towards the overall mean: what its noise is reckoned from, so that a leaf of one or
    two cases is never taken for a certain one."""
    return (total + prior * _ratio(total, n)) / (n + prior)


def _variance(pairs: pd.DataFrame, n: Sequence[Array], totals: Sequence[Array], level: Array) -> Array:
    """Variance of a value inside each leaf, from the sums of squares of both windows: drawn towards that of all
    leaves, alike in units or in proportion to the level, whichever is likelier."""
    squares, freedom = np.zeros(len(pairs)), np.zeros(len(pairs))
    for window, n_w, t_w in zip(("before", "after"), n, totals, strict=True):
        spread = pairs[f"total_sq_{window}"].to_numpy(float) - t_w * t_w / np.maximum(n_w, 1)
        squares += np.maximum(spread, 0)
        freedom += np.maximum(n_w - 1, 0)
    shapes = [np.ones(len(level))] + ([level**2] if level.min() > 0 else [])
    fits = [shape * max(_ratio(squares / shape, freedom), 1e-300) for shape in shapes]
    likeliest = min(fits, key=lambda fit: (freedom * np.log(fit) + squares / fit).sum())
    return (squares + PRIOR_VARIANCE * likeliest) / (freedom + PRIOR_VARIANCE)


def _totals(before: Array, after: Array) -> Leaves:
    """x = (after - before) / max of both, in [-1, 1]; its noise is never longer-tailed than that of the totals."""
    size = np.maximum(np.abs(before), np.abs(after))
    seen = size > 0
    change = np.where(seen, (after - before) / np.where(seen, size, 1.0), 0.0)
    side = Side(1, seen.astype(float), change, np.where(seen, 1.0, np.inf))
    one = np.ones(len(before))
    return Leaves("total", (side,), size, one, one, (), power=1.0)


def symmetric(residual: Array, variance: Array, level: Array, power: float) -> Array:
    """A mean residual on the scale where its noise is symmetric, stretched to unit slope at the level (Box & Cox
    1964), less the bias that bending gives to a noisy mean."""
    safe = np.where(level > 0, level, 1.0)
    bent = safe / power * (np.maximum(1 + residual / safe, 0) ** power - 1)
    bent += (1 - power) / 2 * np.minimum(variance / safe, safe)
    return np.where(level > 0, bent, residual)


def _ratio(total: Array, n: Array) -> float:
    return float(total.sum() / max(n.sum(), 1e-300))
