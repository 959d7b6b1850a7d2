"""A fix check in words: clauses over its fields, for its headline, its findings and the page."""

from typing import TYPE_CHECKING

import numpy as np

from rca import sentences as say
from rca.period import PERIODS, day

if TYPE_CHECKING:
    from rca.fix_check import FixCheck
    from rca.metric import Metric

FEWEST = {"before": 8, "after": 4}  # periods that a check needs
SHOWN, RULED_OUT = 0.70, 0.60  # half-width of a 95 % interval that shows an effect of 1, rules out a margin of 1
VERDICT = {
    "worked": "the fix of {day} worked",
    "got worse": "got worse with the fix of {day}",
    "no effect": "no effect of the fix of {day}",
    "cannot be told yet": "whether the fix of {day} worked cannot be told yet",
    "nothing hoped for": "no effect of the fix of {day} can be shown yet",
}


def headline(check: "FixCheck") -> str:
    """One sentence: verdict, size, and what follows from them."""
    where = f", {say.segment_words(check.where)}" if check.where else ""
    open_end = check.verdict == "cannot be told yet" and check.expected is None
    verdict = VERDICT["nothing hoped for" if open_end else check.verdict].format(
        day=day(check.change_at, year=True)
    )
    return f"{check.metric.label}{where}: {'; '.join([verdict, *clauses(check), *check.caveats])}."


def clauses(check: "FixCheck") -> list[str]:
    """What there is to say beside the verdict."""
    return [clause for clause in (size(check), cases(check), excluded(check), outlook(check)) if clause]


def size(check: "FixCheck") -> str:
    """The effect with its interval, against what was hoped for."""
    if np.isnan(check.effect):
        return ""
    m = check.metric
    against = f", {check.against}" * bool(check.against)
    return f"{m.change(check.effect)} (95 % interval {m.interval(check.conf_low, check.conf_high)}){against}"


def cases(check: "FixCheck") -> str:
    """How many cases came out differently since the fix has taken hold; a mean has none to count."""
    if check.verdict not in ("worked", "got worse") or check.metric.kind == "mean":
        return ""
    many = "events" if check.metric.kind == "rate" else check.metric.cases
    return f"≈ {say.count(check.cases[0], say.singular(many), many)} since"


def excluded(check: "FixCheck") -> str:
    """Which improvement can be excluded even where no effect is shown."""
    if check.verdict in ("worked", "got worse") or np.isnan(check.effect):
        return ""
    gain = max(check.excluded, key=lambda end: end * check.metric.sign)
    if gain * check.metric.sign <= 0:
        return "any improvement is excluded"
    return f"an improvement of more than {bound(check.metric, gain)} is excluded"


def bound(metric: "Metric", effect: float) -> str:
    """A size behind `less than` or `more than`, which one too small to show says itself."""
    return metric.change(effect, signed=False).removeprefix("less than ")


def outlook(check: "FixCheck") -> str:
    """What it takes to tell, where it cannot be told yet."""
    unit = PERIODS[check.period]
    if check.verdict != "cannot be told yet":
        return ""
    if np.isnan(check.effect):
        got, need = check.counts["after"], FEWEST["after"]
        return f"{say.count(got, unit)} after it, {need} are needed: {say.count(need - got, f'more {unit}')}"
    wide = (check.conf_high - check.conf_low) / 2
    shown, none = (bound(check.metric, effect) for effect in (2 * check.margin, check.margin))
    what = f"show an effect of {shown}" if wide > SHOWN * 2 * check.margin else f"rule out one of {none}"
    if check.more is not None:
        return f"about {say.count(check.more, f'more {unit}')} would {what}"
    if check.expected is None and check.siblings:
        return ""
    remedy = "a longer history" if check.siblings else "siblings without the fix, or a longer history,"
    return f"another year would not be enough to {what}; {remedy} would help"


def against(m: "Metric", low: float, high: float, expected: float | None) -> str:
    """How an interval compares with the effect hoped for, in words."""
    if expected is None:
        return ""
    hoped = f"the {m.change(expected)} expected"
    worst, best = sorted((low * m.sign, high * m.sign))
    if best < 0:
        return f"where {m.change(expected)} were expected"
    if best < abs(expected):
        return f"less than {hoped}"
    if worst >= abs(expected):
        return f"at least {hoped}"
    return f"in line with {hoped}" + " and with none" * (worst <= 0)
