"""What a control chart found: its limits, what broke them, what it suggests, and how it says so."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import pandas as pd

from rca.charts.assurance import assurance, share_on_target
from rca.period import Dates, day
from rca.result import Result

RECENT = 8  # judged periods in which a signal still counts for the status


@dataclass(frozen=True, eq=False, repr=False)
class ControlChart(Result):
    """A series with its limits and what broke them.

    table         `period, value, n, center, lcl, ucl, sigma, z, phase, excluded, partial, target` and a boolean
                  per rule; `note` where causes are excluded; z is ±3 on the limits. A missing period has no value
    signals       one row per (period, rule): `period, rule, direction` ("up", "down" or "") and `judgement`
                  ("better", "worse" or ""); its index is the row of `table`
    chart         its name; `reason` says why this one
    baseline      the dates that set the limits of the current phase (None for plain numbers)
    target        the metric's target in force at the last whole period, or None
    rules         the rules that were asked
    level_change  `date, size, p_value, kind` ("step" or "drift") and the new `level`: suggested, never applied
    caption       one sentence for under the picture: chart, baseline, what was adjusted, caveats
    expected      signals that noise alone would show on this chart
    sigma_z       how much more the periods vary than chance explains (None where chance says nothing)
    phi           correlation of neighbouring periods that the limits allow for (None: not adjusted)
    season        the pattern that was taken out: "", "weekday", "yearly" or both
    spread        moving ranges or standard deviations with their limits: `period, value, center, lcl, ucl, beyond`
    phases        `start` and `reason` of each phase
    caveat        what a reader of the headline must know about the limits, or ""
    events        what else happened: `start, end, title`
    whole         `period, value, n, total` of the KPI itself, where the chart is of the gaps between its events
    """

    panel_height: ClassVar[float] = 2.8

    signals: pd.DataFrame
    chart: str
    reason: str
    baseline: Dates | None
    target: float | None
    rules: tuple[str, ...]
    level_change: dict[str, Any] | None
    caption: str
    expected: float
    sigma_z: float | None = None
    phi: float | None = None
    season: str = ""
    spread: pd.DataFrame | None = None
    phases: tuple[dict[str, Any], ...] = ()
    events: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["start", "end", "title"]))
    caveat: str = ""
    step: str = ""
    judges: bool = True
    whole: pd.DataFrame | None = None

    @cached_property
    def judged(self) -> pd.DataFrame:
        """The rows that rules look at: seen, whole, not excluded."""
        rows = self.table
        return rows[rows["value"].notna() & ~rows["partial"] & ~rows["excluded"]]

    @cached_property
    def status(self) -> str:
        """`worse`, `better` or `steady`.

        A level change that still stands (suggested, no new phase since) decides; without one, the latest judged
        signal of the last 8 judged periods; without that, the chart is steady.
        """
        if self.level_change and self.judges:
            return self.metric.judge(self.level_change["size"])
        judged = self.recent[self.recent["judgement"] != ""]
        return str(judged["judgement"].iloc[-1]) if len(judged) else "steady"

    @cached_property
    def recent(self) -> pd.DataFrame:
        """The signals of the last 8 judged periods."""
        return self.signals[self.signals.index >= self.judged.index[-RECENT:][0]]

    @cached_property
    def assurance(self) -> dict[str, Any] | None:
        """Whether the current phase hits the target: `verdict`; `share` of its periods that did, `low`, `high`."""
        rows = self.judged
        rows = rows[(rows["phase"] == rows["phase"].iloc[-1]) & rows["target"].notna()]
        if self.target is None or not self.judges or rows.empty:
            return None
        last, better = rows.iloc[-1], self.metric.better
        share, low, high = share_on_target(rows["value"].to_numpy(), rows["target"].to_numpy(), better)
        verdict = assurance(last["lcl"], last["ucl"], self.target, better)
        return {"verdict": verdict, "share": share, "low": low, "high": high, "periods": len(rows)}

    @cached_property
    def facts(self) -> dict[str, Any]:
        last, signals = self.judged.iloc[-1], self.signals
        latest = signals.iloc[-1] if len(signals) else None
        return {
            "metric": self.metric.name,
            "chart": self.chart,
            "baseline": [iso(d) for d in self.baseline] if self.baseline else None,
            **{name: _number(last[name]) for name in ("center", "lcl", "ucl", "sigma")},
            "last": float(last["value"]),
            "last_period": iso(last["period"]),
            "target": self.target,
            "assurance": self.assurance,
            "signal_count": len(signals),
            "latest_signal": None if latest is None else iso(latest["period"]),
            "direction": "" if latest is None else str(latest["direction"]),
            "status": self.status,
            "expected_false_signals": round(self.expected, 2),
            "level_change": self.level_change,
            "sigma_z": self.sigma_z,
            "autocorrelation": self.phi,
            "season": self.season,
            "caveat": self.caveat,
        }

    @property
    def headline(self) -> str:
        facts, metric = self.facts, self.metric
        text = f"{metric.label} is {metric.text(facts['last'])} {when(facts['last_period'], self.step)}"
        if facts["target"] is not None:
            text += f" (target {metric.text(facts['target'])})"
        changed, points = facts["level_change"], self.signals[self.signals["rule"] != "level_change"]
        if changed:
            status = f", {facts['status']}:" if facts["status"] != "steady" else ";"
            moved = "rose" if changed["size"] > 0 else "fell"
            way = when(changed["date"], self.step) if changed["kind"] == "step" else "little by little"
            text += f"{status} it {moved} by {metric.change(changed['size'], signed=False)} {way}"
        elif points.empty:
            center = f" around {metric.text(facts['center'])}" if facts["center"] is not None else ""
            text += f", steady{center}: no signal"
        if len(points):
            latest = points.iloc[-1]
            some = "1 signal" if len(points) == 1 else f"{len(points)} signals, the latest"
            text += f"; {some} {when(iso(latest['period']), self.step)}"
            text += f" ({latest['judgement']})" * bool(latest["judgement"])
            text += ", none since" * bool(latest["period"] < self.judged["period"].iloc[-1])
        return text + f"; {self.caveat}" * bool(self.caveat) + "."

    @property
    def display(self) -> pd.DataFrame:
        """The signals in words."""
        rows = self.signals
        return pd.DataFrame({
            "period": [iso(p) for p in rows["period"]],
            "value": [self.metric.text(v) for v in self.table["value"].loc[rows.index]],
            "rule": rows["rule"].str.replace("_", " "),
            "judgement": rows["judgement"].where(rows["judgement"] != "", rows["direction"]),
        })  # fmt: skip

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.control_chart import draw

        return draw(self, ax)

    def plot_spread(self, ax: Any = None) -> Any:
        """Draw the moving ranges or standard deviations; run rules are never applied to them."""
        from rca.plotting.control_chart import draw_spread

        return draw_spread(self, ax)


def when(period: Any, step: str) -> str:
    """A period in a sentence.

    >>> when("2026-11-09", "W"), when("2026-11-01", "M"), when(27, "")
    ('in the week of 9 Nov 2026', 'in Nov 2026', 'at point 27')
    """
    if not step:
        return f"at point {period}"
    date = pd.Timestamp(period)
    if step == "M":
        return f"in {date:%b %Y}"
    return f"{'in the week of' if step == 'W' else 'on'} {day(date, year=True)}"


def iso(period: Any) -> Any:
    """A period as JSON has it: an ISO date, or the number of a point."""
    return period.date().isoformat() if isinstance(period, pd.Timestamp) else int(period)


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
