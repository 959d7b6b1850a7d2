"""Put a chart together: limits of each phase, rules, the suggested level change, and the caption."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rca import level, rules
from rca.charts.caption import caption, caveat, dates_of
from rca.charts.chart import ControlChart, iso
from rca.charts.found import Found
from rca.charts.limits import Limits
from rca.charts.phases import Plan, in_scope
from rca.charts.series import Series

COLUMNS = ("center", "sigma", "lcl", "ucl", "z")


def by_phase(s: Series, plan: Plan, estimator: Callable[..., Limits]) -> Limits:
    """The limits of a textbook chart, each phase from its own periods only."""
    parts = [estimator(cut(s, rows), base[rows]) for rows, base in zip(plan.rows, plan.bases, strict=True)]
    columns = {name: np.concatenate([getattr(p, name) for p in parts]) for name in COLUMNS}
    return Limits(**columns, sigma_z=parts[-1].sigma_z)


def cut(s: Series, rows: np.ndarray) -> Series:
    """The part of a series in some periods."""
    arrays = {name: getattr(s, name)[rows] for name in ("period", "value", "n", "total", "sd", "partial")}
    return replace(s, **arrays)


def assemble(
    s: Series,
    plan: Plan,
    found: Found,
    chosen: str | Sequence[str],
    events: pd.DataFrame | None = None,
    scope: Any = None,
) -> ControlChart:
    """The chart of a series whose limits are known."""
    names, judged = rules.names(chosen), s.seen & ~plan.excluded
    if rules.LEVEL_CHANGE not in names:
        found = replace(found, change=None)
    z = np.where(judged, found.limits.z, np.nan)
    targets = _targets(s)
    table = pd.DataFrame({
        "period": s.period, "value": s.value, "n": s.n, "center": found.limits.center, "lcl": found.limits.lcl,
        "ucl": found.limits.ucl, "sigma": found.limits.sigma, "z": found.limits.z, "phase": plan.number,
        "excluded": plan.excluded, "partial": s.partial, "target": targets,
    } | ({"note": plan.notes} if plan.excluded.any() else {}) | (found.extra or {}), copy=False)  # fmt: skip
    for rule in names:
        marks = np.zeros(len(table), dtype=bool)
        if rule == rules.LEVEL_CHANGE:
            marks[_changed_at(s, found.change, judged)] = True
        else:
            for rows in plan.rows:
                marks[rows] = rules.find(rule, z[rows])
        table[rule] = marks
    baseline = dates_of(s, plan.bases[-1]) if s.step else None
    rate = np.broadcast_to(found.rate, z.shape)[judged].sum() if "beyond_limits" in names else 0
    rate += sum(rules.RULES[r].rate for r in names if r in rules.RULES and r != "beyond_limits") * judged.sum()
    expected = float(rate + 0.04 * (rules.LEVEL_CHANGE in names))  # false in 2 to 6 of 100 series
    target = targets[judged][-1]
    return ControlChart(
        table=table, metric=s.metric, signals=_signals(table, z, names, s, found.change), chart=found.chart,
        reason=found.reason, baseline=baseline, target=None if np.isnan(target) else float(target), rules=names,
        level_change=found.change, caption=caption(s, plan, found, expected), expected=expected,
        sigma_z=found.limits.sigma_z, phi=found.phi, season=found.season, spread=found.spread,
        phases=tuple({"start": iso(s.period[rows][0]), "reason": p.reason}
                     for p, rows in zip(plan.phases, plan.rows, strict=True)),
        step=s.step, judges=s.judged, caveat=caveat(s, plan, found),
        **({} if events is None or not s.step else {"events": in_scope(events, scope or {}, s.period, s.step)}),
    )  # fmt: skip


def _targets(s: Series) -> np.ndarray:
    """The target in force in each period; missing where none was."""
    out = np.full(len(s.period), np.nan)
    for target in sorted(s.metric.targets, key=lambda t: t.since):
        started = [True] if not s.step or target.since == dt.date.min else s.period >= pd.Timestamp(target.since)
        out[np.broadcast_to(started, out.shape)] = target.value
    return out


def textbook_change(
    s: Series, plan: Plan, chosen: str | Sequence[str], y: np.ndarray, size_of: Callable[[float], float]
) -> dict[str, Any] | None:
    """The level change inside the current phase of `y`, a version of the series with even noise.

    None without one, and where the rules `chosen` do not ask for it. `size_of` turns a size in units of `y` into one
    of the metric.
    """
    if rules.LEVEL_CHANGE not in rules.names(chosen):
        return None
    judged = s.seen & ~plan.excluded & plan.rows[-1]
    t = np.flatnonzero(judged)
    if len(t) < level.FEWEST or not np.isfinite(y[judged]).all():
        return None
    fit = level.best_fit(y[judged][None, :], t, level.constant(t))
    strength = level.strength(fit.ratio, level.autocorrelation(fit.residual, t, len(t) / 2)[1])
    if strength[0] <= level.SUSPECT:
        return None
    p_value = float(level.p_value(strength, len(t))[0])
    return change(s, judged, int(t[fit.at[0]]), size_of(float(fit.size[0])), p_value, bool(fit.step[0]))


def in_sigmas(s: Series, found: Limits) -> Callable[[float], float]:
    """A size in sigmas as one of the metric, at a typical period."""
    return lambda size: size * float(np.nanmedian(found.sigma[s.seen]))


def change(s: Series, judged: np.ndarray, at: int, size: float, p_value: float, step: bool) -> dict[str, Any]:
    """A level change as a record. A drift is dated where it began: at the first period that was looked at."""
    date = s.period[at] if step else s.period[judged][0]
    after = float(s.value[judged & (np.arange(len(judged)) >= at)].mean()) if step else None
    record = {"date": iso(date), "size": size, "p_value": p_value, "kind": "step" if step else "drift"}
    return {**record, "level": after}


def _changed_at(s: Series, found: dict[str, Any] | None, judged: np.ndarray) -> list[int]:
    """A step is marked at its first period, a drift at the last."""
    if found is None:
        return []
    if found["kind"] == "drift":
        return [int(np.flatnonzero(judged)[-1])]
    date = pd.Timestamp(found["date"]) if s.step else found["date"]
    return [int(np.flatnonzero(s.period == date)[0])]


def _signals(
    table: pd.DataFrame, z: np.ndarray, names: Sequence[str], s: Series, found: dict[str, Any] | None
) -> pd.DataFrame:
    """One row per (period, rule), by period; the index is the row of the table."""
    parts = []
    for rule in names:
        rows = np.flatnonzero(table[rule])
        way = np.full(len(z), np.sign(found["size"] if found else 0)) if rule == rules.LEVEL_CHANGE else None
        way = (rules.direction(rule, z) if way is None else way)[rows]
        good = way * s.metric.sign
        judgement = np.select([good > 0, good < 0], ["better", "worse"], "") if s.judged else np.full(len(rows), "")
        direction = np.select([way > 0, way < 0], ["up", "down"], "")
        columns = {"period": s.period[rows], "rule": rule, "direction": direction, "judgement": judgement}
        parts.append(pd.DataFrame(columns, index=pd.Index(rows, name="row")))
    return pd.concat(parts).sort_index(kind="stable")
