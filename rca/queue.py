"""The queue of cases that wait for a decision, in usual weeks and while an event lasts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from rca import sentences as say
from rca.errors import InputError, known

WARM, HORIZON = 28, 182  # days before an event, in which the queue finds its level; days in all
Array = np.ndarray


@dataclass(frozen=True)
class Scenario:
    """An event: for `days` something is `times` as much.

    what   "volume" (cases), "appeals", or "outage": nothing is detected for `days`, and all of it comes on the day
           after
    where  the segment whose volume grows; all cases if empty
    wrong  how many times as often a case of it hits a seller wrongly, beside its volume
    """

    what: str = "volume"
    times: float = 2.0
    days: int = 28
    where: Mapping[str, str] = field(default_factory=dict)
    wrong: float = 1.0

    def text(self, severity: float) -> str:
        """`× 1.4`, or of an outage `9 days`."""
        return say.exactly(severity, "days") if self.what == "outage" else f"× {severity:g}"

    @property
    def severity(self) -> float:
        """What is turned up to find where a limit breaks."""
        return float(self.days) if self.what == "outage" else float(self.times)


def scenario_of(name: str, given: Mapping[str, Any]) -> Scenario:
    """The fields of a scenario, checked."""
    for key in given:
        known(key, [f.name for f in fields(Scenario)], f"scenario {name!r}: field")
    event = Scenario(**given)
    known(event.what, ("volume", "appeals", "outage"), f"scenario {name!r}: what")
    if event.days < 1 or event.days != int(event.days) or not event.times >= 1 or not event.wrong >= 0:
        raise InputError(
            f"scenario {name!r}: days has to be a whole number from 1 on, times 1 or more; got {dict(given)}."
        )
    return event


def backlog(work: Array, capacity: float) -> Array:
    """What waits at the end of each day (along the last axis): what waited, and came in, and was not decided.

    >>> backlog(np.array([8.0, 8, 8, 2, 2, 2, 2]), 4).tolist()
    [4.0, 8.0, 12.0, 10.0, 8.0, 6.0, 4.0]
    """
    net = np.cumsum(work - capacity, axis=-1)
    return net - np.minimum(np.minimum.accumulate(net, axis=-1), 0.0)


@dataclass(frozen=True)
class Weeks:
    """Drawn usual weeks, a row per run and a column per day; `waits`: the backlog of them."""

    cases: Array
    appeals: Array
    wrong: Array
    waits: Array


def play(
    usual: Weeks, event: Scenario, k: float, inside: tuple[Array, Array], capacity: float
) -> tuple[Array, Any]:
    """The backlog by run and day under an event of severity `k`, and what is measured of it, by run."""
    days = int(k) if event.what == "outage" else event.days
    on = slice(WARM, min(WARM + days, HORIZON))
    cases, again, wrong = usual.cases.copy(), usual.appeals.copy(), usual.wrong.copy()
    if event.what == "outage":
        cases[:, min(WARM + days, HORIZON - 1)] += cases[:, on].sum(axis=1)
        cases[:, on] = 0.0
    elif event.what == "appeals":
        again[:, on] *= k
    else:
        cases[:, on] += (k - 1) * inside[0][:, on]
        wrong[:, on] += (k * (event.wrong if k > 1 else 1.0) - 1) * inside[1][:, on]
        again *= cases / np.maximum(usual.cases, 1.0)
    waits = backlog(cases + again, capacity)
    end = min(WARM + days, HORIZON)
    differs = (waits - usual.waits > 0.5)[:, end - 1 :]  # from the last day of the event on
    days_more = np.where(differs.any(axis=1), differs.shape[1] - differs[:, ::-1].argmax(axis=1), 0)
    measures = {
        "backlog": waits[:, WARM:].max(axis=1),
        "days_to_decision": waits[:, WARM:].max(axis=1) / capacity,
        "days_to_recover": np.where(days_more < differs.shape[1], days_more, np.inf),
        "wrongly_hit": 7 * wrong[:, WARM : max(end, WARM + 1)].mean(axis=1),
    }
    return waits, measures
