"""How large is the step at a known date? Trend and season held back, autocorrelation averaged over.

Segmented regression (Wagner et al. 2002) of many series of the same design at once: `y` has one row per series and
one column per period that is used. Slope and season are not estimated freely, which would halve the power, nor left
out, which would call a drift a fix: each is held back by a pseudo-observation "0, give or take" (mixed estimation,
Theil and Goldberger 1961). The correlation of neighbouring periods is not estimated but averaged over, weighted by the
restricted likelihood (Harville 1974), so that a short series is not surer of itself than it can be.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

PHI = np.arange(9) / 10  # correlations of neighbouring periods that are averaged over
SLOPE, SLOPE_BESIDE_SIBLINGS = 1.0, 0.5  # how far a year may drift by itself, in standard deviations of the noise
SEASON = 0.3  # how large each harmonic of the year may be, in the same
LATER = 1.2  # by how much a verdict that is looked at again every week must be less sure
VERDICTS = ("no effect", "worked", "got worse", "cannot be told yet")


@dataclass(frozen=True)
class Design:
    """What is fitted to the periods `times` (numbers; a missing one leaves a hole).

    columns   level, level of an established problem, step at the fix, slope per year, season: one row per period
    held      per column the standard deviation, in units of the noise, that it is held to; inf where it is free
    contrast  what makes the effect: the step, less the level of the problem
    """

    times: np.ndarray
    columns: np.ndarray
    held: np.ndarray
    contrast: np.ndarray

    @property
    def df(self) -> int:
        """Periods and pseudo-observations less coefficients."""
        return len(self.times) + int(np.isfinite(self.held).sum()) - len(self.held)


def design(
    times: np.ndarray, start: int, per_year: float, problem: int | None = None, siblings: bool = False
) -> Design:
    """The design of a fix from period `start` on; `problem`: the first period of an established problem before it.

    siblings   the series is a difference from units without the fix: their season is out of it, and most of the trend
    """
    t = np.asarray(times, dtype=float)
    columns, held, contrast = [np.ones_like(t)], [np.inf], [0.0]
    if problem is not None:
        columns, held, contrast = [*columns, (t >= problem) & (t < start)], [*held, np.inf], [*contrast, -1.0]
    columns, held, contrast = [*columns, t >= start], [*held, np.inf], [*contrast, 1.0]
    columns, held = [*columns, (t - start) / per_year], [*held, SLOPE_BESIDE_SIBLINGS if siblings else SLOPE]
    if not siblings:
        turn = 2 * np.pi * t / per_year
        columns, held = [*columns, np.cos(turn), np.sin(turn)], [*held, SEASON, SEASON]
    padded = np.pad(contrast, (0, len(columns) - len(contrast)))
    return Design(np.asarray(times), np.column_stack(columns).astype(float), np.array(held), padded)


@dataclass(frozen=True)
class Step:
    """Per series the `effect`, its standard `error`, `phi` and `sd` of the noise; `coefficients` of the columns."""

    effect: np.ndarray
    error: np.ndarray
    phi: np.ndarray
    sd: np.ndarray
    coefficients: np.ndarray
    df: int


def fit(y: np.ndarray, plan: Design) -> Step:
    """Fit the design to each series; `y` has a row per series.

    >>> weeks = np.arange(38)
    >>> y = 0.8 + 0.1 * (weeks >= 26) + 0.01 * (-1.0) ** weeks
    >>> step = fit(y[None, :], design(weeks, 26, 52))
    >>> step.effect.round(2), step.df
    (array([0.1]), 36)
    """
    parts, c = [], plan.contrast
    for phi in PHI:
        root, normal, solve = _whitened(plan, phi)
        white = np.linalg.solve(root, y.T)
        b = solve @ white
        left = (white**2).sum(axis=0) - (b * (normal @ b)).sum(axis=0)
        left = np.maximum(left, 1e-12 * (white**2).sum(axis=0) + 1e-300)  # a perfect fit, but for rounding
        likelihood = -np.log(np.diag(root)).sum() - np.linalg.slogdet(normal)[1] / 2 - plan.df / 2 * np.log(left)
        sd = np.sqrt(left / plan.df)
        parts.append((likelihood, c @ b, sd * np.sqrt(c @ np.linalg.solve(normal, c)), sd, b))
    likelihood, effects, errors, sds, bs = (np.array(column) for column in zip(*parts, strict=True))
    weight = np.exp(likelihood - likelihood.max(axis=0))
    weight /= weight.sum(axis=0)
    effect = (weight * effects).sum(axis=0)
    error = np.sqrt((weight * (errors**2 + (effects - effect) ** 2)).sum(axis=0))
    mean = (weight[:, None, :] * bs).sum(axis=0).T
    return Step(effect, error, PHI @ weight, (weight * sds).sum(axis=0), mean, plan.df)


def _whitened(plan: Design, phi: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Root of the correlation, normal matrix (with the pseudo-observations), and what turns a white series into
    coefficients."""
    apart = np.abs(np.subtract.outer(plan.times, plan.times))
    root = np.linalg.cholesky(np.where(apart == 0, 1.0, phi**apart))
    white = np.linalg.solve(root, plan.columns)
    normal = white.T @ white + np.diag(1 / plan.held**2)
    return root, normal, np.linalg.solve(normal, white.T)


def verdict(effect: np.ndarray, error: np.ndarray, df: int, margin: np.ndarray | float) -> np.ndarray:
    """The verdict on effects of which more is better, by number: a place in `VERDICTS`.

    "no effect" where the 90 % interval lies inside the margin (two one-sided tests, Schuirmann 1987), else "worked" or
    "got worse" where the 95 % interval is wholly on one side of 0.
    """
    wide, narrow = (stats.t.ppf(p, df) * error for p in (0.975, 0.95))
    inside = np.abs(effect) + narrow < margin
    return np.select([inside, effect > wide, effect < -wide], [0, 1, 2], 3)


def sampling(n: np.ndarray, plan: Design) -> float:
    """The least error of the effect: that of its periods' `n` cases, in standard deviations of one case."""
    after = plan.columns @ (plan.contrast > 0) > 0
    before = plan.columns @ (plan.contrast < 0) > 0 if (plan.contrast < 0).any() else ~after
    return float(np.sqrt(sum((1 / n[part]).mean() / part.sum() for part in (after, before))))


def half_width(plan: Design, phi: float) -> float:
    """Half the 95 % interval of the effect, in standard deviations of the noise, were `phi` known."""
    normal = _whitened(plan, phi)[1]
    return float(np.sqrt(plan.contrast @ np.linalg.solve(normal, plan.contrast)) * stats.t.ppf(0.975, plan.df))
