"""What a comparison has to tell: who is worse or better than the others on the same mix, and what it comes from."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from rca import sentences as say
from rca.compare import Comparison
from rca.finding import Evidence, Finding, measured, remedy
from rca.localize import Localization
from rca.result import rows


def compare_findings(found: Comparison, evidence: Evidence) -> Iterator[Finding]:
    """A finding for each segment outside the funnel. A change that a localization found there, in the same direction,
    is the same matter: where it comes from."""
    metric, label = found.metric, say.inner(found.metric.label)
    changes = evidence.of(Localization, metric.name)
    total = found.table["n"].sum()
    for row in rows(found.table[found.table["direction"] != "neutral"]):
        levels = f"{label} {metric.text(row.rate)}, {found.rival} {metric.text(row.expected)}"
        impact = row.effect * row.n / total
        size, way = metric.change(row.effect, signed=False), "above" if row.effect > 0 else "below"
        source = _source(found, row, changes)
        same = " on the same mix" * bool(found.adjust_for)
        interval = metric.interval(row.conf_low, row.conf_high)
        who = say.segment_words({found.by: row.segment})
        title = f"{say.capital(who)}: {levels}{same}"
        yield Finding(
            **measured(metric, row.effect, row.conf_low, row.conf_high, row.p_adj, impact),
            kind="level",
            where={found.by: row.segment},
            reach="",
            title=title,
            headline=f"{say.capital(who)}: {label} is {size} {way} the {found.rival}{same}.",
            tag=f"{row.direction} than the {found.rival}",
            cases=abs(row.effect) * row.n,
            cases_text=f"on {say.exactly(row.n, metric.cases)}",
            remedy=remedy(
                metric,
                f"With {who} at the level of the {found.rival}",
                _without(found, impact),
                found.within[1],
            )
            if row.direction == "worse"
            else "",
            details=(
                f"difference {metric.change(row.effect)} (95 % interval {interval})",
                *[f"before {metric.change(row.effect_before)}"]
                * bool(found.before and pd.notna(row.effect_before)),
            ),
            topic=f"{metric.name} {source or f'{found.by}={row.segment}'}",
        )


def _without(found: Comparison, impact: float) -> float:
    table = found.table
    return float((table["rate"] * table["n"]).sum() / table["n"].sum()) - impact


def _source(found: Comparison, row: Any, changes: Localization | None) -> str:
    """The segment of the largest change inside of what is worse or better, in the same direction; empty if none."""
    if changes is not None:
        for i, change in enumerate(rows(changes.table)):
            if changes.where(i).get(found.by) == row.segment and change.direction == row.direction:
                return str(change.segment)
    return ""
