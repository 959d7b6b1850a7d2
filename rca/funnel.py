"""The funnel: how far chance takes a segment from the reference, by how many cases it has (Spiegelhalter 2005)."""

import numpy as np
import pandas as pd
from scipy.stats import binom, norm, poisson

from rca.effect import beyond_chance

POINTS = 60
WINSOR = 0.1
Array = np.ndarray


def dispersion(effect: Array, error: Array) -> tuple[float, float]:
    """How much more segments differ than by chance, and the standard deviation of their own levels.

    The mean of squared z-scores, the outer tenth at either end drawn in so that outliers do not hide themselves, and
    the additive random effect that explains it (Spiegelhalter 2005, Stat. Med. 24:1185-1202, section 3.2 and A.2).

    >>> factor, spread = dispersion(np.array([-4.0, 4.0] * 20), np.ones(40))
    >>> round(factor, 1), round(spread, 2)
    (16.0, 3.93)
    """
    if len(effect) < 2:
        return 1.0, 0.0
    z = effect / error
    factor = float((np.clip(z, *np.quantile(z, [WINSOR, 1 - WINSOR])) ** 2).mean())
    return factor, float(np.sqrt(beyond_chance(len(z) * factor, error**-2.0)))


def limits(kind: str, center: float, variance: float, n: Array, p: float, spread: float = 0.0) -> Array:
    """The value that chance stays below with probability p, by cases: exact, interpolated between whole counts.

    >>> limits("proportion", 0.5, 0.25, np.array([100]), 0.025).round(3).tolist()
    [0.397]
    """
    n = np.asarray(n, float)
    if kind == "mean" or spread:
        return center + norm.ppf(p) * np.sqrt(variance / n + spread**2)
    size = np.maximum(np.round(n), 1)
    law = binom(size, center) if kind == "proportion" else poisson(center * n)
    count = law.ppf(p)
    beyond = (law.cdf(count) - p) / np.maximum(law.pmf(count), 1e-300)
    return np.maximum(count - beyond, 0) / (size if kind == "proportion" else n)


def curves(
    kind: str, center: float, variance: float, precision: pd.Series, spread: float, alpha: float
) -> pd.DataFrame:
    """The funnel over the precisions there are: `precision, low, high` (95 % of one), `outer_low, outer_high` (of all
    at once with probability 1 - alpha)."""
    seen = precision[np.isfinite(precision) & (precision > 0)]
    if seen.empty:
        return pd.DataFrame(columns=["precision", "low", "high", "outer_low", "outer_high"], dtype=float)
    n = np.geomspace(max(seen.min() / 2, 1), max(seen.max() * 1.1, 2), POINTS)
    sides = {"": 0.05, "outer_": alpha / len(seen)}
    ends = {
        f"{name}{side}": limits(kind, center, variance, n, p, spread)
        for name, out in sides.items()
        for side, p in (("low", out / 2), ("high", 1 - out / 2))
    }
    return pd.DataFrame({"precision": n, **ends})
