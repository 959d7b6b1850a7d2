"""Put a chart together: limits of each phase, rules, the suggested level change, and the caption."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm
from scipy.stats import t as student

from rca import level, rules
from rca.charts.chart import ControlChart, _iso
from rca.charts.limits import Limits
from rca.charts.phases import Plan, in_scope
from rca.charts.series import Series
from rca.period import PERIODS, Dates, day, last_day, words

INSIDE = float(2 * norm.sf(3))
COLUMNS = ("center", "sigma", "lcl", "ucl", "z")


@dataclass(frozen=True)
class Found:
    """What the estimator of a chart says about itself, beside its limits.

    chart, reason   name, and why it was chosen
    limits          for every period, each phase with its own
    source          where they come from, if not from the baseline
    change          the level change: date, size, p_value, kind; or None
    notes           clauses for the caption: what was adjusted, and caveats
    rate            share of points beyond a limit that noise alone gives, per period
    extra           further columns of the table
    """

    chart: str
    reason: str
    limits: Limits
    change: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    rate: float | np.ndarray = INSIDE
    phi: float | None = None
    season: str = ""
    spread: pd.DataFrame | None = None
    source: str = ""
    extra: dict[str, np.ndarray] | None = None


def by_phase(s: Series, plan: Plan, estimator: Any) -> Limits:
    """The limits of a textbook chart, each phase from its own periods only."""
    parts = [estimator(cut(s, rows), base[rows]) for rows, base in zip(plan.rows, plan.bases, strict=True)]
    columns = {name: np.concatenate([getattr(p, name) for p in parts]) for name in COLUMNS}
    return Limits(**columns, sigma_z=parts[-1].sigma_z)


def cut(s: Series, rows: np.ndarray) -> Series:
    """The part of a series in some periods."""
    arrays = {name: getattr(s, name)[rows] for name in ("period", "value", "n", "total", "sd", "partial")}
    return replace(s, **arrays)


def false_rate(plan: Plan, estimated: bool, wider: float | None = None) -> np.ndarray:
    """Chance of noise beyond a limit, per period: inside the baseline, and after it, as unsure as the baseline."""
    out = np.full(len(plan.excluded), INSIDE)
    for rows, base in zip(plan.rows, plan.bases, strict=True):
        if wider is not None:
            out[rows] = rate_inside(int(base.sum()))
        out[rows & ~base] = rate_after(int(base.sum()), estimated, wider)
    return out


def rate_inside(count: int) -> float:
    """Chance of noise beyond an adjusted limit in a period of its own baseline, which pulls the centre along."""
    return float(2 * norm.sf(3 * np.sqrt((count + 1) / (count - 1)) * _clipped(count)))


def rate_after(count: int, estimated: bool, wider: float | None = None) -> float:
    """Chance of noise beyond a limit in a period after a baseline of `count`.

    A sigma `estimated` from moving ranges has about 0.62 (n - 1) degrees of freedom (Patnaik 1950; Wheeler 1995).
    `wider`: adjusted limits, which allow for the centre being an estimate, and are wider by this factor where the
    baseline is short; None for textbook limits.

    >>> round(rate_after(26, estimated=True), 4), round(rate_after(1000, estimated=True), 4)
    (0.0098, 0.0028)
    """
    k = 3 / np.sqrt(1 + 1 / count) if wider is None else 3 * wider * _clipped(count)
    return float(2 * (student.sf(k, 0.62 * (count - 1)) if estimated else norm.sf(k)))


def _clipped(count: int) -> float:
    """By how much noise without autocorrelation widens adjusted limits, since an estimate below 0 counts as 0.

    The estimate has a standard error of 1 / sqrt(n), so its positive part averages 0.4 / sqrt(n); limits take half.
    """
    return 1 + 0.2 / np.sqrt(count)


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
    z = np.where(judged, found.limits.z, np.nan)
    targets = _targets(s)
    table = pd.DataFrame({
        "period": s.period, "value": s.value, "n": s.n, "center": found.limits.center, "lcl": found.limits.lcl,
        "ucl": found.limits.ucl, "sigma": found.limits.sigma, "z": found.limits.z, "phase": plan.number,
        "excluded": plan.excluded, "partial": s.partial, "target": targets, "note": plan.notes,
    } | (found.extra or {}), copy=False)  # fmt: skip
    for rule in names:
        marks = np.zeros(len(table), dtype=bool)
        if rule == rules.LEVEL_CHANGE:
            marks[_changed_at(s, found.change, judged)] = True
        else:
            for rows in plan.rows:
                marks[rows] = rules.find(rule, z[rows])
        table[rule] = marks
    baseline = _dates_of(s, plan.bases[-1]) if s.step else None
    rate = np.broadcast_to(found.rate, z.shape)[judged].sum() if "beyond_limits" in names else 0
    rate += sum(rules.RULES[r].rate for r in names if r in rules.RULES and r != "beyond_limits") * judged.sum()
    expected = float(rate + 0.04 * (rules.LEVEL_CHANGE in names))  # false in 2 to 6 of 100 series
    target = targets[judged][-1]
    return ControlChart(
        table=table, metric=s.metric, signals=_signals(table, z, names, s, found.change), chart=found.chart,
        reason=found.reason, baseline=baseline, target=None if np.isnan(target) else float(target), rules=names,
        level_change=found.change, caption=_caption(s, plan, found, expected), expected=expected,
        sigma_z=found.limits.sigma_z, phi=found.phi, season=found.season, spread=found.spread,
        phases=tuple({"start": _iso(s.period[rows][0]), "reason": p.reason}
                     for p, rows in zip(plan.phases, plan.rows, strict=True)),
        step=s.step, judges=s.judged,
        **({} if events is None or not s.step else {"events": in_scope(events, scope or {}, s.period, s.step)}),
    )  # fmt: skip


def _dates_of(s: Series, base: np.ndarray) -> Dates:
    """First and last day of a baseline."""
    return s.period[base][0], last_day(s.period[base][-1], s.step)


def _targets(s: Series) -> np.ndarray:
    """The target in force in each period; missing where none was."""
    out = np.full(len(s.period), np.nan)
    for target in sorted(s.metric.targets, key=lambda t: t.since):
        started = [True] if not s.step or target.since == dt.date.min else s.period >= pd.Timestamp(target.since)
        out[np.broadcast_to(started, out.shape)] = target.value
    return out


def textbook_change(
    s: Series, plan: Plan, y: np.ndarray, size_of: Callable[[float], float]
) -> dict[str, Any] | None:
    """The level change inside the current phase of `y`, a version of the series with even noise; None without one.

    `size_of` turns a size in units of `y` into one of the metric.
    """
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
    record = {"date": _iso(date), "size": size, "p_value": p_value, "kind": "step" if step else "drift"}
    return {**record, "level": after}


def _changed_at(s: Series, found: dict[str, Any] | None, judged: np.ndarray) -> list[int]:
    """A step is marked at its first period, a drift at the last."""
    if found is None:
        return []
    if found["kind"] == "drift":
        return [int(np.flatnonzero(judged)[-1])]
    return [[_iso(p) for p in s.period].index(found["date"])]


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


def _caption(s: Series, plan: Plan, found: Found, expected: float) -> str:
    """One sentence: the chart, its baseline, what was adjusted, what to be careful with."""
    base, unit = plan.bases[-1], PERIODS[s.step] if s.step else "point"
    source = f"limits from {base.sum()} {unit}s"
    if s.step:
        source += f" ({words(_dates_of(s, base))})"
    name = LABEL[found.chart]
    parts = [f"{name}, {found.reason}" if found.reason else name, found.source or source, *found.notes]
    for phase in plan.phases[1:]:
        parts.append(f"set anew {_since(phase.start, s)}" + f" ({phase.reason})" * bool(phase.reason))
    for phase in plan.pending:
        parts.append(f"too few {unit}s since {_since(phase.start, s)} for limits of their own")
    if plan.excluded.any():
        count = int(plan.excluded.sum())
        parts.append(f"{count} {unit}{'s' * (count > 1)} with a known cause excluded")
    if not np.nan_to_num(found.limits.sigma[base]).any():
        parts.append("the baseline does not vary at all, so any other value is a signal")
    elif not s.step and base.sum() < 20:
        parts.append("provisional, from fewer than 20 points")
    number = "fewer than 0.1" if expected < 0.1 else f"about {expected:.1f}"
    parts.append(f"noise alone shows {number} signals on such a chart")
    return "; ".join(parts) + "."


def _since(start: Any, s: Series) -> str:
    return day(pd.Timestamp(start), year=True) if s.step else f"point {start}"


LABEL = {
    "xmr": "XmR chart", "xbar_s": "Xbar-S chart", "p": "p chart", "np": "np chart", "u": "u chart", "c": "c chart",
    "p'": "p' chart (Laney)", "u'": "u' chart (Laney)", "g": "g chart", "t": "t chart", "ewma": "EWMA chart",
    "cusum": "CUSUM chart", "run": "Run chart",
}  # fmt: skip
