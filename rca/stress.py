"""What would break? Extreme events against a stated capacity and its limits, on the resampled history."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rca import sentences as say
from rca.cube import Cube
from rca.errors import InputError, known
from rca.period import Window
from rca.queue import HORIZON, WARM, Scenario, Weeks, backlog, play, scenario_of
from rca.result import Result, rows

if TYPE_CHECKING:
    from rca.finding import Evidence, Finding

RUNS, SEED = 200, 1
FIRST = 10.0  # weight of the finding that capacity is too small: no other KPI can be held without it
LIMITS = {"backlog": "backlog", "days_to_decision": "days to a decision", "wrongly_hit": "wrongly hit a week"}
TIMES = np.round(np.arange(1.0, 6.01, 0.1), 1)
OUTAGE = np.arange(0.0, 43.0)  # days
Array = np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Stress(Result):
    """What each scenario does to those who decide.

    table     one row per scenario, first the usual weeks: `scenario`, `severity` (times, or days of an outage), the
              worst `backlog` (median of the runs) with its 90 % band `backlog_low, backlog_high`, `days_to_decision`
              (of who waits longest), `days_to_recover` (after the event, to the backlog without it; missing: not in
              half a year), `wrongly_hit` (sellers a week while it lasts), `broken` (limits, in at least half of the
              runs), and per limit `breaks_backlog, ...`: the smallest severity at which it breaks in half of the
              runs; missing where none does
    paths     the backlog by `scenario` and `day` (0: the event begins): `low, median, high`
    capacity  decisions a day; `load`: the part of it that usual weeks need
    """

    paths: pd.DataFrame
    capacity: float
    load: float
    limits: Mapping[str, float]
    scenarios: Mapping[str, Scenario]

    panel_height = 4.6

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "metric": self.metric.name,
            "capacity": self.capacity,
            "load": self.load,
            "broken": {row.scenario: list(row.broken) for row in rows(self.table) if row.broken},
            "breaks": {row.scenario: self.breaks(row) for row in rows(self.table.iloc[1:])},
        }

    @property
    def headline(self) -> str:
        facts = self.facts
        usual, *events = list(rows(self.table))
        load = f"usual weeks need {say.percent(self.load)} of {self.capacity:g} decisions a day"
        if usual.broken:
            return f"{say.capital(load)}, and break a limit as they are: {_said(usual.broken)}."
        broken = [f"{name} ({_said(found)})" for name, found in facts["broken"].items()]
        held = len(events) - len(broken)
        parts = [f"{say.several(broken)} break{'s' * (len(broken) == 1)} limits"] * bool(broken)
        parts += [f"the limits hold in {f'the other {held}' if broken else 'every scenario'}"] * bool(held)
        return f"{say.capital(load)}; {'; '.join(parts)}."

    def breaks(self, row: Any) -> str:
        """The limit of a scenario that breaks first, and where."""
        found = {name: getattr(row, f"breaks_{name}") for name in self.limits}
        found = {name: at for name, at in found.items() if pd.notna(at)}
        if not found:
            return "none"
        first = min(found, key=lambda name: found[name])
        return f"{LIMITS[first]} at {self.scenarios[row.scenario].text(found[first])}"

    @property
    def display(self) -> pd.DataFrame:
        found = list(rows(self.table))
        shown: dict[str, list[str]] = {
            "scenario": [self.name(row) for row in found],
            "worst backlog": [say.exactly(row.backlog, "cases") for row in found],
            "90 % band": [f"{row.backlog_low:,.0f} to {row.backlog_high:,.0f}" for row in found],
            "days to a decision": [f"{row.days_to_decision:.1f}" for row in found],
            "days to recover": [
                "never" if pd.isna(r.days_to_recover) else f"{r.days_to_recover:.0f}" for r in found
            ],
            "wrongly hit a week": [f"{row.wrongly_hit:.1f}" for row in found],
            "limits broken": [_said(row.broken) for row in found],
            "breaks first": ["", *(self.breaks(row) for row in found[1:])],
        }
        return pd.DataFrame(shown)

    def name(self, row: Any) -> str:
        """`appeal wave, × 5`."""
        event = self.scenarios.get(row.scenario)
        if event is None:
            return str(row.scenario)
        days = "" if event.what == "outage" else f" for {say.exactly(event.days, 'days')}"
        return f"{row.scenario}, {event.text(event.severity)}{days}"

    def findings(self, evidence: "Evidence") -> "Iterator[Finding]":
        """Only what breaks with nothing happening: an event that may come is a plan, not a finding."""
        from rca.finding import Finding

        usual = next(rows(self.table))
        if usual.broken:
            said, comes = _said(usual.broken), "what comes in" if self.load > 1 else "busy weeks"
            yield Finding(
                metric=self.metric.name,
                label=self.metric.label,
                kind="capacity",
                where={},
                direction="worse",
                reach="",
                title=f"Usual weeks break a limit: {said}",
                headline=f"Usual weeks break a limit as they are: {said}.",
                tag="capacity",
                weight=FIRST,
                impact_text=f"{say.percent(self.load)} of the capacity needed",
                cases_text=f"backlog of up to {say.exactly(usual.backlog, self.metric.cases)}",
                remedy=f"{self.capacity:g} decisions a day are too few for {comes}.",
                details=(f"{usual.days_to_decision:.1f} days to a decision at the worst",),
            )

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.stress import draw

        return draw(self, ax)


def stress(
    cube: Cube,
    scenarios: Mapping[str, Mapping[str, Any]],
    *,
    capacity: float,
    limits: Mapping[str, float],
    appeals: Cube | None = None,
    within: Window = "last 182",
    runs: int = RUNS,
    seed: int = SEED,
) -> Stress:
    """Play events on weeks drawn from the real history, through a queue that decides `capacity` cases a day.

    Whole weeks are drawn with replacement (block bootstrap, Kuensch 1989), so that the days of a week and what comes
    together stay together; each event meets the same drawn weeks as the usual ones. The queue is the fluid one: what
    comes in and is not decided on a day waits, first come, first served (Lindley 1952). Reviewers neither tire nor
    hurry: how often a decision is wrong does not depend on the backlog.

    Parameters
    ----------
    cube : days; a proportion whose `n` are the cases that come in and whose `total` those that hit a seller wrongly
    scenarios : name -> the fields of a `Scenario`
    capacity : decisions a day, appeals included
    limits : what is not to be passed: "backlog" (cases), "days_to_decision", "wrongly_hit" (sellers a week)
    appeals : a proportion over the same cases, whose `total` are decided once more

    >>> import rca
    >>> days = pd.date_range("2026-01-05", periods=56, freq="D")
    >>> frame = pd.DataFrame({"period": days, "n": 80, "total": 2})
    >>> cube = rca.Cube(frame, rca.Metric(name="hit", kind="proportion", better="down"), period="D")
    >>> found = stress(cube, {"twice": {"days": 10}}, capacity=100, limits={"backlog": 500}, within="last 56")
    >>> found.table[["backlog", "days_to_recover", "breaks_backlog"]].iloc[1].tolist()
    [600.0, 30.0, 1.9]
    """
    if cube.metric.kind != "proportion" or cube.period != "D":
        raise InputError(
            f"stress needs a proportion by day; {cube.metric.name} is a {cube.metric.kind} by {cube.period}."
        )
    if not capacity > 0:
        raise InputError(f"capacity {capacity} is no number of decisions a day.")
    for name in limits:
        known(name, LIMITS, "limit")
    events = {name: scenario_of(name, given) for name, given in scenarios.items()}
    part = cube.within(within)
    days = len(part.periods) // 7 * 7
    if days < 28:
        raise InputError(f"stress draws from at least 4 weeks of days, {within!r} has {len(part.periods)} days.")
    weeks = np.random.default_rng(seed).integers(0, days // 7, (runs, HORIZON // 7))
    drawn = (7 * weeks[:, :, None] + np.arange(7)).reshape(runs, HORIZON)

    def sample(one: Cube, column: str) -> Array:
        """The counts of each day in each run."""
        counts = one.frame.groupby("period")[column].sum().reindex(part.periods, fill_value=0)
        return counts.to_numpy(float)[-days:][drawn]

    again = np.zeros_like(drawn, dtype=float) if appeals is None else sample(appeals.within(within), "total")
    cases = sample(part, "n")
    usual = Weeks(cases, again, sample(part, "total"), backlog(cases + again, capacity))
    none = Scenario(times=1.0)
    found, paths = [], []
    for name, event in {"usual weeks": none, **events}.items():
        inside = part.where(event.where) if event.where else part
        ratio = sample(inside, "n"), sample(inside, "total")
        grid = (
            np.array([1.0])
            if event is none
            else np.union1d(OUTAGE if event.what == "outage" else TIMES, event.severity)
        )
        played = [play(usual, event, k, ratio, capacity) for k in grid]
        at = int(np.flatnonzero(grid == event.severity)[0])
        waits, measures = played[at]
        broken = {m: np.array([(p[1][m] > limits[m]).mean() >= 0.5 for p in played]) for m in limits}
        middle = {m: float(np.median(measures[m])) for m in measures}
        low, high = np.quantile(measures["backlog"], [0.05, 0.95])
        row = {"scenario": name, "severity": event.severity, "backlog_low": low, "backlog_high": high, **middle}
        row["days_to_recover"] = middle["days_to_recover"] if np.isfinite(middle["days_to_recover"]) else np.nan
        row["broken"] = tuple(m for m in limits if broken[m][at])
        row |= {f"breaks_{m}": float(grid[b.argmax()]) if b.any() else np.nan for m, b in broken.items()}
        found.append(row)
        bands = dict(zip(("low", "median", "high"), np.quantile(waits, [0.05, 0.5, 0.95], axis=0), strict=True))
        paths.append(pd.DataFrame({"scenario": name, "day": np.arange(HORIZON) - WARM, **bands}))
    load = float((usual.cases + usual.appeals).mean() / capacity)
    drawn_paths = pd.concat(paths, ignore_index=True)
    return Stress(pd.DataFrame(found), cube.metric, drawn_paths, float(capacity), load, dict(limits), events)


def _said(limits: tuple[str, ...] | list[str]) -> str:
    return say.several([LIMITS[name] for name in limits])
