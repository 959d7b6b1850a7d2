"""What noise alone would do to a Pareto: bands for an even split, a segment against the rest, two lists."""

from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binom, chi2_contingency, hypergeom, ttest_ind_from_stats

from rca.counted import counts
from rca.cube import Cube
from rca.effect import Z95

DRAWS = 2000


def acceptance_bands(count: float, segments: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the ordered shares lie when `count` cases fall on `segments` alike: 2.5 and 97.5 % of each rank.

    Wilkinson, Revising the Pareto chart, The American Statistician 60 (2006) 332-334: a bar above its band is a
    problem that chance does not make. Simulated with a fixed seed; `count` is the effective number of cases.

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
        p = _doubled(
            hypergeom(whole, events, np.rint(n)) if kind == "proportion" else binom(events, n / n.sum()), k
        )
    return pd.DataFrame({"rest": rest, "p_value": np.where(rest_n > 0, p, 1.0)}, index=rows.index)


def share_change(now: np.ndarray, then: np.ndarray) -> pd.DataFrame:
    """Each segment's share in two lists of effective counts: `change, conf_low, conf_high, p_value`.

    95 % interval of Agresti & Caffo (2000); p-value exact, given the margins.
    """
    k, m = np.rint(now), np.rint(then)
    p1, p0 = (k + 1) / (k.sum() + 2), (m + 1) / (m.sum() + 2)
    error = Z95 * np.sqrt(p1 * (1 - p1) / (k.sum() + 2) + p0 * (1 - p0) / (m.sum() + 2))
    change = now / now.sum() - then / then.sum()
    p = _doubled(hypergeom(k.sum() + m.sum(), k + m, k.sum()), k)
    return pd.DataFrame({"change": change, "conf_low": p1 - p0 - error, "conf_high": p1 - p0 + error, "p_value": p})


def overtaken(now: np.ndarray, then: np.ndarray) -> np.ndarray:
    """p-values, a row per winner and a column per loser: were they the other way round before?

    Both must hold: the winner larger now, the loser larger then, each by the exact sign test of two counts. The
    larger p-value counts (intersection-union test, Berger 1982), corrected for all pairs (Holm).

    >>> overtaken(np.array([30, 10]), np.array([10, 30])).round(3).tolist()
    [[1.0, 0.002], [1.0, 1.0]]
    """
    k, m = np.rint(now), np.rint(then)
    larger_now = binom.sf(k[:, None] - 1, k[:, None] + k, 0.5)
    larger_then = binom.sf(m - 1, m[:, None] + m, 0.5)
    p = np.maximum(larger_now, larger_then)
    pairs = ~np.eye(len(k), dtype=bool)
    adjusted = np.ones_like(p)
    adjusted[pairs] = holm(p[pairs])
    return adjusted


def holm(p: np.ndarray) -> np.ndarray:
    """Holm's adjusted p-values (1979). Statsmodels' own collects garbage at each call: slow.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted


def scatter(cube: Cube) -> tuple[float, float]:
    """How many equal cases would scatter as the counts of a one-dimensional cube do, and their dispersion.

    A sum of values counts as (sum)^2 / (sum of squares) cases (Kish, Survey Sampling, 1965).
    """
    count = counts(cube.frame, cube.metric).set_axis(pd.MultiIndex.from_frame(cube.frame[["period", *cube.by]]))
    total = count.sum()
    if not total:
        return 0.0, 1.0
    cases = total**2 / cube.frame["total_sq"].sum() if cube.metric.kind == "mean" else total
    return float(cases), dispersion(count.unstack(fill_value=0).to_numpy() * (cases / total))


def dispersion(grid: np.ndarray) -> float:
    """How much more shares scatter from period to period than chance would: Pearson's chi-squared / df, at least 1.

    grid: counts, periods by segments. One bug makes forty contacts at once, and bursts reorder a list by themselves
    (McCullagh & Nelder, Generalized Linear Models, 1989, 4.5).

    >>> dispersion(np.array([[50, 50], [50, 50]])), dispersion(np.array([[90, 10], [10, 90]]))
    (1.0, 128.0)
    """
    held = grid[grid.sum(axis=1) > 0][:, grid.sum(axis=0) > 0]
    found = chi2_contingency(held, correction=False)
    return max(1.0, float(found.statistic / found.dof)) if found.dof else 1.0


def _doubled(tail: Any, k: np.ndarray) -> np.ndarray:
    return np.minimum(1, 2 * np.minimum(tail.cdf(k), tail.sf(k - 1)))


def _welch(n: np.ndarray, total: np.ndarray, total_sq: np.ndarray) -> np.ndarray:
    """Each segment's mean against the mean of the others; 1 where a side has fewer than two cases or no spread."""
    sides = [(n, total, total_sq), (n.sum() - n, total.sum() - total, total_sq.sum() - total_sq)]
    with np.errstate(divide="ignore", invalid="ignore"):
        described = [(s / m, np.sqrt(np.maximum(q - s**2 / m, 0) / (m - 1)), m) for m, s, q in sides]
        p = ttest_ind_from_stats(*described[0], *described[1], equal_var=False).pvalue
    return np.where(np.isfinite(p), p, 1.0)
