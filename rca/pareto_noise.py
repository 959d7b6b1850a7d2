"""What noise alone would do to a Pareto: bands for an even split, each segment against all the others."""

import numpy as np
import pandas as pd
from scipy.stats import binom, hypergeom, t

DRAWS = 2000


def acceptance_bands(count: float, segments: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the ordered shares lie when `count` cases fall on `segments` alike: 2.5 and 97.5 % of each rank.

    Wilkinson, Revising the Pareto chart, The American Statistician 60 (2006) 332-334: a bar above its band is a
    problem that chance does not make. Simulated with a fixed seed; for weights, `count` is the effective number
    of cases (Kish).

    >>> low, high = acceptance_bands(300, 5)
    >>> high.round(2).tolist()
    [0.26, 0.23, 0.22, 0.2, 0.19]
    """
    whole = max(1, round(count))
    draws = np.random.default_rng(0).multinomial(whole, np.full(segments, 1 / segments), size=DRAWS) / whole
    low, high = np.quantile(-np.sort(-draws, axis=1), [0.025, 0.975], axis=0)
    return low, high


def against_rest(rows: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The value of all others beside each segment, and the p-value of no difference.

    rows: `n`, `total` and, for a mean, `total_sq` per segment. The tests:

    proportion  exact, hypergeometric given the margins (Fisher)
    rate        exact, binomial given the sum of events (Przyborowski & Wilenski 1940)
    mean        Welch's t-test
    Two-sided p-values are twice the smaller tail. A segment that is alone has no rest: value missing, p-value 1.

    >>> rows = pd.DataFrame({"n": [10, 14], "total": [1, 11]})
    >>> against_rest(rows, "proportion").round(6).values.tolist()
    [[0.785714, 0.002759], [0.1, 0.002759]]
    """
    n, total = rows["n"].to_numpy(float), rows["total"].to_numpy(float)
    rest_n, rest_total = n.sum() - n, total.sum() - total
    rest = np.divide(rest_total, rest_n, out=np.full(len(n), np.nan), where=rest_n > 0)
    if kind == "mean":
        p = _welch(n, total, rows["total_sq"].to_numpy(float))
    else:
        k, events, whole = np.rint(total), np.rint(total.sum()), np.rint(n.sum())
        tail = hypergeom(whole, events, np.rint(n)) if kind == "proportion" else binom(events, n / n.sum())
        p = np.minimum(1, 2 * np.minimum(tail.cdf(k), tail.sf(k - 1)))
    return pd.DataFrame({"rest": rest, "p_value": np.where(rest_n > 0, p, 1.0)}, index=rows.index)


def _welch(n: np.ndarray, total: np.ndarray, total_sq: np.ndarray) -> np.ndarray:
    """Each segment's mean against the mean of the others; 1 where a side has fewer than two cases or no spread."""
    sides = [(n, total, total_sq), (n.sum() - n, total.sum() - total, total_sq.sum() - total_sq)]
    with np.errstate(divide="ignore", invalid="ignore"):
        error = [np.maximum(q - s**2 / m, 0) / (m - 1) / m for m, s, q in sides]
        squared = error[0] + error[1]
        freedom = squared**2 / (error[0] ** 2 / (sides[0][0] - 1) + error[1] ** 2 / (sides[1][0] - 1))
        p = 2 * t.sf(np.abs(sides[0][1] / sides[0][0] - sides[1][1] / sides[1][0]) / np.sqrt(squared), freedom)
    return np.where(np.isfinite(p), p, 1.0)


def effective_count(rows: pd.DataFrame, kind: str) -> float:
    """How many equal cases would scatter as these do: the count itself, or for a sum of values (sum)^2 / sum of
    squares (Kish, Survey Sampling, 1965)."""
    if kind != "mean":
        return float(rows["count"].sum())
    squares = rows["total_sq"].sum()
    return float(rows["count"].sum() ** 2 / squares) if squares > 0 else 0.0
