"""The default limits: season out, autocorrelation in, and no surer of themselves than their baseline allows.

Plain limits take neighbouring periods for independent, a baseline of any length for the truth, and the spread
of large denominators for chance; on service data each of the three makes most charts cry wolf: docs/control-charts.
Every array has one row per series and one column per period, so ten thousand charts are one pass.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from rca import level
from rca.charts import limits
from rca.charts.season import Season

SUSPECT_YEARLY = 3.5  # strength from which a level change is suggested where a yearly season was fitted, too
SHORT = 20  # baselines below this get limits wider by 1 + 3/n, "provisional"
Way = Callable[[np.ndarray], np.ndarray]
BACK: dict[str, Way] = {"identity": np.asarray, "logit": expit, "log": np.exp}
SLOPE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": np.ones_like,
    "logit": lambda mu: mu * (1 - mu),
    "log": np.asarray,
}  # of the way back


@dataclass(frozen=True)
class Batch:
    """Series with the same holes: `value`, `n`, `total` and `sd` (inside periods), each series x periods."""

    kind: str
    value: np.ndarray
    n: np.ndarray
    total: np.ndarray
    sd: np.ndarray


@dataclass(frozen=True)
class Adjusted:
    """Limits per series and period; per series: phi, sigma_z, and how much wider than plain limits they are."""

    center: np.ndarray
    sigma: np.ndarray
    lcl: np.ndarray
    ucl: np.ndarray
    z: np.ndarray
    phi: np.ndarray
    sigma_z: np.ndarray
    wider: np.ndarray


@dataclass(frozen=True)
class Change:
    """The level change of each series: `at` is a column, `size` in units of the metric, signed."""

    at: np.ndarray
    size: np.ndarray
    step: np.ndarray
    strength: np.ndarray
    p_value: np.ndarray
    suggested: np.ndarray


@dataclass(frozen=True)
class Scale:
    """Series on the scale where a season adds up: values, logits or logs.

    v           series x periods
    by_chance   True where chance's own error is the floor under sigma (counts; means that vary as their cases do)
    within      standard deviation inside periods, pooled over the baseline (means)
    """

    batch: Batch
    link: str
    v: np.ndarray
    by_chance: np.ndarray
    within: np.ndarray

    def back(self, v: np.ndarray) -> np.ndarray:
        return BACK[self.link](v)

    def error(self, center: np.ndarray) -> np.ndarray:
        """Standard error of each period by chance alone; 1 where chance says nothing."""
        mu, kind = self.back(center), self.batch.kind
        variance = {"proportion": mu * (1 - mu), "rate": mu}.get(kind, self.within**2)
        slope = SLOPE[self.link](mu)
        with np.errstate(divide="ignore", invalid="ignore"):
            se = np.sqrt(variance / np.where(self.batch.n > 0, self.batch.n, np.nan)) / slope
        return np.where(self.by_chance, se, np.ones_like(self.v))


def scale(batch: Batch, base: np.ndarray, linked: bool) -> Scale:
    """Counts by chance's own error; means by it too, unless they vary more than their cases explain."""
    kind, n, total = batch.kind, batch.n, batch.total
    link = {"proportion": "logit", "rate": "log"}.get(kind, "identity") if linked else "identity"
    with np.errstate(divide="ignore", invalid="ignore"):
        if link == "logit":
            v = logit(np.clip(total, 0.5, n - 0.5) / n)
        else:
            v = np.log(np.maximum(total, 0.5) / n) if link == "log" else batch.value
        v = np.where(np.isnan(batch.value), np.nan, v)
        if kind != "mean":
            return Scale(batch, link, v, np.ones((len(v), 1), bool), np.ones((len(v), 1)))
        free = np.where(np.isfinite(batch.sd) & base, n - 1, 0)
        pooled = np.sqrt((free * np.nan_to_num(batch.sd) ** 2).sum(axis=1) / free.sum(axis=1))[:, None]
        z = (v - _center(batch, base)) * np.sqrt(n) / pooled
        ratio, p = limits.dispersion(z, base)
        chance = np.isfinite(ratio) & (p > 0.01)
    return Scale(batch, link, v, chance[:, None], np.where(np.isfinite(pooled), pooled, 1.0))


def _center(batch: Batch, base: np.ndarray) -> np.ndarray:
    return (batch.total[:, base].sum(axis=1) / batch.n[:, base].sum(axis=1))[:, None]


