"""Early warning: segments that drift towards a limit, and in how many weeks they will reach it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from rca import sentences as say
from rca.cube import Cube
from rca.drift import Watched, fitted_lines, meeting, step_fits_better
from rca.effect import one_case
from rca.errors import InputError
from rca.pareto_noise import holm
from rca.period import PERIODS, Window, day, step
from rca.result import Result, named, rows

if TYPE_CHECKING:
    from rca.finding import Evidence, Finding

ALPHA = 0.05
FEWEST = 12  # periods that tell a drift from a step
SOON = 26  # periods: a limit that is farther away is no finding
LONGEST = 520  # periods that are shown as a number
NUMBERS = [
    "n", "rate_before", "rate_after", "slope", "effect", "conf_low", "conf_high", "p_adj", "impact", "periods",
    "periods_low", "periods_high", "direction",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class EarlyWarning(Result):
    """Segments of one KPI that drift towards a limit.

    table   one row per segment that drifts, the one that is due first on top: `segment`, its dimensions, `n`,
            `rate_before, rate_after` (the line at the first and last period), `slope` (per period), `effect` (over
            the whole window) with its 95 % interval, `p_adj` (Holm, over all segments watched), `impact` (on the
            whole KPI), `periods` until the line meets the limit with its 95 % interval `periods_low, periods_high`
            (inf: perhaps never; 0: it is there)
    limit   the value that is not to be passed
    lines   one row per segment and period: `segment, period, value, fitted`
    looked  how many segments were watched
    """

    limit: float
    lines: pd.DataFrame
    looked: int
    period: str
    last: pd.Timestamp

    def where(self, i: int) -> dict[str, str]:
        return named(self.table, "n", i)

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "metric": self.metric.name,
            "limit": self.limit,
            "looked": self.looked,
            "drifting": [self.sentence(i) for i in range(len(self.table))],
        }

    @property
    def headline(self) -> str:
        facts = self.facts
        limit = f"its limit of {self.metric.text(self.limit)}"
        watched = say.exactly(facts["looked"], "segments")
        what = "; ".join(facts["drifting"][:3]) or f"none of {watched} drifts towards {limit}"
        more = len(facts["drifting"]) - 3
        parts = [what, *[f"{more} more"] * (more > 0)]
        return f"{self.metric.label}: {'; '.join(parts)}."

    def sentence(self, i: int) -> str:
        """`category beauty drifts towards its limit of 60.0 %, there in 9 weeks (6 to 15)`."""
        return f"{say.segment_words(self.where(i))} {self.course(self.table.iloc[i])}"

    def course(self, row: Any) -> str:
        """What a segment does, in words."""
        limit = f"its limit of {self.metric.text(self.limit)}"
        return f"drifts towards {limit}, {self.due(row)}" if row.periods > 0 else f"drifted past {limit}"

    def due(self, row: Any) -> str:
        """When a segment meets the limit, in words."""
        unit = PERIODS[self.period]
        if row.periods <= 0:
            return "past it now"
        if row.periods > LONGEST:
            return f"not within {say.count(LONGEST, unit)}"
        low, high = round(row.periods_low), row.periods_high
        interval = f"{low} or more" if high > LONGEST else f"{low} to {round(high)}"
        return f"there in {say.exactly(max(round(row.periods), 1), unit + 's')} ({interval})"

    @property
    def display(self) -> pd.DataFrame:
        text, found = self.metric.text, list(rows(self.table))
        shown = {
            "segment": [row.segment for row in found],
            self.metric.cases: [f"{row.n:,.0f}" for row in found],
            "then": [text(row.rate_before) for row in found],
            "now": [text(row.rate_after) for row in found],
            f"a {PERIODS[self.period]}": [self.metric.change(row.slope) for row in found],
            "limit": [text(self.limit) for _ in found],
            "reached": [self.due(row) for row in found],
        }
        return pd.DataFrame(shown)

    def findings(self, evidence: "Evidence") -> "Iterator[Finding]":
        """A finding per segment that is due within half a year."""
        from rca.finding import Finding, measured

        metric, label = self.metric, say.inner(self.metric.label)
        for i, row in enumerate(rows(self.table)):
            if row.periods > SOON:
                continue
            part = say.segment_words(self.where(i))
            levels = f"{metric.text(row.rate_before)} → {metric.text(row.rate_after)}"
            way = "drifts towards" if row.periods > 0 else "drifted past"
            first = self.lines.loc[self.lines["segment"] == row.segment, "period"].iloc[0]
            until = step(self.last, self.period, round(row.periods))
            yield Finding(
                **measured(metric, row.effect, row.conf_low, row.conf_high, row.p_adj, row.impact),
                kind="drift",
                where=self.where(i),
                reach="",
                title=f"{say.capital(part)} {way} its limit: {label} {levels}",
                headline=f"{say.capital(part)}: {label} {self.course(row)}.",
                tag="early warning",
                cases_text=f"on {say.exactly(row.n, metric.cases)}",
                remedy=f"If it goes on so, the limit is met about {day(until, year=True)}." * (row.periods > 0),
                since=first.date().isoformat(),
                when=f"drifting since {day(first)}",
                details=(
                    *[self.due(row)] * (row.periods > 0),
                    f"95 % interval {metric.interval(row.conf_low, row.conf_high)}",
                ),
                topic=f"{metric.name} {row.segment}",
            )

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.early_warning import draw

        return draw(self, ax)


def early_warning(cube: Cube, *, limit: float, within: Window = "last 26") -> EarlyWarning:
    """Fit a line to each value of each dimension and each pair of values, and forecast when it meets the limit.

    The line is told from autocorrelated noise by `rca.known_step.fit`; a p-value is corrected for every segment
    watched, and what a segment explains is taken out before the next is looked for, so that its neighbours are not
    blamed. A segment whose two levels fit better than a line has moved at once: `rca.localize` tells of it, here it
    gets no forecast. The time to the limit is a ratio, and has Fieller's interval (1954).

    limit : the value that the KPI is not to pass, in its own units: below it where more is better, else above

    >>> import rca
    >>> weeks = pd.date_range("2026-01-05", periods=26, freq="7D")
    >>> toys = pd.DataFrame({"period": weeks, "category": "toys", "n": 1000, "total": range(200, 460, 10)})
    >>> frame = pd.concat([toys, toys.assign(category="home", total=[200, 203] * 13)])
    >>> wrong = rca.Metric(name="wrong", kind="proportion", better="down")
    >>> early_warning(rca.Cube(frame, wrong, by=["category"]), limit=0.5).headline
    'Wrong: category toys drifts towards its limit of 50.0 %, there in 5 weeks (4 to 7).'
    """
    metric = cube.metric
    if not np.isfinite(limit):
        raise InputError(f"limit {limit} of {metric.name} is no number.")
    part = cube.within(within)
    times = np.arange(len(part.periods)) - (len(part.periods) - 1) / 2.0
    if len(times) < FEWEST:
        raise InputError(
            f"early_warning needs {FEWEST} {PERIODS[cube.period]}s to tell a drift, {within!r} has {len(times)}."
        )
    watched = Watched(part)
    sigma = np.sqrt(one_case(part.series(), metric.kind))
    found, looked, live = [], watched.enough.sum(), np.ones(len(watched.leaves), dtype=bool)
    for _ in range(len(watched.names)):
        n, total, enough = watched.sums(live)
        y, cases = total[enough] / n[enough], n[enough]
        slope, middle = fitted_lines(y, cases, times, sigma)
        p_adj = np.minimum(holm(2 * stats.t.sf(np.abs(slope[0]) / slope[1], len(times) - 2)) * looked / len(y), 1.0)
        if not (p_adj < ALPHA).any():
            break
        # of the sure ones that which explains most: a part that drifts is the same line with fewer cases
        best = int(np.where(p_adj < ALPHA, np.abs(slope[0]) * np.sqrt(cases.mean(axis=1)), -1.0).argmax())
        at = int(np.flatnonzero(enough)[best])
        live &= ~watched.inside[at]
        towards = bool(slope[0][best] * metric.sign < 0)
        if towards and not step_fits_better(y[best], times):
            row = meeting(metric, limit, [v[best] for v in (*slope, *middle)], times, p_adj[best])
            share = n[at].sum() / part.frame["n"].sum()
            row |= {
                "segment": watched.names[at],
                **watched.where[at],
                "n": n[at].sum(),
                "impact": row["effect"] * share,
            }
            found.append((row, y[best]))
    found.sort(key=lambda pair: (pair[0]["periods"], pair[0]["segment"]))
    lines = [
        pd.DataFrame({"segment": row["segment"], "period": part.periods, "value": y})
        .assign(fitted=np.linspace(row["rate_before"], row["rate_after"], len(y)))
        for row, y in found
    ]  # fmt: skip
    table = pd.DataFrame([row for row, _ in found], columns=["segment", *cube.by, *NUMBERS])
    columns = ["segment", "period", "value", "fitted"]
    drawn = pd.concat(lines, ignore_index=True) if lines else pd.DataFrame(columns=columns)
    return EarlyWarning(table, metric, limit, drawn, int(looked), cube.period, part.periods[-1])
