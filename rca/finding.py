"""One thing that happened in a scope, read off the result that found it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from rca import sentences as say
from rca.localize import Localization
from rca.metric import Metric
from rca.mix import Mix
from rca.onset import words as when
from rca.reach import Reach, label
from rca.result import rows
from rca.source import Source

TAGS = {
    "own": "{scope} only",
    "shared": "also at some others",
    "common": "common to all",
    "unknown": "others unknown",
}


@dataclass(frozen=True)
class Finding:
    """One thing that happened, as the page and the index show it (JSON keys in `Findings.record`)."""

    metric: str
    label: str
    kind: str  # "rate": a segment changed; "mix": volume moved between segments
    where: Mapping[str, str]
    direction: str
    reach: str
    title: str
    tag: str
    effect: float
    conf_low: float
    conf_high: float
    p_adj: float
    impact: float
    impact_text: str
    cases: float
    cases_text: str
    details: tuple[str, ...] = ()
    weight: float = 0.0  # impact in sigmas of the KPI's chart: what findings of different KPIs are ranked by
    rank: int = 0
    segment: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "segment", label(self.where))


def segments(change: Localization, reach: Reach | None, source: Source) -> Iterator[Finding]:
    """The segments whose rate changed."""
    metric, scope = change.metric, " ".join(source.scope.values())
    reached = {} if reach is None else {row.segment: row for row in rows(reach.table)}
    for i, row in enumerate(rows(change.table)):
        where = change.where(i)
        others = reached.get(label(where))
        how_far = "unknown" if others is None else others.reach
        details = [f"95 % interval {metric.interval(row.conf_low, row.conf_high)}"]
        if others is not None and how_far != "unknown":
            details.append(f"elsewhere {metric.change(others.others_effect)}")
        yield Finding(
            **_measured(metric, row.effect, row.conf_low, row.conf_high, row.p_adj, row.impact),
            kind="rate",
            where=where,
            reach=how_far,
            title=say.rate_title(metric, where, row.rate_before, row.rate_after),
            tag=TAGS[how_far].format(scope=scope),
            cases=row.cases,
            cases_text=_cases_text(change, row.cases),
            details=tuple(details),
        )


def whole(change: Localization, reach: Reach) -> Iterator[Finding]:
    """What the others show over all their cases, also where this scope is too small to show it by itself.

    The interval and the p-value are those of the others.
    """
    metric, before = change.metric, change.value_before
    for row in rows(reach.table):
        if row.segment == label({}) and row.reach == "common":
            yield Finding(
                **_measured(metric, row.effect, row.conf_low, row.conf_high, row.others_p_value, row.effect),
                kind="rate",
                where={},
                reach="common",
                title=say.rate_title(metric, {}, before, before + row.effect),
                tag=TAGS["common"],
                cases=np.nan,
                cases_text=f"on all {metric.cases}",
                details=(
                    f"elsewhere {metric.change(row.others_effect)}, {row.moved} of {row.others} others show it too",
                ),
            )


def moves(mix: Mix) -> Iterator[Finding]:
    """The volume that moved."""
    metric = mix.metric
    for row in rows(mix.table):
        where = {row.dimension: row.value}
        yield Finding(
            **_measured(metric, row.mix_effect, row.conf_low, row.conf_high, row.p_adj, row.mix_effect),
            kind="mix",
            where=where,
            reach="own",
            title=say.mix_title(where, row.share_before, row.share_after),
            tag="mix",
            cases=0.0,
            cases_text=f"on {say.inner(metric.label)}",
            details=(f"mix alone: inside each {row.dimension.replace('_', ' ')} cases go as before",),
        )


def _measured(
    metric: Metric, effect: float, low: float, high: float, p_adj: float, impact: float
) -> dict[str, Any]:
    """The fields that every kind of finding has, in numbers and in words."""
    return {
        "metric": metric.name,
        "label": metric.label,
        "direction": metric.judge(effect),
        "effect": effect,
        "conf_low": low,
        "conf_high": high,
        "p_adj": p_adj,
        "impact": impact,
        "impact_text": metric.change(impact),
    }


def dated(finding: Finding, start: Any | None) -> Finding:
    """The finding with its start, a row of `Onset.table`, and the events that coincide with it."""
    if start is None:
        return finding
    coincides = [f"coincides with {start.events}"] if start.events else []
    return replace(finding, details=(when(start), *coincides, *finding.details))


def _cases_text(change: Localization, cases: float) -> str:
    """How many cases a week came out differently; a mean has none to count."""
    first, last = change.after
    days = (last - first).days + 1
    if change.metric.kind == "mean":
        return f"on the mean of all {change.metric.cases}"
    noun = "event" if change.metric.kind == "rate" else say.singular(change.metric.cases)
    many = "events" if change.metric.kind == "rate" else change.metric.cases
    return f"≈ {say.count(cases / max(days / 7, 1), noun, many)}" + " a week" * (days >= 7)