def _in_units(away: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Distances in standard errors; 0 where nothing can vary (a share of 0 or 1)."""
    return np.where(error > 0, away / np.where(error > 0, error, 1), np.where(np.isnan(away), np.nan, 0.0))


@dataclass(frozen=True)
class Joint:
    """Season, known phases and one unknown change of level, fitted together to everything that was seen."""

    fit: level.Fit
    t: np.ndarray
    columns: np.ndarray
    error: np.ndarray
    phi: np.ndarray
    phi_high: np.ndarray


def joint(
    sc: Scale,
    seen: np.ndarray,
    base: np.ndarray,
    season: Season,
    known: np.ndarray,
    taken: np.ndarray,
    start: int = 0,
) -> Joint:
    """Fit the whole series. `known`: a column per later phase; `taken`: a pattern to take off first; the unknown
    change is looked for from period `start` on."""
    t = np.flatnonzero(seen)
    # without a season counts are compared in units of chance, which differ where their denominators do
    counts = sc.by_chance & (sc.link == "identity") & (season.name == "")
    center = np.where(counts, _center(sc.batch, base), 0.0)
    error = np.where(counts, sc.error(center), 1.0)
    y = _in_units(sc.v - taken - center, error)
    columns = np.hstack([season.columns, known])
    fit = level.best_fit(y[:, seen], t, columns[seen], first=int(np.searchsorted(t, start)))
    spent = columns.shape[1] if season.yearly else known.shape[1] + 1
    phi, high = level.autocorrelation(fit.residual, t, len(t) / (spent + 1))
    return Joint(fit, t, columns, error, phi, high)


def pattern(sc: Scale, j: Joint, rows: np.ndarray, season: Season) -> np.ndarray:
    """What the season adds to each period, zero on average over `rows`, the periods it is fitted on."""
    columns, width = j.columns[rows], season.columns.shape[1]
    whole = len(j.t) == rows.sum()
    fit = j.fit if whole else level.best_fit(sc.v[:, rows], np.flatnonzero(rows), columns)
    coefficients, *_ = np.linalg.lstsq(columns, (sc.v[:, rows] - fit.level).T, rcond=None)
    found = (season.columns @ coefficients[:width]).T
    return found - found[:, rows].mean(axis=1, keepdims=True)


def own_phi(sc: Scale, base: np.ndarray, taken: np.ndarray, effective: float) -> np.ndarray:
    """Autocorrelation of a baseline: frozen with it, so that later points do not move its limits."""
    t, center = np.flatnonzero(base), _center(sc.batch, base)
    error = sc.error(center) if sc.link == "identity" else np.ones_like(sc.v)
    y = _in_units(sc.v - taken - center, error)[:, base]
    return level.autocorrelation(level.best_fit(y, t, level.constant(t)).residual, t, effective)[0]


def adjust(
    sc: Scale, base: np.ndarray, taken: np.ndarray, phi: np.ndarray, coefficients: int = 1, spent: float = 1.0
) -> Adjusted:
    """Limits from the periods in `base`, for every period.

    sigma = mean moving range / 1.128 / sqrt(1 - phi), since neighbours that are alike make small ranges
    (Vasilopoulos and Stamboulis 1978), times `spent` for the season that was fitted; where counts are charted at
    least chance's own error (Laney 2002, floored).
    limits = centre ± 3 sigma sqrt(1 + p (1 + phi) / ((1 - phi) n)): the centre, too, is an estimate, and so are the
    p `coefficients` of a season that was frozen with the baseline; a baseline under 20 adds 1 + 3/n.
    """
    count = int(base.sum())
    weighted = sc.by_chance & (sc.link == "identity") & ~taken.any(axis=1, keepdims=True)
    mean = (sc.v - taken)[:, base].mean(axis=1, keepdims=True)
    center = np.where(weighted, _center(sc.batch, base), mean) + taken
    error = sc.error(center)
    score = _in_units(sc.v - center, error)
    sigma_z = limits.mean_moving_range(score, base) / limits.D2 / np.sqrt(1 - phi) * spent
    sigma_z = np.where(sc.by_chance[:, 0], np.maximum(sigma_z, 1), sigma_z)
    wide = np.sqrt(1 + coefficients * (1 + phi) / ((1 - phi) * count)) * (1 + 3 / count if count < SHORT else 1)
    half = 3 * (sigma_z * wide)[:, None] * error
    lcl, ucl = sc.back(center - half), sc.back(center + half)
    if sc.batch.kind != "mean":
        lcl, ucl = np.maximum(lcl, 0), np.minimum(ucl, 1 if sc.batch.kind == "proportion" else np.inf)
    return Adjusted(
        sc.back(center), sigma_z[:, None] * error * SLOPE[sc.link](sc.back(center)), lcl, ucl,
        limits.distance(sc.v - center, half / 3, center), phi, sigma_z, wide / np.sqrt(1 - phi),
    )  # fmt: skip


def level_change(sc: Scale, j: Joint, base: np.ndarray, yearly: bool, start: int = 0) -> Change | None:
    """The single change of level since period `start`; None where fewer than 20 periods were seen since then."""
    count = int((j.t >= start).sum())
    if count < level.FEWEST:
        return None
    strength = level.strength(j.fit.ratio, j.phi_high)
    middle, seen = sc.v[:, base].mean(axis=1), np.isin(np.arange(sc.v.shape[1]), j.t)
    size = sc.back(middle + j.fit.size * np.median(j.error[:, seen], axis=1)) - sc.back(middle)
    suspect = strength > (SUSPECT_YEARLY if yearly else level.SUSPECT)
    return Change(j.t[j.fit.at], size, j.fit.step, strength, level.p_value(strength, count), suspect)
