"""The change of a rate or mean between two windows, with its sampling variance, from counts alone."""

from typing import Any

import numpy as np
import pandas as pd

Z95 = 1.959963984540054  # half a 95 % interval, in standard errors
Array = np.ndarray


def change(pair: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Effect and variance for each row of `Cube.pair`: columns `rate_before, rate_after, effect, variance`.

    Rows that lack cases in one window have a missing effect.

    >>> pair = pd.DataFrame({"n_before": [100], "total_before": [80], "n_after": [100], "total_after": [60]})
    >>> change(pair, "proportion").round(4).iloc[0].tolist()
    [0.8, 0.6, -0.2, 0.004]
    """
    sides = []
    for side in ("before", "after"):
        n, total = (pair[f"{name}_{side}"].to_numpy(float) for name in ("n", "total"))
        squares = pair[f"total_sq_{side}"].to_numpy(float) if kind == "mean" else total
        sides.append(rate(np.where(n > 0, n, np.nan), total, squares, kind))
    (r1, v1), (r2, v2) = sides
    return pd.DataFrame(
        {"rate_before": r1, "rate_after": r2, "effect": r2 - r1, "variance": v1 + v2}, index=pair.index
    )


def rate(n: Array, total: Array, total_sq: Array, kind: str) -> tuple[Array, Array]:
    """Rate or mean of the cases of a window, and its sampling variance.

    proportion  of Agresti & Caffo (2000), one success and one failure added
    rate        events by exposure, Poisson: (k + 1)/n^2, one event added so that none is never certain
    mean        s^2/n from the sum of squares, n - 1 degrees of freedom; unknown for a single case

    >>> [x.round(4).tolist() for x in rate(np.array([98.0]), np.array([49.0]), np.array([49.0]), "proportion")]
    [[0.5], [0.0025]]
    """
    if kind == "proportion":
        p = (total + 1) / (n + 2)
        variance = p * (1 - p) / (n + 2)
    elif kind == "rate":
        variance = (total + 1) / n**2
    else:
        variance = np.maximum(total_sq - total**2 / n, 0) / np.where(n > 1, n - 1, np.nan) / n
    return total / n, variance


def exact_p(kind: str, n: list[float], hits: list[float]) -> float:
    """Two-sided p-value of a change of counts, by doubling the smaller tail: Fisher's test of two proportions, the
    binomial one of two rates. `n`, `hits`: before and after.

    The lady who tasted tea (Fisher 1935) names 3 of 4 right, and 1 of the other 4:
    >>> round(exact_p("proportion", [4, 4], [1, 3]), 4)
    0.4857
    """
    from scipy.stats import binom, hypergeom

    seen = round(hits[1])
    if kind == "proportion":
        given = hypergeom(round(sum(n)), round(sum(hits)), round(n[1]))
    else:
        given = binom(round(sum(hits)), n[1] / sum(n))
    return min(1.0, 2 * float(min(given.cdf(seen), given.sf(seen - 1))))


def one_case(rows: pd.DataFrame, kind: str) -> float:
    """Variance of one case (rate: of one unit of exposure) inside the periods of `Cube.series()`, never 0.

    >>> round(one_case(pd.DataFrame({"n": [50, 50], "total": [40, 40]}), "proportion"), 2)
    0.16
    """
    n, total = rows["n"], rows["total"]
    if kind == "mean":
        within = rows["total_sq"].sum() - (total**2 / n.where(n > 0)).sum()
        return max(float(within) / max(float(n.sum()) - len(rows), 1), 1e-12)
    level, least = float(total.sum() / n.sum()), 1 / float(n.sum())
    return max(level * (1 - level) if kind == "proportion" else level, least)


def pool(effect: Any, variance: Any) -> tuple[float, float]:
    """Random-effects mean of several effects and its standard error (DerSimonian & Laird 1986).

    >>> pool([.1, .1], [.01, .01])
    (0.1, 0.07071067811865475)
    """
    y, v = np.asarray(effect, float), np.asarray(variance, float)
    w = 1 / (v + between(y, v))
    return float((w * y).sum() / w.sum()), float(w.sum() ** -0.5)


def between(effect: Any, variance: Any) -> float:
    """Variance of the true effects behind several estimates (DerSimonian & Laird 1986); 0 where chance explains all."""
    y, v = np.asarray(effect, float), np.asarray(variance, float)
    w = 1 / v
    mean = (w * y).sum() / w.sum()
    return beyond_chance(float((w * (y - mean) ** 2).sum()), w)


def beyond_chance(squares: float, weight: Array) -> float:
    """The variance of true effects that explains a weighted sum of squares (DerSimonian & Laird 1986); `weight`: one by
    the variance of each.

    >>> beyond_chance(4.0, np.ones(2))
    3.0
    """
    scale = weight.sum() - (weight**2).sum() / weight.sum()
    excess = squares - (len(weight) - 1)
    return max(0.0, float(excess / scale)) if len(weight) > 1 and scale > 0 else 0.0
