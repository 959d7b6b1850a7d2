"""Centre and limits, one function per chart: a series and its baseline in, `Limits` out.

`base` marks the periods that set the limits. Limits hold for every period of the series, so those after a baseline
are frozen. Three sigma everywhere (Shewhart 1931).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from rca.series import Series

D2 = 1.128  # mean range of two normal values in sigmas, as the books print it (exact: 1.128379)
D4 = 3.267  # upper limit of a moving range, in mean moving ranges


@dataclass(frozen=True)
class Limits:
    """One number per period: centre, sigma of a period, limits, and z, which is ±3 on the limits.

    sigma_z   Laney's ratio: how much more the periods vary than chance alone explains
    """

    center: np.ndarray
    sigma: np.ndarray
    lcl: np.ndarray
    ucl: np.ndarray
    z: np.ndarray
    sigma_z: float | None = None


def around(
    value: np.ndarray, center: float | np.ndarray, sigma: float | np.ndarray, low=-np.inf, high=np.inf
) -> Limits:
    """Symmetric limits, cut at the values that are possible. No sigma, no distance: a constant series has z = 0."""
    center, sigma = (np.broadcast_to(np.asarray(x, dtype=float), value.shape).copy() for x in (center, sigma))
    with np.errstate(divide="ignore", invalid="ignore"):
        away = np.where(np.abs(value - center) > 1e-12 * np.abs(center), value - center, 0.0)
        z = np.where(away == 0, 0.0, away / sigma)
    z[np.isnan(value)] = np.nan
    return Limits(center, sigma, np.maximum(center - 3 * sigma, low), np.minimum(center + 3 * sigma, high), z)


def moving_range(value: np.ndarray) -> np.ndarray:
    """Distance to the period before; missing where either is, so none is made across a gap."""
    return np.abs(np.diff(value, prepend=np.nan))


def mean_moving_range(value: np.ndarray, base: np.ndarray) -> float:
    """Average over the ranges between neighbours that are both in the baseline."""
    ranges = moving_range(np.where(base, value, np.nan))
    return float(np.nanmean(ranges)) if np.isfinite(ranges).any() else np.nan


def c4(n: np.ndarray | float) -> np.ndarray:
    """Mean standard deviation of n normal values, in sigmas (Montgomery 2009, appendix VI).

    >>> float(c4(5).round(4))
    0.94
    """
    n = np.asarray(n, dtype=float)
    return np.sqrt(2 / (n - 1)) * np.exp(gammaln(n / 2) - gammaln((n - 1) / 2))


def xmr(s: Series, base: np.ndarray) -> Limits:
    """Individual values: sigma = mean moving range / 1.128 (Montgomery 2009, eq. 6.33)."""
    return around(s.value, s.value[base].mean(), mean_moving_range(s.value, base) / D2)


def p(s: Series, base: np.ndarray) -> Limits:
    """Share of cases: binomial (Montgomery 2009, eq. 7.8)."""
    center = s.total[base].sum() / s.n[base].sum()
    return around(s.value, center, _per_root_n(np.sqrt(center * (1 - center)), s.n), low=0, high=1)


def u(s: Series, base: np.ndarray) -> Limits:
    """Events per exposure: Poisson (Montgomery 2009, eq. 7.19)."""
    center = s.total[base].sum() / s.n[base].sum()
    return around(s.value, center, _per_root_n(np.sqrt(center), s.n), low=0)


def xbar_s(s: Series, base: np.ndarray) -> Limits:
    """Means of subgroups: sigma from inside the subgroups, pooled (Montgomery 2009, eq. 6.30 and 6.31)."""
    many = base & (s.n > 1)
    center = s.total[base].sum() / s.n[base].sum()
    pooled = np.sqrt(((s.n[many] - 1) * s.sd[many] ** 2).sum() / (s.n[many] - 1).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        return around(s.value, center, _per_root_n(pooled / np.where(s.n > 1, c4(s.n), np.nan), s.n))


def _per_root_n(sigma: float | np.ndarray, n: np.ndarray) -> np.ndarray:
    return sigma / np.sqrt(np.where(n > 0, n, np.nan))
