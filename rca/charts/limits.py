"""Centre and limits, one function per textbook chart: a series and its baseline in, `Limits` out.

`base` marks the periods that set the limits. Limits hold for every period of the series, so those after a baseline
are frozen. Three sigma everywhere (Shewhart 1931).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln
from scipy.stats import chi2, norm

from rca.charts.series import Series
from rca.errors import TooLittleData, known

FEWEST = 12  # whole periods below which the default limits would say more about luck than about the process
SHORT = 20  # baselines below this give provisional limits
RARE = 3  # events expected in a period below which a share is too coarse (a judgement, not a theorem)
D2 = 1.128  # mean range of two normal values in sigmas, as the books print it (exact: 1.128379)
D4 = 3.267  # upper limit of a moving range, in mean moving ranges (Montgomery 2009, appendix VI)


@dataclass(frozen=True)
class Limits:
    """One number per period: centre, sigma of a period, limits, and z, which is ±3 on the limits.

    sigma_z   how much more the periods vary than chance alone explains (Laney 2002); None where chance says nothing
    """

    center: np.ndarray
    sigma: np.ndarray
    lcl: np.ndarray
    ucl: np.ndarray
    z: np.ndarray
    sigma_z: float | None = None


def around(
    value: np.ndarray,
    center: float | np.ndarray,
    sigma: float | np.ndarray,
    low: float = -np.inf,
    high: float = np.inf,
    sigma_z: float | None = None,
) -> Limits:
    """Symmetric limits, cut at the values that are possible."""
    center, sigma = np.asarray(center, dtype=float), np.asarray(sigma, dtype=float)
    lcl, ucl = np.maximum(center - 3 * sigma, low), np.minimum(center + 3 * sigma, high)
    z = distance(value - center, sigma, center)
    center, sigma, lcl, ucl = (np.broadcast_to(line, value.shape) for line in (center, sigma, lcl, ucl))
    return Limits(center, sigma, lcl, ucl, z, sigma_z)


def distance(away: np.ndarray, sigma: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Distance from the centre in sigmas. A point on the centre is 0 even where nothing varies (no sigma)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        z = away / sigma
    still = ~(sigma > 1e-12 * np.abs(scale))
    if still.any():
        z[still & (np.abs(away) <= 1e-12 * np.abs(scale))] = 0.0
    return z


def moving_range(value: np.ndarray) -> np.ndarray:
    """Distance to the period before; missing where either is missing, so none is made across a gap."""
    return np.abs(np.diff(value, prepend=np.nan, axis=-1))


def mean_moving_range(value: np.ndarray, base: np.ndarray, screened: bool = False) -> np.ndarray:
    """Average range between neighbours that are both in the baseline (last axis: periods).

    `screened` leaves out the ranges above 3.267 times their mean, once (Nelson 1982), as plot-the-dots charts do.
    """
    ranges = moving_range(np.where(base, value, np.nan))
    ranges = ranges[..., np.isfinite(ranges).any(axis=tuple(range(ranges.ndim - 1)))]
    if not ranges.shape[-1]:
        raise TooLittleData("no two neighbouring periods of the baseline have values: there is no moving range.")
    if screened:
        ranges = np.where(ranges > D4 * np.nanmean(ranges, axis=-1, keepdims=True), np.nan, ranges)
    return np.nanmean(ranges, axis=-1)


def c4(n: np.ndarray | float) -> np.ndarray:
    """Mean standard deviation of n normal values, in sigmas (Montgomery 2009, appendix VI); missing below two.

    >>> float(c4(5).round(5))
    0.93999
    """
    n = np.where(np.asarray(n, dtype=float) > 1, n, np.nan)
    return np.sqrt(2 / (n - 1)) * np.exp(gammaln(n / 2) - gammaln((n - 1) / 2))


def pooled(s: Series, base: np.ndarray) -> float:
    """Standard deviation inside the subgroups, pooled (Montgomery 2009, eq. 6.31)."""
    many = base & np.isfinite(s.sd)
    if not many.any():
        raise TooLittleData(
            f"{s.metric.label}: no period of the baseline has two cases, so none shows their spread."
        )
    return float(np.sqrt(((s.n[many] - 1) * s.sd[many] ** 2).sum() / (s.n[many] - 1).sum()))


# Sigma of one case, under the names of R's qcc; `pooled` is Montgomery's, with the c4 of each subgroup.
SIGMA: dict[str, Callable[[Series, np.ndarray], np.ndarray]] = {
    "pooled": lambda s, base: pooled(s, base) / c4(s.n),
    "rmsdf": lambda s, base: pooled(s, base) / c4((s.n[base] - 1).sum() + 1),
    "uwave_sd": lambda s, base: np.mean(s.sd[base] / c4(s.n[base])),
    "mvlue_sd": lambda s, base: np.average(
        s.sd[base] / c4(s.n[base]), weights=c4(s.n[base]) ** 2 / (1 - c4(s.n[base]) ** 2)
    ),
}


def per_case(sigma: float | np.ndarray, n: np.ndarray) -> np.ndarray:
    """Sigma of a period of n cases; missing where it has none."""
    return sigma / np.sqrt(np.where(n > 0, n, np.nan))


def rate(s: Series, base: np.ndarray) -> float:
    """The baseline as one large period: all that counted out of all there were."""
    return float(s.total[base].sum() / s.n[base].sum())


def xmr(s: Series, base: np.ndarray, screened: bool = False) -> Limits:
    """Individual values: sigma = mean moving range / 1.128 (Montgomery 2009, eq. 6.33)."""
    return around(s.value, s.value[base].mean(), mean_moving_range(s.value, base, screened) / D2)


def median(s: Series, base: np.ndarray) -> Limits:
    """A run chart: the median and no limits; sigma only scales z."""
    center, nothing = np.median(s.value[base]), np.full(s.value.shape, np.nan)
    found = around(s.value, center, mean_moving_range(s.value, base) / D2)
    return Limits(found.center, found.sigma, nothing, nothing, found.z)


def ranges(s: Series, base: np.ndarray, screened: bool = False) -> Limits:
    """Moving ranges: no lower limit, upper limit 3.267 times their mean (Montgomery 2009, eq. 6.33)."""
    center = mean_moving_range(s.value, base, screened)
    return around(moving_range(s.value), center, (D4 - 1) / 3 * center, low=0)


def xbar_s(s: Series, base: np.ndarray, estimator: str = "pooled") -> Limits:
    """Means of subgroups: centre weighted by n, sigma from inside the subgroups (Montgomery 2009, eq. 6.30)."""
    sigma = SIGMA[known(estimator, SIGMA, "estimator")](s, base)
    return around(s.value, rate(s, base), per_case(sigma, s.n))


def sds(s: Series, base: np.ndarray, estimator: str = "pooled") -> Limits:
    """Standard deviations of subgroups: centre c4 sigma, B3 and B4 (Montgomery 2009, eq. 6.27)."""
    sigma = SIGMA[known(estimator, SIGMA, "estimator")](s, base)
    return around(s.sd, c4(s.n) * sigma, sigma * np.sqrt(1 - c4(s.n) ** 2), low=0)


def p(s: Series, base: np.ndarray) -> Limits:
    """Share of cases: binomial (Montgomery 2009, eq. 7.8)."""
    center = rate(s, base)
    return around(s.value, center, per_case(np.sqrt(center * (1 - center)), s.n), low=0, high=1)


def np_(s: Series, base: np.ndarray) -> Limits:
    """Number of cases out of n: binomial (Montgomery 2009, eq. 7.13)."""
    center = rate(s, base)
    return around(s.value, s.n * center, np.sqrt(s.n * center * (1 - center)), low=0)


def u(s: Series, base: np.ndarray) -> Limits:
    """Events per exposure: Poisson (Montgomery 2009, eq. 7.19); with an exposure of 1 the c chart (eq. 7.17)."""
    center = rate(s, base)
    return around(s.value, center, per_case(np.sqrt(center), s.n), low=0)


def p_prime(s: Series, base: np.ndarray, narrow: bool = False) -> Limits:
    """Share of cases, with the variation that large denominators cannot explain (Laney 2002)."""
    return _laney(p(s, base), s, base, narrow, high=1)


def u_prime(s: Series, base: np.ndarray, narrow: bool = False) -> Limits:
    """Events per exposure, with the variation that large exposures cannot explain (Laney 2002)."""
    return _laney(u(s, base), s, base, narrow, high=np.inf)


def g(s: Series, base: np.ndarray) -> Limits:
    """Cases between rare events: geometric, mean ± 3 sqrt(mean (mean + 1)) (Benneyan 2001).

    The centre is the median, since most gaps of a skew distribution are below its mean.
    """
    mean, center = s.value[base].mean(), np.median(s.value[base])
    return _skew(s.value, center, mean, np.sqrt(mean * (mean + 1)))


def t(s: Series, base: np.ndarray) -> Limits:
    """Time between rare events: an individuals chart of time^(1/3.6) (Nelson 1994; Montgomery 2009, ex. 7.6)."""
    y = s.value ** (1 / 3.6)
    center, sigma = y[base].mean(), mean_moving_range(y, base) / D2
    found = around(y, center, sigma, low=0)
    back = found.ucl**3.6
    return Limits(found.center**3.6, (back - found.center**3.6) / 3, found.lcl**3.6, back, found.z)


def gaps(s: Series, base: np.ndarray, counted: bool) -> Limits:
    """Gaps between rare events, with limits that chance passes as seldom as 3 sigma: 0.135 % on each side.

    Geometric where cases are counted, exponential where exposure is measured; centre: the median. Three sigma around
    the mean would let 1.8 % of such gaps out above and find no short one (Benneyan 2001, on probability limits).
    """
    mean, half = s.value[base].mean(), 0.5 if counted else 0.0
    rate = np.log1p(1 / mean) if counted else 1 / mean
    center, ucl, lcl = (max(float(-norm.logsf(z) / rate - half), 0.0) for z in (0, 3, -3))
    z = norm.isf(np.exp(-rate * (s.value + half)))
    flat = np.ones(s.value.shape)
    return Limits(center * flat, (ucl - center) / 3 * flat, lcl * flat, ucl * flat, z)


def _skew(value: np.ndarray, center: float, mean: float, sigma: float) -> Limits:
    """Limits around the mean, centre elsewhere: z is the share of the way from the centre to the limit, times 3."""
    up, down = (mean + 3 * sigma - center) / 3, (center - mean + 3 * sigma) / 3
    near = around(value, center, np.where(value > center, up, down))
    full = np.full(value.shape, 3 * up)
    return Limits(near.center, near.sigma, np.maximum(near.center - 3 * down, 0), near.center + full, near.z)


def _laney(plain: Limits, s: Series, base: np.ndarray, narrow: bool, high: float) -> Limits:
    """sigma_z = mean moving range of z / 1.128. Below 1 it narrows the limits only where that is asked for."""
    sigma_z = float(mean_moving_range(plain.z, base) / D2)
    sigma_z = sigma_z if narrow else max(1.0, sigma_z)
    return around(s.value, plain.center, sigma_z * plain.sigma, low=0, high=high, sigma_z=sigma_z)


def dispersion(z: np.ndarray, base: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Variance between periods against chance alone: their ratio, and the chance of one as large (chi-square).

    `z` are distances in sigmas of chance (last axis: periods); Wetherill and Brown 1991, p. 212.
    """
    squares, free = (z[..., base] ** 2).sum(axis=-1), base.sum() - 1
    return squares / free, chi2.sf(squares, free)
