"""Did the last change of each SOP help? Every one that got a new version, compared with those that kept theirs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from rca import sentences as say
from rca.cube import Cube
from rca.errors import TooLittleData, known
from rca.fix_check import FixCheck, fix_check
from rca.period import day
from rca.result import Result, rows

if TYPE_CHECKING:
    from rca.finding import Evidence, Finding

ALPHA = 0.05
DIRECTION = {"worked": "better", "got worse": "worse"}
COLUMNS = [
    "segment", "version", "since", "n", "rate_before", "rate_after", "effect", "conf_low", "conf_high", "p_adj",
    "direction", "verdict", "impact", "kpi_without",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class VersionChecks(Result):
    """What the last change of each SOP did to one KPI.

    table  one row per SOP whose version changed, surest first: `segment` (`sop=SOP-101`), `version` (the new one),
           `since` (the first period from which on most of its cases have it), `n` (cases since it took hold),
           `rate_before` (what it would be without the change), `rate_after`, `effect` with its 95 % interval
           `conf_low, conf_high`, `p_adj` (Benjamini-Hochberg over the SOPs), `direction` (better, worse, neutral),
           `verdict` (better, worse, no effect, cannot be told yet), `impact` (on the whole KPI since), `kpi_without`
    of     the dimension of the SOPs
    """

    of: str

    @property
    def moved(self) -> pd.DataFrame:
        return self.table[self.table["direction"] != "neutral"]

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "metric": self.metric.name,
            "changed": len(self.table),
            "moved": [self.sentence(row) for row in rows(self.moved)],
            "none": [self.name(row) for row in rows(self.table) if row.verdict == "no effect"],
            "open": [self.name(row) for row in rows(self.table) if row.verdict == "cannot be told yet"],
        }

    @property
    def headline(self) -> str:
        facts, what = self.facts, self.of.replace("_", " ")
        if not facts["changed"]:
            return f"{self.metric.label}: no {what} got a new version that can be compared."
        parts = facts["moved"] or ["no change beyond noise with a new version"]
        parts += [f"no effect of {say.several(facts['none'])}"] * bool(facts["none"])
        parts += [f"{say.several(facts['open'])} cannot be told yet"] * bool(facts["open"])
        return f"{self.metric.label}: {'; '.join(parts)}."

    def name(self, row: Any) -> str:
        """`SOP-101 v3`."""
        return f"{row.segment.partition('=')[2]} {row.version}"

    def sentence(self, row: Any) -> str:
        """What one change did, in words."""
        effect, interval = self.metric.change(row.effect), self.metric.interval(row.conf_low, row.conf_high)
        return f"{row.verdict} with {self.name(row)} of {day(row.since)}, {effect} (95 % interval {interval})"

    @property
    def display(self) -> pd.DataFrame:
        text, found = self.metric.text, list(rows(self.table))
        shown = {
            self.of.replace("_", " "): [self.name(row) for row in found],
            "since": [day(row.since) for row in found],
            "without it": [text(row.rate_before) for row in found],
            "with it": [text(row.rate_after) for row in found],
            "95 % interval": [self.metric.interval(row.conf_low, row.conf_high) for row in found],
            "verdict": [row.verdict for row in found],
        }
        return pd.DataFrame(shown)

    def findings(self, evidence: "Evidence") -> "Iterator[Finding]":
        """A finding for each change that made it better or worse; the same segment's own change is the same matter."""
        from rca.finding import Finding, measured, remedy

        label, text = say.inner(self.metric.label), self.metric.text
        for row in rows(self.moved):
            dimension, _, value = row.segment.partition("=")
            levels = f"{label} {text(row.rate_before)} → {text(row.rate_after)}"
            yield Finding(
                **measured(self.metric, row.effect, row.conf_low, row.conf_high, row.p_adj, row.impact),
                kind="version",
                where={dimension: value},
                reach="",
                title=f"{self.name(row)} made it {row.verdict}: {levels}",
                headline=f"{self.name(row)} made it {row.verdict}: {levels}.",
                tag="new version",
                cases=abs(row.effect) * row.n,
                cases_text=f"on {say.exactly(row.n, self.metric.cases)} since",
                remedy=remedy(self.metric, "With the former version", row.kpi_without, evidence.source.extent[1])
                if row.direction == "worse"
                else "",
                since=row.since.date().isoformat(),
                when=f"since {day(row.since)}",
                details=(f"95 % interval {self.metric.interval(row.conf_low, row.conf_high)}",),
                topic=f"{self.metric.name} {row.segment}",
            )

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.localize import effects

        return effects(self, ax, "what new versions did", "No new version that can be compared yet")


