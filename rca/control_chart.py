"""Did it really change? A control chart tells special causes from common ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca import level, limits, rules
from rca.cube import Cube
from rca.errors import TooLittleData
from rca.period import PERIODS, Dates, Window, day, words
from rca.result import Result
from rca.series import Series, from_cube

FEWEST = 12  # whole periods below which limits would say more about luck than about the process
RECENT = 8  # judged periods in which a signal still counts for the status


@dataclass(frozen=True, eq=False, repr=False)
class ControlChart(Result):
    """A series with its limits and what broke them.

    table     `period, value, n, center, lcl, ucl, sigma, z, phase, excluded, partial` and a boolean per rule; z is
              ±3 on the limits
    signals   one row per (period, rule): `period, rule, direction` ("up", "down" or "") and `judgement`
              ("better", "worse" or "")
    chart     its name; `reason` says why this one
    baseline  the dates that set the limits (None for plain numbers)
    target    the metric's target in force at the last whole period, or None
    level_change  `date, size, p_value, kind` ("step" or "drift"), suggested, never applied; or None
    caption   one sentence for under the picture
    """

    signals: pd.DataFrame
    chart: str
    reason: str
    baseline: Dates | None
    target: float | None
    rules: tuple[str, ...]
    level_change: dict[str, Any] | None
    caption: str
    step: str = ""

    @property
    def judged(self) -> pd.DataFrame:
        """The rows that rules look at: seen, whole, not excluded."""
        rows = self.table
        return rows[rows["value"].notna() & ~rows["partial"] & ~rows["excluded"]]

    @property
    def status(self) -> str:
        """`worse`, `better` or `steady`.

        A level change that stands decides; without one, the latest judged signal of the last 8 judged periods.
        """
        if self.level_change:
            return self.metric.judge(self.level_change["size"])
        since = self.judged["period"].iloc[-RECENT:].iloc[0]
        recent = self.signals[(self.signals["period"] >= since) & (self.signals["judgement"] != "")]
        return str(recent["judgement"].iloc[-1]) if len(recent) else "steady"

    @property
    def facts(self) -> dict[str, Any]:
        last, latest = self.judged.iloc[-1], self.signals["period"].max()
        return {
            "metric": self.metric.name,
            "chart": self.chart,
            "center": float(last["center"]),
            "lcl": float(last["lcl"]),
            "ucl": float(last["ucl"]),
            "sigma": float(last["sigma"]),
            "last": float(last["value"]),
            "last_period": _iso(last["period"]),
            "target": self.target,
            "signal_count": len(self.signals),
            "latest_signal": None if pd.isna(latest) else _iso(latest),
            "direction": "" if pd.isna(latest) else str(self.signals["direction"].iloc[-1]),
            "status": self.status,
            "expected_false_signals": round(len(self.judged) * sum(rules.RULES[r].rate for r in self.rules), 2),
            "level_change": self.level_change,
        }

    @property
    def headline(self) -> str:
        facts, metric = self.facts, self.metric
        count, changed = facts["signal_count"], facts["level_change"]
        text = f"{metric.label} is {metric.text(facts['last'])} {when(facts['last_period'], self.step)}"
        if changed:
            moved = "rose" if changed["size"] > 0 else "fell"
            size = metric.change(changed["size"], signed=False)
            since = when(changed["date"], self.step)
            if changed["kind"] == "step":
                text += f", {facts['status']}: it {moved} by {size} {since}"
            else:
                text += f", {facts['status']}: it {moved} by {size} little by little"
        elif count:
            text += f", {facts['status']}" if facts["status"] != "steady" else ", within its limits lately"
        else:
            text += f", steady around {metric.text(facts['center'])}: no signal"
        if count:
            text += f"; {count} signal{'s' * (count > 1)}, the latest {when(facts['latest_signal'], self.step)}"
        return text + "."

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.control_chart import draw

        return draw(self, ax)


def control_chart(
    cube: Cube, *, baseline: Window | None = None, rules: str | Sequence[str] = ("beyond_limits", "run_of_nine")
) -> ControlChart:
    """Choose the chart that fits the metric and its denominators, and say why.

    Parameters
    ----------
    cube : dimensions are summed over
    baseline : the window that sets the limits, frozen for the periods after it; all whole periods if None
    rules : a set of rules, or some by name (`rca.rules`)

    Raises
    ------
    TooLittleData : fewer than 12 whole periods with cases in the baseline
    """
    s = from_cube(cube)
    dates = cube.window(baseline, "baseline") if baseline is not None else None
    base = s.seen if dates is None else s.seen & (s.period >= dates[0]) & (s.period <= dates[1])
    if base.sum() < FEWEST:
        inside = "the data" if dates is None else f"baseline {words(dates)}"
        raise TooLittleData(
            f"{cube.metric.label}: {inside} has {base.sum()} whole {PERIODS[s.step]}s with {cube.metric.cases};"
            f" limits need at least {FEWEST}."
        )
    name, reason = choose(s, base)
    return build(s, base, name, reason, rules)


ESTIMATORS: dict[str, Callable[[Series, np.ndarray], limits.Limits]] = {
    "xmr": limits.xmr, "xbar_s": limits.xbar_s, "p": limits.p, "u": limits.u}  # fmt: skip


def choose(s: Series, base: np.ndarray) -> tuple[str, str]:
    """The chart for a series, and why: counts vary as chance says, or more than that."""
    name = {"proportion": "p", "mean": "xbar_s", "rate": "u"}[s.metric.kind]
    if s.metric.kind == "mean" and not ((s.n > 1) & base).any():
        return "xmr", f"one value per {PERIODS[s.step]}"
    z = ESTIMATORS[name](s, base).z[base]
    ratio = float((z**2).sum() / (base.sum() - 1))
    unit, kind = PERIODS[s.step], {"proportion": "a share", "mean": "a mean", "rate": "a rate"}[s.metric.kind]
    typical = f"{kind} of about {np.median(s.n[base]):,.0f} {s.metric.cases} a {unit}"
    if ratio > 1.5:
        return "xmr", f"{typical}; {unit}s vary {np.sqrt(ratio):.1f} times as much as chance explains"
    return name, f"{typical}; {unit}s vary no more than chance explains"


def build(s: Series, base: np.ndarray, name: str, reason: str, chosen: str | Sequence[str]) -> ControlChart:
    """Put limits, rules and the level test together."""
    found = ESTIMATORS[name](s, base)
    table = pd.DataFrame({
        "period": s.period, "value": s.value, "n": s.n, "center": found.center, "lcl": found.lcl, "ucl": found.ucl,
        "sigma": found.sigma, "z": found.z, "phase": 1, "excluded": False, "partial": s.partial,
    })  # fmt: skip
    z = np.where(s.seen, found.z, np.nan)
    names = rules.names(chosen)
    for rule in names:
        table[rule] = rules.find(rule, z)
    dates = (s.period[base][0], s.period[base][-1]) if s.step else None
    last = s.period[s.seen][-1]
    source = words(dates) if dates else f"{base.sum()} points"
    return ControlChart(
        table=table, metric=s.metric, signals=signals_of(table, z, names, s), chart=name, reason=reason,
        baseline=dates, target=s.metric.target(last) if s.step else None, rules=names, 
        level_change=level_change(s, found),
        caption=f"{name} chart ({reason}); limits from {source}.", step=s.step,
    )  # fmt: skip


def signals_of(table: pd.DataFrame, z: np.ndarray, names: Sequence[str], s: Series) -> pd.DataFrame:
    """One row per (period, rule), by period."""
    rows = []
    for rule in names:
        way = rules.direction(rule, z)
        for i in np.flatnonzero(table[rule]).tolist():
            judgement = s.metric.judge(way[i]) if s.judged and way[i] else ""
            rows.append((s.period[i], rule, {1: "up", -1: "down", 0: ""}[int(way[i])], judgement))
    frame = pd.DataFrame(rows, columns=["period", "rule", "direction", "judgement"])
    return frame.sort_values("period", kind="stable", ignore_index=True)


def level_change(s: Series, found: limits.Limits) -> dict[str, Any] | None:
    """The step or drift that the level test suggests, or None."""
    seen = s.seen
    t = np.flatnonzero(seen)
    y = found.z[seen][None, :]
    if len(t) < level.FEWEST or not np.ptp(y):
        return None
    fit = level.best_fit(y, t, level.constant(t))
    _, phi_high = level.autocorrelation(fit.residual, t, len(t) / 2)
    strength = float(level.strength(fit.ratio, phi_high)[0])
    if strength <= 3:
        return None
    at = int(fit.at[0])
    size = float(fit.size[0] * np.median(found.sigma[seen]))
    return {
        "date": _iso(s.period[seen][at]),
        "size": size,
        "p_value": float(level.p_value(np.array([strength]), len(t))[0]),
        "kind": "step" if fit.step[0] else "drift",
    }


def when(period: Any, step: str) -> str:
    """A period in a sentence: `in the week of 9 Nov 2026`."""
    if not step:
        return f"at {period}"
    date = pd.Timestamp(period)
    return {"D": f"on {day(date, year=True)}", "W": f"in the week of {day(date, year=True)}",
            "M": f"in {date:%b %Y}"}[step]  # fmt: skip


def _iso(period: Any) -> Any:
    return period.date().isoformat() if isinstance(period, pd.Timestamp) else int(period)
