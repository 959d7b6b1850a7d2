"""Rare events: where a period holds hardly any, the cases or the time between them say more than their share."""

from dataclasses import replace
from functools import partial
from typing import Any, Unpack

import numpy as np
import pandas as pd

from rca.charts import limits
from rca.charts.assemble import assemble, by_phase, textbook_change
from rca.charts.chart import ControlChart
from rca.charts.false_signals import INSIDE
from rca.charts.found import Found
from rca.charts.limits import FEWEST, RARE
from rca.charts.phases import plan
from rca.charts.series import Numbers, Series, from_cube, from_numbers
from rca.charts.textbook import Estimator, Options
from rca.cube import Cube
from rca.errors import TooLittleData
from rca.metric import Metric
from rca.period import resolve

# Share of gaps beyond a limit by noise alone: exponential ones above four means, Weibull(3.6) ones beyond 3 sigma
BEYOND = {"g": float(np.exp(-4)), "t": 0.0008}


def g_chart(cases: Cube | Numbers, **options: Unpack[Options]) -> ControlChart:
    """Cases between rare events (Benneyan 2001); from a cube, counted from its periods.

    >>> g_chart([23, 39, 15, 34, 1, 49, 98, 29, 27, 13]).table[["lcl", "center", "ucl"]].iloc[0].round(1).tolist()
    [0.0, 28.0, 132.7]
    """
    return _chart("g", cases, limits.g, options)


def t_chart(times: Cube | Numbers, **options: Unpack[Options]) -> ControlChart:
    """Time, or exposure, between rare events (Nelson 1994; Montgomery 2009, ex. 7.6)."""
    return _chart("t", times, limits.t, options)


def is_rare(s: Series) -> bool:
    """Whether a share or rate is too coarse: fewer than 3 events expected in a typical period."""
    if s.metric.kind == "mean" or not s.seen.any():
        return False
    share = limits.rate(s, s.seen)
    spread = share * (1 - share) if s.metric.kind == "proportion" else share
    return bool(np.median(s.n[s.seen]) * spread < RARE)


def rare_chart(s: Series, options: Options, scope: Any) -> ControlChart:
    """The g chart of a proportion, the t chart of a rate, in place of a chart of shares."""
    counted = s.metric.kind == "proportion"
    reason = f"fewer than {RARE} events a period are expected"
    estimator = partial(limits.gaps, counted=counted)
    chart = _finish(
        "g" if counted else "t", between(s), estimator, _dated(options, s), reason, scope, FEWEST, INSIDE
    )
    return replace(chart, whole=pd.DataFrame({"period": s.period, "value": s.value, "n": s.n, "total": s.total}))


def between(s: Series) -> Series:
    """The cases (or the exposure) between events, one entry per event, dated by the period it fell in.

    Inside a period its events are taken to lie evenly among its cases. What has passed since the last event is a
    last, partial entry. Where nearly every case counts, the events are those that do not.
    """
    share, metric, rate = limits.rate(s, s.seen), s.metric, s.metric.kind == "rate"
    misses = not rate and share > 0.5
    events = np.round(np.where(s.seen, s.n - s.total if misses else s.total, 0)).astype(int)
    n = np.where(s.seen, s.n, 0)
    if not events.sum():
        what = "misses" if misses else "events"
        raise TooLittleData(
            f"{metric.label}: no {what} in {n.sum():,.0f} {metric.cases}; there is nothing to chart."
        )
    start = np.concatenate([[0], np.cumsum(n)[:-1]])
    inside = [start[i] + n[i] * (np.arange(k) + 0.5) / k for i, k in enumerate(events) if k]
    places = np.concatenate([*inside, [n.sum()]])
    gap = np.diff(places) if rate else np.maximum(np.round(np.diff(places)) - 1, 0)
    period = s.period[[*np.repeat(np.arange(len(n)), events)[1:], len(n) - 1]]
    good = (metric.better == "up") != misses  # whether an event is welcome
    named = Metric(
        name=metric.name, kind="mean", better="down" if good else "up",
        unit=metric.unit if rate else metric.cases,
        label=f"{metric.label}: {'exposure' if rate else metric.cases} between {'misses' if misses else 'events'}",
    )  # fmt: skip
    last = np.arange(len(gap)) == len(gap) - 1
    return replace(
        s, period=period, value=gap.astype(float), n=gap.astype(float), total=gap.astype(float),
        sd=np.full(len(gap), np.nan), partial=last, metric=named, entry="gap",
    )  # fmt: skip


def _chart(name: str, data: Cube | Numbers, estimator: Estimator, options: Options) -> ControlChart:
    if not isinstance(data, Cube):
        s = from_numbers("mean", data, metric=options.get("metric"))
        return _finish(name, s, estimator, options, "", None, 2, BEYOND[name])
    whole = from_cube(data)
    return _finish(name, between(whole), estimator, _dated(options, whole), "", data.scope, 2, BEYOND[name])


def _dated(options: Options, s: Series) -> Options:
    """A baseline in words ("last 26") counts periods, not the gaps that they become: resolve it first."""
    if options.get("baseline") is None:
        return options
    whole = pd.DatetimeIndex(s.period[~s.partial])
    return {**options, "baseline": resolve(options["baseline"], whole, s.step, "baseline")}


def _finish(
    name: str,
    s: Series,
    estimator: Estimator,
    options: Options,
    reason: str,
    scope: Any,
    fewest: int,
    rate: float,
) -> ControlChart:
    drawn = plan(s, options.get("baseline"), options.get("phases", ()), options.get("exclude", ()), fewest)
    even = s.value ** (1 / 3.6)  # the power that makes an exponential gap look normal
    middle = float(np.mean(even[drawn.bases[-1]]))
    chosen = options.get("rules", "default")
    moved = textbook_change(s, drawn, chosen, even, lambda size: max(middle + size, 0) ** 3.6 - middle**3.6)
    found = Found(name, reason, by_phase(s, drawn, estimator), moved, rate=rate)
    return assemble(s, drawn, found, chosen, options.get("events"), scope)