def version_checks(cube: Cube, *, of: str = "sop", version: str = "sop_version") -> VersionChecks:
    """Check the last change of every SOP: `rca.fix_check` from the period on in which most of its cases have the new
    version, for good, with the SOPs that kept theirs as the comparison.

    of, version  dimensions of the cube: the SOP, and its version

    >>> import rca
    >>> weeks = pd.date_range("2026-01-05", periods=38, freq="7D")
    >>> rows = [(week, sop, "v2" if sop == "A" and i > 25 else "v1", 1000, 100 + 60 * (sop == "A" and i > 25) + i % 3)
    ...         for i, week in enumerate(weeks) for sop in "ABCD"]
    >>> frame = pd.DataFrame(rows, columns=["period", "sop", "sop_version", "n", "total"])
    >>> reopened = rca.Metric(name="reopened", kind="proportion", better="down")
    >>> version_checks(rca.Cube(frame, reopened, by=["sop", "sop_version"])).headline.partition(",")[0]
    'Reopened: worse with A v2 of 6 Jul'
    """
    for dimension in (of, version):
        known(dimension, cube.by, "dimension")
    changes = _changes(cube, of, version)
    plain = cube.over([of])
    counts = plain.frame.groupby(of)["period"].nunique()
    kept = [name for name in counts.index[counts == counts.max()] if name not in changes]
    found = []
    for name, (new, since) in changes.items():
        try:
            check = fix_check(plain, change_at=since, where={of: name}, controls={of: kept} if kept else None)
        except TooLittleData:
            continue
        found.append(
            _row(check, new, f"{of}={name}", plain.frame.loc[plain.frame["period"] >= since, ["n", "total"]])
        )
    table = pd.DataFrame(found, columns=COLUMNS)
    tested = table["p_adj"].notna()
    table.loc[tested, "p_adj"] = false_discovery_control(table.loc[tested, "p_adj"]) if tested.any() else np.nan
    chance = (table["direction"] != "neutral") & (table["p_adj"] > ALPHA)
    table.loc[chance, ["direction", "verdict"]] = "neutral", "cannot be told yet"
    return VersionChecks(table.sort_values(["p_adj", "segment"], ignore_index=True), cube.metric, of)


def _changes(cube: Cube, of: str, version: str) -> dict[str, tuple[str, pd.Timestamp]]:
    """The version that each SOP has in the end, and the first period from which on most of its cases have it; none
    where that is the first period of all."""
    found = {}
    for name, part in cube.frame.groupby(of, sort=True):
        n = part.pivot_table(index="period", columns=version, values="n", aggfunc="sum", fill_value=0)
        most = n.idxmax(axis=1)
        other = most.index[most != most.iloc[-1]]
        if len(other):
            found[str(name)] = str(most.iloc[-1]), most.index[most.index > other[-1]][0]
    return found


def _row(check: FixCheck, version: str, segment: str, whole: pd.DataFrame) -> dict[str, Any]:
    """A check as a row of the table; `whole`: all cases since the change, of which the SOP's are a part."""
    n, total = whole.sum()
    after, without = check.levels if not np.isnan(check.effect) else (np.nan, np.nan)
    own = float(check.table.loc[check.table["period"] >= check.change_at, "n"].sum())
    direction = DIRECTION.get(check.verdict, "neutral")
    return {
        "segment": segment, "version": version, "since": check.change_at,
        "n": float(check.table.loc[check.table["phase"] == "after", "n"].sum()),
        "rate_before": without, "rate_after": after,
        "effect": check.effect, "conf_low": check.conf_low, "conf_high": check.conf_high, "p_adj": check.p_value,
        "direction": direction, "verdict": direction if direction != "neutral" else check.verdict,
        "impact": check.effect * own / n, "kpi_without": (total - check.effect * own) / n,
    }  # fmt: skip
