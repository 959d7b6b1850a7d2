"""Did the level change, once, at a date that nobody told us? And how alike are neighbouring periods?

Every function takes many series at once: `y` has one row per series and one column per observed period, `t` numbers
the periods (a missing one leaves a hole in it), `season` holds the columns that were fitted beside the level.
"""

from dataclasses import dataclass

import numpy as np

TRIM = 5  # points that a level needs on each side of a step
CAP = 0.6  # above this a series drifts; calling it autocorrelation would explain a real fault away
SUSPECT = 3.0  # strength from which a change is suggested
FEWEST = 20  # points below which the level test has no table


@dataclass(frozen=True)
class Fit:
    """The best single change of each series: one step or one straight line, whichever fits better.

    at        column of the first point after the best step
    size      the step, in the units of `y` (for a line: what it gains from first to last point)
    ratio     the step's size in standard errors, as if the points were independent
    step      True where a step fits better than a line
    level     the fitted change, one row per series
    residual  what is left of `y` without season and change
    """

    at: np.ndarray
    size: np.ndarray
    ratio: np.ndarray
    step: np.ndarray
    level: np.ndarray
    residual: np.ndarray


def constant(t: np.ndarray) -> np.ndarray:
    """The season of a series that has none: one column of ones."""
    return np.ones((len(t), 1))


def best_fit(y: np.ndarray, t: np.ndarray, season: np.ndarray, first: int = 0) -> Fit:
    """Try a step at every position from column `first` on, and a line from there, together with the season.

    The step that gains most is the maximum likelihood one (Hawkins 1977; Worsley 1979); the season is taken out of
    steps and series alike, which fits all of them together (Frisch, Waugh and Lovell's theorem).
    """
    count = len(t)
    basis, _ = np.linalg.qr(season)

    def without_season(columns: np.ndarray) -> np.ndarray:
        return columns - (columns @ basis) @ basis.T

    e = without_season(y)
    e[np.abs(e).max(axis=1) <= 1e-9 * np.abs(y).max(axis=1)] = 0  # a constant, but for rounding
    if count - first < 2 * TRIM:  # no room for a change
        nothing = np.zeros(len(y))
        return Fit(nothing.astype(int), nothing, nothing, nothing == 0, np.zeros_like(e), e)
    starts = np.arange(first + TRIM, count - TRIM + 1)
    # sum over the points from each start on, of the residuals and of the season's columns
    tail = np.cumsum(e[:, ::-1], axis=1)[:, ::-1][:, starts]
    held = np.cumsum(basis[::-1], axis=0)[::-1][starts]
    free = np.maximum((count - starts) - (held**2).sum(axis=1), 1e-9)  # squared length of a step without the season
    best = (tail**2 / free).argmax(axis=1)
    rows, at = np.arange(len(y)), starts[best]
    gain, size = tail[rows, best] ** 2 / free[best], tail[rows, best] / free[best]

    line = (np.maximum(t - t[first], 0) / (t[-1] - t[first]))[None, :]
    slope_column = without_season(line)[0]
    slope = e @ slope_column / (slope_column @ slope_column)
    total = (e**2).sum(axis=1)
    left = np.maximum((total - gain) / (count - season.shape[1] - 1), 1e-12 * total)
    ratio = np.sqrt(np.divide(gain, left, out=np.zeros_like(gain), where=left > 0))
    step = gain >= slope**2 * (slope_column @ slope_column)

    after = (np.arange(count) >= at[:, None]) * size[:, None]
    level = np.where(step[:, None], after, slope[:, None] * line)
    return Fit(at, np.where(step, size, slope), ratio, step, level, e - without_season(level))


def autocorrelation(residual: np.ndarray, t: np.ndarray, effective: float) -> tuple[np.ndarray, np.ndarray]:
    """Correlation of neighbouring periods, within 0 to 0.6, and the same plus one standard error.

    Kendall's (1954) bias is undone with `effective` points: half of them, since two levels were fitted (a sixth,
    where a yearly season was). Pairs across a missing period do not count.
    """
    pairs = np.diff(t) == 1
    squares = (residual**2).sum(axis=1)
    products = (residual[:, 1:] * residual[:, :-1] * pairs).sum(axis=1) * (len(t) - 1) / max(pairs.sum(), 1)
    r1 = np.divide(products, squares, out=np.zeros_like(squares), where=squares > 0)
    effective = max(effective, 4)
    phi = (effective * r1 + 1) / (effective - 3)
    error = np.sqrt((1 - np.clip(phi, -0.9, 0.9) ** 2) / len(t))
    return np.clip(phi, 0, CAP), np.clip(phi + error, 0, CAP)


def strength(ratio: np.ndarray, phi_high: np.ndarray) -> np.ndarray:
    """The step in standard errors, corrected for autocorrelation at the upper end of what it may be."""
    return ratio * np.sqrt((1 - phi_high) / (1 + phi_high))


# Probability that noise alone reaches a strength, by simulation of AR(1) noise: the worst case over correlations
# of 0 to 0.45. The statistic does not depend on level or scale, so this is the whole null distribution (Davison and
# Hinkley 1997, ch. 4). Beyond the table log10 p = intercept + slope * strength.
_P = np.log10([1, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002])
_COUNTS = np.array([20, 26, 36, 52, 104, 208])
_STRENGTHS = np.array(
    [
        [0, 2.06, 2.62, 3.22, 3.98, 4.54, 5.13, 5.91, 6.54, 7.33, 8.27],
        [0, 2.10, 2.62, 3.12, 3.82, 4.33, 4.76, 5.44, 5.88, 6.49, 7.13],
        [0, 2.14, 2.59, 3.04, 3.60, 4.02, 4.47, 5.01, 5.38, 6.03, 6.41],
        [0, 2.15, 2.55, 2.92, 3.43, 3.79, 4.11, 4.63, 5.01, 5.27, 5.79],
        [0, 2.28, 2.60, 2.88, 3.28, 3.56, 3.83, 4.21, 4.49, 4.69, 5.07],
        [0, 2.41, 2.70, 2.97, 3.29, 3.54, 3.77, 4.05, 4.27, 4.49, 4.84],
    ]
)
_SLOPES = np.array([-0.502, -0.601, -0.688, -0.825, -1.068, -1.261])


def p_value(strength: np.ndarray, count: int) -> np.ndarray:
    """How often noise alone shows a change at least this strong in a series of `count` points.

    >>> p_value(np.array([3.28]), 104).round(3).tolist()
    [0.02]
    """
    where = np.interp(np.log(count), np.log(_COUNTS), np.arange(len(_COUNTS)))
    low = int(min(where, len(_COUNTS) - 2))
    share = where - low
    table = (1 - share) * _STRENGTHS[low] + share * _STRENGTHS[low + 1]
    slope = (1 - share) * _SLOPES[low] + share * _SLOPES[low + 1]
    inside = np.interp(strength, table, _P)
    return 10 ** np.where(strength > table[-1], _P[-1] + slope * (strength - table[-1]), inside)
