"""Outages and bursts: when exactly things went wrong, for whom and at what cost, also where no daily chart shows it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from rca import sentences as say
from rca.control_chart import ControlChart
from rca.cube import Cube
from rca.incident_cells import cells_of
from rca.incident_expectation import closed_hours
from rca.incident_measure import TARGET, measure
from rca.incident_sheet import Sheet, sheet
from rca.incident_table import MOMENT, SURE, holidays, tabulate
from rca.period import day
from rca.result import Many, Result, rows

if TYPE_CHECKING:
    from rca.finding import Evidence, Finding

FEW_WEEKS = 3
WORDS = {"rate": ("incident", "incidents"), "loss": ("loss of volume", "losses of volume"),
         "surge": ("surge of volume", "surges of volume")}  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Incidents(Result):
    """Windows of time in which the usual week and chance do not explain what happened.

    table  one row per incident, those that may be chance last, surges before them, the costliest first: `incident` (its
           number), `kind` (rate: too many cases went wrong; loss, surge: too few or too many came), `start, end`
           (from and to, local clock), `who` (all, some, unclear), `segment` (those hit, else "all cases"), `cases`,
           `seen, expected` (that went wrong; of volume: that came), `lost` (their difference: cases that went wrong
           or stayed away; of a surge: cases on top) with its 95 % interval `conf_low, conf_high`, `value, usual` (the
           KPI inside, and expected), `kpi_with, kpi_without` (over all the data), `p_adj` (a bound of the false
           incidents as strong as it to expect in all the data), `daily_chart` (signal or silent on its days),
           `events` (that began on its days: coincidence to check, not proof)
    bins   the whole series: `period, cases, seen, expected, expected_cases`
    cube   what was searched
    """

    bins: pd.DataFrame
    cube: Cube
    closed_hours: int
    holidays: int

    @property
    def facts(self) -> dict[str, Any]:
        counts = {kind: int((self.table["kind"] == kind).sum()) for kind in WORDS}
        first = next(rows(self.table), None)
        width = self.bins["period"].diff().min()
        return {
            "metric": self.metric.name,
            "weeks": round(len(self.bins) * width / pd.Timedelta(days=7), 1),
            **counts,
            "unsure": int((self.table["p_adj"] > SURE).sum()),
            "lost": round(float(self.table.loc[self.table["kind"] == "rate", "lost"].sum()), 1),
            "first": None if first is None else self.sentence(first),
            "closed_hours": self.closed_hours,
            "holidays": self.holidays,
        }

    @property
    def headline(self) -> str:
        facts = self.facts
        span = say.count(facts["weeks"], "week")
        caveats = [f"{facts['unsure']} of them may be chance"] * (facts["unsure"] > 0)
        caveats += [f"fewer than {FEW_WEEKS} weeks tell little of the usual week"] * (facts["weeks"] < FEW_WEEKS)
        if facts["closed_hours"]:
            caveats.append(
                f"not judged: {say.count(facts['closed_hours'], 'hour')} of the week with hardly any cases"
            )
        if facts["holidays"]:
            caveats.append(f"volume not judged on {say.count(facts['holidays'], 'holiday')}")
        rest = f" ({'; '.join(caveats)})" if caveats else ""
        counts = [say.count(facts[kind], *words) for kind, words in WORDS.items() if facts[kind]]
        if not counts:
            return f"{self.metric.label}: no incident in {span}, and no volume that vanished or surged{rest}."
        largest = "the largest" if len(self.table) > 1 else "it was"
        return f"{self.metric.label}: {say.several(counts)} in {span}, {largest} {facts['first']}{rest}."

    @property
    def display(self) -> pd.DataFrame:
        found = list(rows(self.table))
        shown = {
            "no.": self.table["incident"],
            "what": [WORDS[row.kind][0] for row in found],
            "when": [when(row) for row in found],
            "who": [hit(row) for row in found],
            "what happened": [self.size(row) for row in found],
            "daily chart": self.table["daily_chart"],
            "coincides with": self.table["events"],
        }
        return pd.DataFrame(shown)

    def sentence(self, row: Any) -> str:
        """A row of the table in words."""
        return f"{when(row)}, {hit(row)}: {self.size(row)}"

    def size(self, row: Any) -> str:
        """How much it was: what was seen, what is usual, and the difference with its interval."""
        cases, lost = self.metric.cases, say.about(row.lost)
        if row.kind != "rate":
            way = "more" if row.kind == "surge" else "fewer"
            seen, usual = say.exactly(row.seen, cases), say.about(row.expected)
            return f"{seen} instead of {usual}, {lost} {way} ({self.spread(row)})"
        inside, usual = self.metric.text(row.value), self.metric.text(row.usual)
        noun = "events off" if self.metric.kind == "rate" else "lost"
        return f"{inside} instead of {usual} on {say.exactly(row.cases, cases)}, {lost} {noun} ({self.spread(row)})"

    def spread(self, row: Any) -> str:
        """The interval of what was lost."""
        return f"{say.about(max(row.conf_low, 0))} to {say.about(row.conf_high)}"

    def where(self, row: Any) -> dict[str, str]:
        """The segment that was hit, where it is one."""
        dimension, equals, value = row.segment.partition("=")
        return {dimension: value} if equals and ", " not in value else {}

    def findings(self, evidence: "Evidence") -> "Iterable[Finding]":
        from rca.incident_findings import incident_findings

        return incident_findings(self, evidence)

    @property
    def card(self) -> "dict[str, Any] | None":
        from rca.incident_findings import incident_card

        return None if self.metric.kind == "mean" else incident_card(self)

    def sheets(self) -> Many:
        """The evidence for those who must find out what broke: number of the incident -> Sheet."""
        found = {f"{row.incident}": sheet(self.cube, self.bins, row, f"No. {row.incident}, {self.sentence(row)}.")
                 for row in rows(self.table)}  # fmt: skip
        return Many(
            found or {"none": Sheet(self.table.iloc[:0], self.metric, "No incident, so there is no evidence.")}
        )

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.incidents import draw

        return draw(self, ax)


def when(row: Any) -> str:
    """`Thu 12 Nov, 14:10 to 15:10`; days where it took several."""
    same = row.start.normalize() == (row.end - MOMENT).normalize()
    end = f"{row.end:%H:%M}" if same else f"{row.end:%a} {day(row.end)}, {row.end:%H:%M}"
    return f"{row.start:%a} {day(row.start)}, {row.start:%H:%M} to {end}"


def hit(row: Any) -> str:
    """`all cases`, `channel chat`, or that it cannot be told."""
    if row.who == "unclear":
        return "all or some, unclear"
    return row.segment.replace("=", " ").replace("_", " ")


def incidents(cube: Cube, *, events: pd.DataFrame | None = None, chart: ControlChart | None = None) -> Incidents:
    """Search a cube of parts of a day (`period="10min"`) for outages and bursts, in the KPI and in the volume.

    Expected is what the same hour of the week shows in the other weeks, at the level of the weeks around. Windows of
    many lengths are judged against chance, the error of that expectation and the over-dispersion that the series itself
    shows at that length, for the whole and for each value of each dimension of the cube. About one false incident a
    month is allowed for; fewer occur (`bench/incidents.py`). Hours of the week with hardly any cases are not
    judged, nor is the volume of holidays, the entries of kind `holiday` in `events` (as in `Source.events`). Needs
    three weeks of data or more; what happens every week at the same hour is the profile, not an incident.

    chart  a daily chart of the same KPI: the table then says whether it is silent on the days of an incident

    >>> import rca
    >>> times = pd.date_range("2026-01-05", "2026-02-01 23:50", freq="10min")
    >>> frame = pd.DataFrame({"period": times, "n": 20, "total": 3})
    >>> frame.loc[frame["period"].between("2026-01-22 14:10", "2026-01-22 15:00"), "total"] = 18
    >>> abandoned = rca.Metric(name="abandoned", kind="proportion", better="down", cases="calls")
    >>> rca.incidents(rca.Cube(frame, abandoned, period="10min")).facts["first"]
    'Thu 22 Jan, 14:10 to 15:10, all cases: 90.0 % instead of 15.0 % on 120 calls, 90 lost (81 to 99)'
    """
    cells, metric = cells_of(cube), cube.metric
    holiday = holidays(cells.week, events)
    kinds = (True,) if metric.kind == "mean" else (False, True)
    searched = [measure(cells, metric, ~holiday | (not volume), volume) for volume in kinds]
    n, seen = cells.whole
    bins = pd.DataFrame({"period": cells.week.periods, "cases": n, "seen": seen})
    bins["expected"], bins["expected_cases"] = searched[0][0].mean, searched[-1][0].mean
    inside = cells.week.periods.isin(cube.periods)
    hours = cells.week.cells(n[None], cells.week.per_day // 24).sum(1)
    months = cells.week.length / cells.week.per_day / 28
    found = [one for _, some in searched for one in some]
    return Incidents(
        tabulate(found, cube, (n.sum(), seen.sum()), len(kinds) * TARGET * months, events, chart),
        metric,
        bins[inside].reset_index(drop=True),
        cube,
        closed_hours=int((closed_hours(cells.week, n[None]) & (hours > 0)).sum()),
        holidays=int((holiday & inside).sum() // cells.week.per_day),
    )
