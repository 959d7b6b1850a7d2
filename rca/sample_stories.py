"""What can go wrong in the sample marketplace: causes to plant, and the default stories with events and actions."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rca.errors import InputError, known
from rca.sample_vendors import BASE, DIMENSIONS, SEGMENTS, VENDORS, main_effects, moved, shares

LAST_DAY = "2026-11-15"  # of the data, a Sunday
KINDS = {
    "rate": "a step in one metric inside one segment",
    "mix": "a change of shares, every rate inside a segment as before",
    "drift": "a slow change in one metric, from nothing at the start to the effect at the end",
    "common": "a step in one metric, in every segment alike",
}


@dataclass(frozen=True, kw_only=True)
class Cause:
    """One thing that goes wrong (or right), to be planted in the sample marketplace.

    kind    rate, mix, drift or common (KINDS)
    metric  csat, service_level, handling_time or escalation_rate; none for a mix
    effect  proportions: points as a fraction (-0.28); handling time: share of the segment's mean (0.15), as many
            seconds more for each of its cases; mix: the new share of the `where` value (0 to below 1)
    start   first day, end: last day, None for lasting; kept as ISO text
    vendor  None for all
    where   dimension -> value: market, channel, issue_type, issue_subtype, sop, shift, tenure, language;
            for a mix exactly one of market, channel, issue_type, shift, tenure
    story   one sentence

    >>> Cause(kind="mix", effect=0.5, start="2026-09-21", where={"channel": "chat"}).truth()["moves"]
    {'csat': 'down', 'handling_time': 'down'}
    >>> Cause(kind="rate", metric="csat", effect=-0.1, start="2026-09-21", where={"markt": "MX"})
    Traceback (most recent call last):
    ...
    rca.errors.InputError: unknown dimension 'markt'. Did you mean 'market'?
    """

    kind: str
    effect: float
    start: str
    end: str | None = None
    vendor: str | None = None
    metric: str | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    story: str = ""

    def __post_init__(self) -> None:
        known(self.kind, KINDS, "kind of cause")
        if self.vendor is not None:
            known(self.vendor, VENDORS, "vendor")
        for dimension, value in self.where.items():
            known(dimension, SEGMENTS, "dimension")
            known(value, SEGMENTS[dimension], dimension)
        if self.kind == "mix":
            self._check_mix()
        else:
            known(str(self.metric), BASE, "metric")
        if self.kind == "common" and self.where:
            raise InputError(f"a common cause hits every segment, got where={dict(self.where)}. Use kind='rate'.")
        object.__setattr__(self, "start", _date(self.start))
        object.__setattr__(self, "end", None if self.end is None else _date(self.end))
        if not math.isfinite(self.effect):
            raise InputError(f"the effect of a cause is a number, got {self.effect}.")
        last = self.end or LAST_DAY
        if last < self.start or (last == self.start and self.kind == "drift"):
            raise InputError(
                f"a {self.kind} from {self.start} to {last} has no time to act; the data end on {LAST_DAY}."
            )

    def _check_mix(self) -> None:
        if self.metric is not None:
            raise InputError(f"a mix changes shares, not one metric: leave out metric={self.metric!r}.")
        if len(self.where) != 1:
            raise InputError(f"a mix moves the share of one value, got where={dict(self.where)}.")
        known(next(iter(self.where)), DIMENSIONS, "dimension of a mix")
        if not 0 <= self.effect < 1:
            raise InputError(f"the effect of a mix is the new share, 0 to below 1, got {self.effect}.")

    def truth(self) -> dict[str, Any]:
        """The cause as a JSON-ready record, with the metrics that it moves, `up` or `down`.

        Of a mix they are those that its vendor sees move by half a point, or 1 % for handling time.
        """
        return {**asdict(self), "moves": self._moves()}

    def _moves(self) -> dict[str, str]:
        if self.metric is not None:
            return {self.metric: "up" if self.effect > 0 else "down"}
        [(dimension, value)] = self.where.items()
        usual = shares(dimension)
        change = moved(usual, DIMENSIONS[dimension].index(value), self.effect) - usual
        rows = [i for i, vendor in enumerate(VENDORS) if self.vendor in (None, vendor)]
        moves = {metric: (change * main_effects(metric, dimension)).sum(axis=1)[rows].mean() for metric in BASE}
        enough = {metric: 0.005 if level < 1 else 0.01 * level for metric, level in BASE.items()}
        return {m: "up" if move > 0 else "down" for m, move in moves.items() if abs(move) >= enough[m]}


def _date(day: str | dt.date) -> str:
    try:
        return dt.date.fromisoformat(str(day)[:10]).isoformat()
    except ValueError as error:
        raise InputError(f"{day!r} is not a date, write it as '2026-09-21'.") from error


# One story per vendor: Grove's is the bug that hits all alike, Harbor's is that nothing happens.
STORIES = (
    Cause(
        kind="rate", vendor="Andes", metric="csat", where={"market": "MX", "issue_type": "refund"},
        start="2026-09-21", effect=-0.28,
        story="Customers in MX dislike the new refund script of SOP-104.",
    ),
    Cause(
        kind="mix", vendor="Baltic", where={"channel": "chat"}, start="2026-09-28", effect=0.53,
        story="A chat button on the order page moves cases to chat; every channel does as well as before.",
    ),
    Cause(
        kind="mix", vendor="Cedar", where={"tenure": "0-29"}, start="2026-09-28", effect=0.34,
        story="A wave of new hires for the peak season handles a third of the cases.",
    ),
    Cause(
        kind="drift", vendor="Delta", metric="handling_time", start="2026-08-17", effect=0.14,
        story="Every case takes a little longer each week.",
    ),
    Cause(
        kind="rate", vendor="Delta", metric="escalation_rate", where={"channel": "social"},
        start="2026-08-24", effect=0.09,
        story="A bot answers social posts first (A-16), and more of them escalate.",
    ),
    Cause(
        kind="rate", vendor="Ember", metric="escalation_rate", where={"issue_type": "delivery"},
        start="2026-09-21", effect=-0.065,
        story="The escalation checklist for delivery (A-19) halves escalations: the fix worked.",
    ),
    Cause(
        kind="rate", vendor="Fjord", metric="service_level", where={"market": "BR", "shift": "night"},
        start="2026-09-14", effect=-0.25,
        story="Nights in BR are understaffed, and the second night queue (A-22) does not help.",
    ),
    Cause(
        kind="common", metric="service_level", start="2026-10-03", end="2026-10-12", effect=-0.20,
        story="A tool bug (INC-552) delays first responses of every vendor alike.",
    ),
)  # fmt: skip

EVENT_COLUMNS = ("event_id", "kind", "title", "start", "end", "vendor", "market", "issue_type")
STORY_EVENTS = (
    ("EVT-108", "sop_update", "SOP-104 v3", "2026-09-21", None, "Andes", "MX", "refund"),
    ("EVT-109", "release", "Chat button on the order page", "2026-09-28", None, "Baltic", None, None),
    ("EVT-110", "campaign", "Peak-season hiring", "2026-09-28", None, "Cedar", None, None),
    ("INC-552", "tool_bug", "Ticket router holds back first responses", "2026-10-03", "2026-10-12", *[None] * 3),
)
OTHER_EVENTS = (
    ("EVT-101", "sop_update", "SOP-105 v3", "2026-04-13", None, None, None, "returns"),
    ("EVT-102", "campaign", "Hot Sale", "2026-05-25", "2026-06-02", None, "MX", None),
    ("EVT-103", "release", "New order tracking page", "2026-06-08", None, None, None, None),
    ("EVT-104", "sop_update", "SOP-110 v3", "2026-07-13", None, None, None, "payment"),
    ("EVT-105", "campaign", "Back to school", "2026-08-24", "2026-09-06", None, "DE", None),
    ("EVT-111", "sop_update", "SOP-113 v3", "2026-10-19", None, None, None, "account"),
    ("EVT-112", "release", "Search in the agent desktop", "2026-10-26", None, None, None, None),
    ("EVT-113", "campaign", "Singles' Day", "2026-11-09", "2026-11-15", None, None, None),
)

ACTION_COLUMNS = (
    "action_id", "vendor", "title", "owner", "metric", "segment", "due", "status", "effective", "expected_effect",
)  # fmt: skip
STORY_ACTIONS = (
    ("A-14", "Harbor", "Callback offer at peak hours", "Workforce planner", "service_level",
     None, "2026-07-17", "done", "2026-07-20", 0.08),
    ("A-16", "Delta", "Bot answers social posts first", "SOP lead", "escalation_rate",
     "channel=social", "2026-08-21", "done", "2026-08-24", -0.02),
    ("A-19", "Ember", "Escalation checklist for delivery", "Quality lead", "escalation_rate",
     "issue_type=delivery", "2026-09-25", "done", "2026-09-21", -0.05),
    ("A-22", "Fjord", "Second night queue", "Workforce planner", "service_level",
     "market=BR & shift=night", "2026-10-16", "done", "2026-10-12", 0.15),
    ("A-24", "Grove", "Shorter greeting on the phone", "Quality lead", "handling_time",
     "channel=phone", "2026-09-11", "done", "2026-09-14", -20.0),
    ("A-28", "Cedar", "Coaching for agents in their first month", "Training lead", "handling_time",
     "tenure=0-29", "2026-11-06", "open", None, -60.0),
    ("A-31", "Andes", "Revise refund script in SOP-104", "SOP lead", "csat",
     "issue_type=refund & market=MX", "2026-11-20", "open", None, 0.20),
)  # fmt: skip
OTHER_ACTIONS = (
    ("A-25", "Grove", "Share the volume forecast with the vendor every week", "Workforce planner", "service_level",
     None, "2026-12-11", "open", None, 0.02),
    ("A-33", "Baltic", "Review chat macros for order questions", "SOP lead", "csat",
     "channel=chat", "2026-12-04", "open", None, 0.02),
)  # fmt: skip
# What a review of the actions in effect must say on the last day: those of changed nothing, but only of
# A-14, which is about all cases and was to gain much, can that be shown; A-22 is too young.
VERDICTS = {
    "A-14": "no effect",
    "A-16": "got worse",
    "A-19": "worked",
    "A-22": "cannot be told yet",
    "A-24": "cannot be told yet",
}
