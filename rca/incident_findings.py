"""What a search for incidents has to tell: each one that is hardly chance, with when, who and what it cost."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from rca import sentences as say
from rca.finding import Evidence, Finding, remedy
from rca.incident_cells import counts_good
from rca.incident_table import MOMENT, SURE
from rca.incidents import WORDS, Incidents, hit, when
from rca.kpi_card import rounded
from rca.result import rows

PERIOD = pd.Timedelta(days=2)  # what takes longer is rather a new level
COST = {"rate": "lost", "loss": "did not come", "surge": "on top"}
RANK = {"rate": 1.0, "loss": 1.0, "surge": 0.01}  # cases on top cost nothing by themselves: they come last


def incident_findings(found: Incidents, _: Evidence) -> Iterator[Finding]:
    """A finding for each incident, ranked by the cases that it cost at least."""
    metric = found.metric
    for row in rows(found.table):
        rate = row.kind == "rate"
        cost = f"{say.about(row.lost, metric.cases)} {COST[row.kind]}"
        place = f"{say.capital(hit(row))}, {when(row)}"
        yield Finding(
            metric=metric.name,
            label=metric.label,
            kind="incident" if rate else "volume",
            where=found.where(row),
            direction="neutral" if row.kind == "surge" else "worse",
            reach="",
            title=f"{place}: {found.size(row).partition(', ')[0]}",
            headline=f"{place}: {cost}.",
            tag=WORDS[row.kind][0],
            effect=row.value - row.usual,
            p_adj=row.p_adj,
            impact=row.kpi_with - row.kpi_without,
            impact_text=f"{cost} ({found.spread(row)})",
            cases=row.lost,
            cases_text="",
            remedy=remedy(metric, "Without it", row.kpi_without, row.end) if rate else "",
            when=when(row),
            since=row.start.date().isoformat(),
            until=(row.end - MOMENT).date().isoformat(),
            events=row.events,
            details=tuple(_details(row)),
            weight=max(row.conf_low, 0.0) * RANK[row.kind],
        )


def incident_card(found: Incidents) -> dict[str, Any]:
    """The KPI over all the days, and by day in the hours that are judged; days with incidents are marked."""
    metric, bins = found.metric, found.bins
    n, seen = bins["cases"].sum(), bins["seen"].sum()
    value = (n - seen if counts_good(metric) else seen) / n
    judged = bins[bins["expected"] > 0]
    days = judged.groupby(judged["period"].dt.normalize())[["cases", "seen"]].sum()
    each = days["seen"] / days["cases"]
    each = 1 - each if counts_good(metric) else each
    target = metric.target(bins["period"].iloc[-1])
    sure = found.table[(found.table["kind"] == "rate") & (found.table["p_adj"] <= SURE)]
    hit = np.zeros(len(each), dtype=bool)
    for row in rows(sure):
        hit |= (each.index >= row.start.normalize()) & (each.index < row.end)
    ends = [float(f([*each.dropna(), *([] if target is None else [target])])) for f in (min, max)]
    return {
        "metric": metric.name,
        "label": metric.label,
        "value": rounded(value),
        "text": metric.text(value),
        "target": target,
        "target_text": "" if target is None else f"target {metric.text(target)}",
        "change_text": f"over {say.count(found.facts['weeks'], 'week')}",
        "status": "worse" if len(sure) else "steady",
        "status_text": say.count(len(sure), "incident") if len(sure) else "no incident",
        "trend": "flat",
        "spark": [rounded(v) for v in each],
        "signals": np.flatnonzero(hit).tolist(),
        "periods": [day.date().isoformat() for day in each.index],
        "axis": [metric.text(end) for end in ends],
    }


def _details(row: Any) -> Iterator[str]:
    if row.events:
        yield f"coincides with {row.events}"
    if row.who == "unclear":
        yield "whether all were hit or some cannot be told"
    if row.daily_chart == "silent":
        yield "the daily chart is silent"
    if row.end - row.start > PERIOD:
        yield "so long that it is rather a new level: see the daily chart"
