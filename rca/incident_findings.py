"""What a search for incidents has to tell: each one that is hardly chance, with when, who and what it cost."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from rca import sentences as say
from rca.finding import Evidence, Finding, remedy
from rca.incidents import WORDS, Incidents, hit, when
from rca.result import rows

PERIOD = pd.Timedelta(days=2)  # what takes longer is rather a new level
RANK = {"rate": 1.0, "loss": 1.0, "surge": 0.01}  # cases on top cost nothing by themselves: they come last


def incident_findings(found: Incidents, _: Evidence) -> Iterator[Finding]:
    """A finding for each incident, ranked by the cases that it cost at least."""
    metric = found.metric
    for row in rows(found.table):
        rate = row.kind == "rate"
        what = found.size(row)
        who, lost = (
            say.capital(hit(row)),
            f"{row.lost:,.0f} {metric.cases if round(row.lost) != 1 else say.singular(metric.cases)}",
        )
        cost = f"{lost} {'lost' if rate else 'on top' if row.kind == 'surge' else 'that did not come'}"
        yield Finding(
            metric=metric.name,
            label=metric.label,
            kind="incident" if rate else "volume",
            where=found.where(row),
            direction="neutral" if row.kind == "surge" else "worse",
            reach="",
            title=f"{who}, {when(row)}: {what.partition(', ')[0]}",
            headline=f"{who}, {when(row)}: {cost}.",
            tag=WORDS[row.kind][0],
            effect=row.value - row.usual,
            p_adj=row.p_adj,
            impact=row.kpi_with - row.kpi_without,
            impact_text=cost,
            cases=row.lost,
            cases_text=f"95 % interval {found.spread(row)}",
            remedy=remedy(metric, "Without it", row.kpi_without, row.end) if rate else "",
            since=row.start.isoformat(),
            until=row.end.isoformat(),
            events=row.events,
            details=tuple(_details(row)),
            weight=max(row.conf_low, 0.0) * RANK[row.kind],
        )


def _details(row: Any) -> Iterator[str]:
    if row.events:
        yield f"coincides with {row.events}"
    if row.who == "unclear":
        yield "whether all were hit or some cannot be told"
    if row.daily_chart == "silent":
        yield "the daily chart is silent"
    if row.end - row.start > PERIOD:
        yield "so long that it is rather a new level: see the daily chart"
