"""One thing that happened in a scope, and what else the report knows that a kind of finding may look up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pandas as pd

from rca import sentences as say
from rca.metric import Metric
from rca.result import Result
from rca.source import Source

R = TypeVar("R", bound=Result)
TAGS = {
    "own": "{scope} only",
    "shared": "also at some others",
    "common": "common to all",
    "unknown": "others unknown",
}


@dataclass(frozen=True)
class Finding:
    """One thing that happened, as the page and the index show it (JSON keys in `Findings.record`).

    kind         "rate": a segment changed; "mix": volume moved between segments; other results bring their own
    where        the segment; empty for all cases
    direction    "worse", "better" or "neutral"
    reach        "own", "shared", "common", "unknown"; "" where comparing with others makes no sense
    title        what happened, as a line of a list; `headline` the same as the report's title, a sentence
    tag          whose it is or what it is, in two or three words
    effect       in the segment, with its 95 % interval; `impact` on the whole KPI; both in units of the KPI
    p_adj        corrected for all that its own analysis looked at; missing where nothing was tested
    remedy       what setting it right would bring, a sentence
    since, until first and last day (ISO), empty where unknown, and `when` in words; `events` that coincide with it;
                 `actions` on it (their ids)
    details      what else there is to say, in words, each short
    topic        findings of one topic are one matter: the heaviest is told and names the others; "" stands alone
    weight       what findings of different KPIs are ranked by; None lets `rca.findings` weigh the impact
    """

    metric: str
    label: str
    kind: str
    where: Mapping[str, str]
    direction: str
    reach: str
    title: str
    headline: str
    tag: str
    effect: float = float("nan")
    conf_low: float = float("nan")
    conf_high: float = float("nan")
    p_adj: float = float("nan")
    impact: float = float("nan")
    impact_text: str = ""
    cases: float = float("nan")
    cases_text: str = ""
    remedy: str = ""
    when: str = ""
    since: str = ""
    until: str = ""
    events: str = ""
    actions: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    topic: str = ""
    weight: float | None = None
    rank: int = 0
    segment: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "segment", say.segment_name(self.where))


@dataclass(frozen=True)
class Evidence:
    """All results of one report and its source: what a result may look up to tell its findings."""

    results: tuple[Result, ...]
    source: Source

    def of(self, kind: type[R], metric: str) -> R | None:
        """The first result of a kind for a metric, or None."""
        return next((r for r in self.results if isinstance(r, kind) and r.metric.name == metric), None)

    @property
    def scope(self) -> str:
        """Whom the report is about: `Andes`."""
        return " ".join(self.source.scope.values())


def measured(metric: Metric, effect: float, low: float, high: float, p_adj: float, impact: float) -> dict[str, Any]:
    """The fields of a finding that any effect on a metric has, in numbers and in words."""
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


def remedy(metric: Metric, how: str, value: float, on: pd.Timestamp) -> str:
    """What the KPI would be, and how far from the target in force on that day.

    >>> csat = Metric(name="csat", label="CSAT", kind="proportion", better="up", targets=[{"value": .85}])
    >>> remedy(csat, "At the former level there", .847, pd.Timestamp("2026-11-15"))
    'At the former level there, CSAT would be 84.7 %, 0.3 points short of the target of 85.0 %.'
    """
    target, gap = metric.target(on), ""
    if target is not None:
        missed = "short of" if metric.better == "up" else "above"
        distance = f"{metric.change(value - target, signed=False)} {missed} the target of {metric.text(target)}"
        gap = ", on target" if (value - target) * metric.sign >= 0 else f", {distance}"
    return f"{how}, {say.inner(metric.label)} would be {metric.text(value)}{gap}."
