"""What a localization has to tell: the segments that changed, and what all scopes show over all their cases."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from rca import sentences as say
from rca.finding import TAGS, Evidence, Finding, measured, remedy
from rca.localize import ALL, Localization
from rca.metric import Metric
from rca.reach import Reach
from rca.result import rows

NEARLY_ALL = 0.9  # a part that explains this much of a change, within noise, explains it all
BACK = "At the former level"


def rate_findings(change: Localization, evidence: Evidence) -> Iterator[Finding]:
    """A finding for each segment, and one for what is common to all scopes."""
    reach = evidence.of(Reach, change.metric.name)
    reached = {} if reach is None else {row.segment: row for row in rows(reach.table)}
    whole = reached.get(ALL)
    common = whole is not None and whole.reach == "common"
    for i, row in enumerate(rows(change.table)):
        if not (common and row.segment == ALL):
            yield _segment(change, change.where(i), row, reached.get(row.segment), evidence)
    if common:
        yield _whole(change, whole, evidence)


def _whole(change: Localization, row: Any, evidence: Evidence) -> Finding:
    """What all show, also where this scope is too small to show it by itself: the p-value is that of the others."""
    metric, before = change.metric, change.value_before
    return Finding(
        **measured(metric, row.effect, row.conf_low, row.conf_high, row.others_p_value, row.effect),
        kind="rate",
        where={},
        reach="common",
        title=say.rate_title(metric, {}, before, before + row.effect),
        headline=_common(metric, row.effect),
        tag=TAGS["common"],
        cases_text=f"on all {metric.cases}",
        remedy=_remedy(change, row.effect, "Without it"),
        details=(
            f"95 % interval {metric.interval(row.conf_low, row.conf_high)}",
            *_elsewhere(metric, row, evidence),
        ),
    )


def _segment(
    change: Localization, where: dict[str, str], row: Any, others: Any | None, evidence: Evidence
) -> Finding:
    metric = change.metric
    everyone = not evidence.source.scope  # a report on all: what moved in all cases is common
    reach = ("own" if where else "common") if everyone else "unknown" if others is None else others.reach
    back = "Without it" if reach == "common" else f"{BACK} there" if where else BACK
    return Finding(
        **measured(metric, row.effect, row.conf_low, row.conf_high, row.p_adj, row.impact),
        kind="rate",
        where=where,
        reach=reach,
        title=say.rate_title(metric, where, row.rate_before, row.rate_after),
        headline=_common(metric, row.impact) if reach == "common" else _headline(change, where, row),
        tag="" if _partner(evidence) else TAGS[reach].format(scope=evidence.scope or "there"),
        cases=row.cases,
        cases_text=_cases_text(change, row.cases),
        remedy=_remedy(change, row.impact, back),
        details=(
            f"95 % interval {metric.interval(row.conf_low, row.conf_high)}",
            *(() if others is None else _elsewhere(metric, others, evidence)),
        ),
        topic=f"{metric.name} {row.segment}",
    )


def _elsewhere(metric: Metric, row: Any, evidence: Evidence) -> Iterator[str]:
    """The others in a row of `Reach.table`, where they can be compared."""
    if _partner(evidence):
        return
    if row.reach != "unknown":
        yield f"elsewhere {metric.change(row.others_effect)}"
    if row.reach in ("common", "shared"):
        yield f"{row.moved} of {row.others} others {'shows' if row.moved == 1 else 'show'} it too"


def _partner(evidence: Evidence) -> bool:
    """Whether a partner reads it, who is told of the others only what is common to all."""
    return evidence.source.audience == "partner"


def _headline(change: Localization, where: dict[str, str], row: Any) -> str:
    metric, whole = change.metric, change.value_after - change.value_before
    total, effect, impact = (metric.change(v, signed=False) for v in (whole, row.effect, row.impact))
    if not where:
        return f"{metric.label} {say.moved(row.effect)} by {effect} in all cases alike."
    part, explained = say.segment_words(where), row.impact / whole if whole else 0.0
    if 0 < explained < NEARLY_ALL:
        return f"{metric.label} {say.moved(whole)} by {total}; {part} explains {impact} of it."
    if NEARLY_ALL <= explained <= 1 / NEARLY_ALL:
        return f"{metric.label} {say.moved(whole)} by {total}; {part} explains it all."
    return f"{say.capital(part)}: {say.inner(metric.label)} {say.moved(row.effect)} by {effect}."


def _common(metric: Metric, impact: float) -> str:
    size = metric.change(impact, signed=False)
    return f"No change of its own; {say.inner(metric.label)} {say.moved(impact)} by {size}, common to all."


def _remedy(change: Localization, impact: float, how: str) -> str:
    """Nothing to set right where it got better."""
    worse = pd.notna(impact) and change.metric.judge(impact) == "worse"
    return remedy(change.metric, how, change.value_after - impact, change.after[1]) if worse else ""


def _cases_text(change: Localization, cases: float) -> str:
    """How many cases a week came out differently; a mean has none to count."""
    first, last = change.after
    days = (last - first).days + 1
    if change.metric.kind == "mean":
        return f"on the mean of all {change.metric.cases}"
    noun = "event" if change.metric.kind == "rate" else say.singular(change.metric.cases)
    many = "events" if change.metric.kind == "rate" else change.metric.cases
    return f"≈ {say.count(cases / max(days / 7, 1), noun, many)}" + " a week" * (days >= 7)
