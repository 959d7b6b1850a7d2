"""Middles and spreads that a few changed segments cannot sway."""

import numpy as np

BIN, BINS = 400, 12  # leaves in a bin of noise at least, and bins at most
LEAST = 1e-3  # noise of a relative change that is never undercut
Array = np.ndarray
CHI2_MEDIAN = 0.455  # median of chi-squared with one degree of freedom
MEDIAN_ERROR = 1.06  # its standard error in a sample of one
EFFICIENCY = 0.37  # of a spread from the median of squares, against that from all of them
BIWEIGHT = 4.685  # standard errors at which an observation no longer counts (95 % efficient: Beaton & Tukey 1974)


def weighted_median(x: Array, weight: Array) -> float:
    """The value below and above which half of the weight lies."""
    order = np.argsort(x)
    cumulated = np.cumsum(weight[order])
    return float(x[order][np.searchsorted(cumulated, 0.5 * cumulated[-1])])


def center(x: Array, variance: Array) -> float:
    """Where most observations agree: the weighted median, then Tukey's biweight around it."""
    middle = weighted_median(x, 1 / np.sqrt(variance))
    for _ in range(10):
        off = (x - middle) / np.sqrt(variance) / BIWEIGHT
        weight = np.where(np.abs(off) < 1, (1 - off**2) ** 2, 0.0) / variance
        if not weight.sum():
            break
        middle = float((weight * x).sum() / weight.sum())
    return middle


def mad(x: Array) -> float:
    """Standard deviation from the median absolute deviation."""
    return 1.4826 * float(np.median(np.abs(x - np.median(x)))) if len(x) else 0.0


def noise_of_totals(x: Array) -> tuple[Array, float]:
    """Robust variance of each x, those of the largest leaves first, and the skewness of the background: |mean - median|
    of those within 3 sd of it.

    One variance for all, or if that is clearly likelier one in each of up to BINS bins of size, where a smaller leaf is
    never less noisy than a larger one.
    """
    off, sd = x - np.median(x), mad(x)
    variance = np.full(len(x), max(sd, LEAST) ** 2)
    parts = np.array_split(x, max(1, min(BINS, len(x) // BIN)))
    floors = np.maximum.accumulate([max(0.25 * sd, LEAST), *map(mad, parts)])[1:]
    binned = np.repeat(floors**2, [len(part) for part in parts])
    if loss(off**2, binned) + 2 * len(parts) < loss(off**2, variance):
        variance = binned
    return variance, abs(float(off[off**2 < 9 * variance].mean()))


def loss(squares: Array, variance: Array) -> float:
    """Twice the negative log-likelihood of squared residuals, none counting for more than one of three sigma."""
    return float((np.log(variance) + np.minimum(squares / variance, 9.0)).sum())
