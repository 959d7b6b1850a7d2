"""The default limits: season out, autocorrelation in, and no surer of themselves than their baseline allows.

Plain limits take neighbouring periods for independent, a baseline of any length for the truth, and the spread
of large denominators for chance; on service data each of the three makes most charts cry wolf: docs/control-charts.
Every array has one row per series and one column per period, so ten thousand charts are one pass.
"""

from dataclasses import dataclass

import numpy as np

from rca import level
from rca.charts import limits
from rca.charts.scale import Batch, Scale, in_units, pooled_center, scale
from rca.charts.season import Season

SUSPECT_YEARLY = 3.5  # strength from which a level change is suggested where a yearly season was fitted, too


def short(count: int) -> float:
    """By how much a short baseline widens limits: what its sigma may be wrong by, by simulation."""
    return 1 + 3 / count if count < limits.SHORT else 1.0


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
    center = np.where(counts, pooled_center(sc.batch, base), 0.0)
    error = np.where(counts, sc.error(center), 1.0)
    y = in_units(sc.v - taken - center, error)
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
    t, center = np.flatnonzero(base), pooled_center(sc.batch, base)
    error = sc.error(center) if sc.link == "identity" else np.ones_like(sc.v)
    y = in_units(sc.v - taken - center, error)[:, base]
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
    center = np.where(weighted, pooled_center(sc.batch, base), mean) + taken
    error = sc.error(center)
    score = in_units(sc.v - center, error)
    sigma_z = limits.mean_moving_range(score, base) / limits.D2 / np.sqrt(1 - phi) * spent
    sigma_z = np.where(sc.by_chance[:, 0], np.maximum(sigma_z, 1), sigma_z)
    wide = np.sqrt(1 + coefficients * (1 + phi) / ((1 - phi) * count)) * short(count)
    half = 3 * (sigma_z * wide)[:, None] * error
    lcl, ucl = sc.back(center - half), sc.back(center + half)
    if sc.batch.kind != "mean":
        lcl, ucl = np.maximum(lcl, 0), np.minimum(ucl, 1 if sc.batch.kind == "proportion" else np.inf)
    return Adjusted(
        sc.back(center), sigma_z[:, None] * error * sc.slope(center), lcl, ucl,
        limits.distance(sc.v - center, half / 3, center), phi, sigma_z, wide / np.sqrt(1 - phi),
    )  # fmt: skip


def level_change(sc: Scale, j: Joint, yearly: bool, start: int = 0) -> Change | None:
    """The single change of level since period `start`; None where fewer than 20 periods were seen since then."""
    now = j.t >= start
    if now.sum() < level.FEWEST:
        return None
    strength = level.strength(j.fit.ratio, j.phi_high)
    rows, unit = j.t[now], np.median(j.error[:, j.t], axis=1)
    before = (sc.v[:, rows] - j.fit.level[:, now] * unit[:, None]).mean(axis=1)  # the level without the change
    size = sc.back(before + j.fit.size * unit) - sc.back(before)
    suspect = strength > (SUSPECT_YEARLY if yearly else level.SUSPECT)
    return Change(j.t[j.fit.at], size, j.fit.step, strength, level.p_value(strength, int(now.sum())), suspect)


@dataclass(frozen=True)
class Judged:
    """Many series: limits of each phase, the scale of the last one, and the level change since it began."""

    parts: list[Adjusted]
    scale: Scale
    change: Change | None


def judge(
    batch: Batch,
    seen: np.ndarray,
    season: Season,
    bases: list[np.ndarray],
    rows: list[np.ndarray] | None = None,
    taken: np.ndarray | None = None,
) -> Judged:
    """The default chart of many series.

    seen    the periods that every one of them has
    bases   the periods that set the limits of each phase; `rows`: where the phases run (one phase if None)
    taken   a pattern, on the scale of logits or logs, to take off first (the season of the total)
    """
    rows = rows or [np.ones(len(seen), dtype=bool)]
    start, base = int(np.argmax(rows[-1])), bases[-1]
    known = np.array(rows[1:], dtype=float).reshape(-1, len(seen)).T
    scales = [scale(batch, own, bool(season.name) or taken is not None) for own in bases]
    sc, off = scales[-1], np.zeros_like(batch.value) if taken is None else np.broadcast_to(taken, batch.value.shape)
    fit = joint(sc, seen, base, season, known, off, start)

    frozen = bool(season.name) and len(bases) == 1 and season.fewest <= base.sum() < seen.sum()
    coefficients, spent = season.columns.shape[1], 1.0
    if season.name:
        fitted_on = base if frozen else seen
        off = pattern(sc, fit, fitted_on, season)
        spent = float(np.sqrt(fitted_on.sum() / (fitted_on.sum() - coefficients)))
    parts = []
    for each, own in zip(scales, bases, strict=True):
        # a short baseline cannot tell its autocorrelation: its limits are provisional, and take that of everything
        if (season.yearly and not frozen) or own.sum() == seen.sum() or own.sum() < limits.SHORT:
            phi = fit.phi
        else:
            phi = own_phi(each, own, off, own.sum() / (coefficients + 1 if season.yearly else 2))
        parts.append(adjust(each, own, off, phi, coefficients if frozen else 1, spent))
    return Judged(parts, sc, level_change(sc, fit, season.yearly, start))
