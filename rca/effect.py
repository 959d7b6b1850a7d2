"""The change of a rate or mean between two windows, with its sampling variance, from counts alone."""

from typing import Any

import numpy as np
import pandas as pd

Z95 = 1.959964


def change(pair: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Effect and variance for each row of `Cube.pair`: columns `rate_before, rate_after, effect, variance`.

    proportion  k2/n2 - k1/n1; variance of Agresti & Caffo (2000), one success and one failure added to each sample
    rate        events per exposure, Poisson: (k + 1)/n^2, one event added so that none is never certain
    mean        s^2/n of each window from sums of squares, n - 1 degrees of freedom
    Rows that lack cases in one window have a missing effect.

    >>> pair = pd.DataFrame({"n_before": [100], "total_before": [80], "n_after": [100], "total_after": [60]})
    >>> change(pair, "proportion").round(4).iloc[0].tolist()
    [0.8, 0.6, -0.2, 0.004]
    """
    n1, n2 = (_known(pair[f"n_{side}"]) for side in ("before", "after"))
    k1, k2 = pair["total_before"].to_numpy(float), pair["total_after"].to_numpy(float)
    r1, r2 = k1 / n1, k2 / n2
    if kind == "proportion":
        p1, p2 = (k1 + 1) / (n1 + 2), (k2 + 1) / (n2 + 2)
        variance = p1 * (1 - p1) / (n1 + 2) + p2 * (1 - p2) / (n2 + 2)
    elif kind == "rate":
        variance = (k1 + 1) / n1**2 + (k2 + 1) / n2**2
    else:
        q1, q2 = pair["total_sq_before"].to_numpy(float), pair["total_sq_after"].to_numpy(float)
        variance = _spread(n1, k1, q1) / n1 + _spread(n2, k2, q2) / n2
    return pd.DataFrame(
        {"rate_before": r1, "rate_after": r2, "effect": r2 - r1, "variance": variance}, index=pair.index
    )


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
    w = 1 / v
    mean = (w * y).sum() / w.sum()
    excess = (w * (y - mean) ** 2).sum() - (len(y) - 1)
    scale = w.sum() - (w**2).sum() / w.sum()
    between = max(0.0, excess / scale) if len(y) > 1 and scale > 0 else 0.0
    w = 1 / (v + between)
    return float((w * y).sum() / w.sum()), float(w.sum() ** -0.5)


def _known(n: pd.Series) -> np.ndarray:
    return n.where(n > 0).to_numpy(float)


def _spread(n: np.ndarray, total: np.ndarray, total_sq: np.ndarray) -> np.ndarray:
    """Variance within a window; unknown for a single case."""
    return np.maximum(total_sq - total**2 / n, 0) / np.where(n > 1, n - 1, np.nan)
