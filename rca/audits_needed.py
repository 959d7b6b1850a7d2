"""How many audits it takes to tell a change of some points from chance, and how many weeks that is at today's pace."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from rca import sentences as say
from rca.cube import Cube
from rca.errors import InputError, known
from rca.period import PERIODS, Window
from rca.result import Result, rows

POWER, ALPHA = 0.8, 0.05


@dataclass(frozen=True, eq=False, repr=False)
class AuditsNeeded(Result):
    """What audits can tell.

    table    one row per segment (all cases first) and difference: `segment, rate, pace` (audits a period), `difference`
             (in KPI units, towards worse), `needed` (audits before, and as many after), `periods` (at that pace)
    by       what the segments are of
    period   what a period is, in words
    """

    by: str
    period: str

    @property
    def facts(self) -> dict[str, Any]:
        whole = self.table[self.table["segment"] == "all cases"]
        large = self.table["difference"].abs()
        slow = self.table[(large == large.max()) & (self.table["segment"] != "all cases")]
        last = None if slow.empty else slow.loc[slow["periods"].idxmax()]
        return {
            "metric": self.metric.name,
            "needed": {self.words(row.difference): int(row.needed) for row in rows(whole)},
            "periods": {self.words(row.difference): row.periods for row in rows(whole)},
            "slowest": "" if last is None else last["segment"].partition("=")[2],
            "slowest_periods": None if last is None else float(last["periods"]),
        }

    @property
    def headline(self) -> str:
        facts, label = self.facts, say.inner(self.metric.label)
        told = [
            f"{change} take {say.exactly(needed, self.metric.cases)} before and after ({self._time(periods)})"
            for (change, needed), periods in zip(facts["needed"].items(), facts["periods"].values(), strict=True)
        ]
        worst = self.table["difference"].abs().max()
        if not facts["slowest"]:
            return f"To tell a worse {label}: {', '.join(told) or 'no difference is possible'}."
        last = f"{self.words(worst)} in {facts['slowest']}"
        return f"To tell a worse {label}: {', '.join(told)}; {last} take {self._time(facts['slowest_periods'])}."

    def words(self, difference: Any) -> str:
        """`2.0 points`."""
        return self.metric.change(difference, signed=False)

    def _time(self, periods: float) -> str:
        whole = int(np.ceil(periods))
        return f"{whole:,} {self.period}{'s' * (whole != 1)} each"

    @property
    def display(self) -> pd.DataFrame:
        wide = self.table.pivot(index="segment", columns="difference", values="needed")
        first = self.table.drop_duplicates("segment")
        return pd.DataFrame(
            {
                self.by.replace("_", " "): [segment.partition("=")[2] or segment for segment in first["segment"]],
                "level": first["rate"].map(self.metric.text).to_numpy(),
                f"{self.metric.cases} a {self.period}": [f"{pace:,.0f}" for pace in first["pace"]],
                **{
                    f"to tell {self.words(d)}": wide[d].reindex(first["segment"]).map("{:,.0f}".format).to_numpy()
                    for d in wide.columns
                },
            }
        )

    @property
    def panel_height(self) -> float:
        return 1.1 + 0.3 * self.table["segment"].nunique()

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.audits_needed import draw

        return draw(self, ax)


def needed(rate: float, other: float, power: float = POWER, alpha: float = ALPHA) -> float:
    """Cases on each side of a comparison of two proportions, two-sided: Fleiss, Levin & Paik (2003), Statistical
    Methods for Rates and Proportions, 3rd ed., section 4.2, without the correction for continuity.

    >>> round(needed(0.10, 0.15))
    686
    """
    mean, sides = (rate + other) / 2, rate * (1 - rate) + other * (1 - other)
    spread = norm.isf(alpha / 2) * np.sqrt(2 * mean * (1 - mean)) + norm.isf(1 - power) * np.sqrt(sides)
    return float((spread / (rate - other)) ** 2)


def audits_needed(
    cube: Cube, *, by: str, within: Window = "all", differences: Sequence[float] = (0.02, 0.05)
) -> AuditsNeeded:
    """For all cases and each value of `by`, the audits to tell each of the `differences` of a proportion (towards
    worse, in four of five cases, with one false alarm in twenty) and how long they take.

    >>> frame = pd.DataFrame({"period": pd.date_range("2026-01-05", periods=4, freq="7D"), "policy": "A", "n": 300,
    ...                       "total": 270})
    >>> accuracy = __import__("rca").Metric(name="accuracy", kind="proportion", better="up", cases="audits")
    >>> audits_needed(Cube(frame, accuracy, by=["policy"]), by="policy", differences=[0.05]).headline.partition(";")[0]
    'To tell a worse accuracy: 5.0 points take 686 audits before and after (3 weeks each)'
    """
    if cube.metric.kind != "proportion":
        raise InputError(f"audits_needed is about a proportion, and {cube.metric.name} is a {cube.metric.kind}.")
    known(by, cube.by, "dimension")
    part = cube if within == "all" else cube.within(within)
    groups = [("all cases", part.frame), *((f"{by}={value}", group) for value, group in part.frame.groupby(by))]
    found = []
    for segment, frame in groups:
        n, total = frame["n"].sum(), frame["total"].sum()
        rate, pace = total / n, n / len(part.periods)
        for difference in differences:
            other = rate - cube.metric.sign * difference
            if 0 < other < 1:
                audits = np.ceil(needed(rate, other))
                found.append((segment, rate, pace, -cube.metric.sign * difference, audits, audits / pace))
    columns = ["segment", "rate", "pace", "difference", "needed", "periods"]
    return AuditsNeeded(pd.DataFrame(found, columns=columns), cube.metric, by, PERIODS[cube.period])
