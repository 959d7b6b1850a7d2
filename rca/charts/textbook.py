"""The textbook charts, one function each: from a cube, or from plain numbers in time order.

All take the same options: `baseline` (a window; for plain numbers the first so many points, or the first and the
last), `phases`, `exclude`, `events` (as in `rca.control_chart`), `rules` (`rca.rules`) and, for plain numbers, a
`metric` that names them and says which way is better. Limits need two points; those from fewer than 20 are called
provisional.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypedDict, Unpack

import numpy as np
import pandas as pd

from rca.charts import limits
from rca.charts.assemble import assemble, by_phase, in_sigmas, textbook_change
from rca.charts.chart import ControlChart
from rca.charts.false_signals import false_rate
from rca.charts.found import Found
from rca.charts.limits import Limits
from rca.charts.phases import Phase, Plan, plan
from rca.charts.series import Kind, Numbers, Series, from_cube, from_numbers
from rca.cube import Cube
from rca.errors import InputError
from rca.metric import Metric

Estimator = Callable[..., Limits]


class Options(TypedDict, total=False):
    """What every chart takes."""

    baseline: Any
    phases: Iterable[Phase | Mapping[str, Any]]
    exclude: Any
    events: pd.DataFrame | None
    rules: str | Sequence[str]
    metric: Metric


def xmr_chart(values: Cube | Numbers, *, screened: bool = False, **options: Unpack[Options]) -> ControlChart:
    """Individual values and moving ranges: sigma = mean moving range / 1.128 (Montgomery 2009, eq. 6.33).

    `screened` leaves out moving ranges above 3.267 times their mean (Nelson 1982).

    >>> chart = xmr_chart([49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1])  # NIST handbook 6.3.2.2
    >>> chart.table[["lcl", "center", "ucl"]].iloc[0].round(4).tolist()
    [45.8159, 50.81, 55.8041]
    """
    s = _read(values, "mean", metric=options.get("metric"))
    return _chart("xmr", s, values, limits.xmr, options, screened=screened)


def xbar_s_chart(
    means: Cube | Numbers,
    n: Numbers | int | None = None,
    sd: Numbers | None = None,
    *,
    estimator: str = "pooled",
    **options: Unpack[Options],
) -> ControlChart:
    """Means of subgroups of `n` values with standard deviation `sd` (Montgomery 2009, eq. 6.27 to 6.31).

    `estimator`: "pooled", or one of R qcc's "rmsdf", "uwave_sd", "mvlue_sd".

    >>> chart = xbar_s_chart([74.010, 74.001, 74.008], n=5, sd=[0.0148, 0.0075, 0.0147])
    >>> chart.table[["lcl", "center", "ucl"]].iloc[0].round(3).tolist()
    [73.988, 74.006, 74.025]
    """
    s = _read(means, "mean", n, sd, options.get("metric"))
    return _chart("xbar_s", s, means, limits.xbar_s, options, estimator=estimator)


def p_chart(counts: Cube | Numbers, n: Numbers | int | None = None, **options: Unpack[Options]) -> ControlChart:
    """Share of cases: `counts` out of `n` (Montgomery 2009, eq. 7.8).

    >>> chart = p_chart([12, 15, 8, 10, 4, 7, 16, 9, 14, 10], n=50)
    >>> chart.table[["lcl", "center", "ucl"]].iloc[0].round(4).tolist()
    [0.0372, 0.21, 0.3828]
    """
    return _chart("p", _read(counts, "proportion", n, metric=options.get("metric")), counts, limits.p, options)


def np_chart(counts: Cube | Numbers, n: Numbers | int | None = None, **options: Unpack[Options]) -> ControlChart:
    """Number of cases out of `n` (Montgomery 2009, eq. 7.13)."""
    s = _read(counts, "proportion", n, metric=options.get("metric"))
    counted = s.metric.model_copy(update={"kind": "mean", "unit": s.metric.cases, "targets": ()})
    s = replace(s, value=np.where(np.isnan(s.value), np.nan, s.total), metric=counted)
    return _chart("np", s, counts, limits.np_, options)


def u_chart(
    counts: Cube | Numbers, exposure: Numbers | float | None = None, **options: Unpack[Options]
) -> ControlChart:
    """Events per exposure (Montgomery 2009, eq. 7.19)."""
    return _chart("u", _read(counts, "rate", exposure, metric=options.get("metric")), counts, limits.u, options)


def c_chart(counts: Numbers, **options: Unpack[Options]) -> ControlChart:
    """Number of events per period of the same exposure (Montgomery 2009, eq. 7.17).

    >>> chart = c_chart([16, 14, 28, 16, 12, 20, 10, 12, 10, 17])
    >>> chart.table[["lcl", "center", "ucl"]].iloc[0].round(3).tolist()
    [3.689, 15.5, 27.311]
    """
    return _chart("c", _read(counts, "rate", metric=options.get("metric")), counts, limits.u, options)


def p_prime_chart(
    counts: Cube | Numbers, n: Numbers | int | None = None, *, narrow: bool = False, **options: Unpack[Options]
) -> ControlChart:
    """Share of cases where large denominators vary more than chance (Laney 2002).

    `narrow` lets limits shrink where they vary less than chance (sigma_z below 1).
    """
    s = _read(counts, "proportion", n, metric=options.get("metric"))
    return _chart("p'", s, counts, limits.p_prime, options, narrow=narrow)


def u_prime_chart(
    counts: Cube | Numbers,
    exposure: Numbers | float | None = None,
    *,
    narrow: bool = False,
    **options: Unpack[Options],
) -> ControlChart:
    """Events per exposure where they vary more than chance (Laney 2002); `narrow`: see `p_prime_chart`."""
    s = _read(counts, "rate", exposure, metric=options.get("metric"))
    return _chart("u'", s, counts, limits.u_prime, options, narrow=narrow)


def run_chart(values: Cube | Numbers, **options: Unpack[Options]) -> ControlChart:
    """Values around their median, no limits, Anhøj's two rules: a run too long, or too few crossings.

    >>> chart = run_chart([5, 6, 7, 5, 6, 7, 8, 7, 9, 8, 9, 11, 10, 12, 11, 10, 12, 11, 13, 12])
    >>> chart.signals["rule"].tolist()
    ['long_run', 'long_run', 'long_run', 'long_run', 'few_crossings']
    """
    s = _read(values, "mean", metric=options.get("metric"))
    return _chart("run", s, values, limits.median, {"rules": "anhoej", **options})


def spread(name: str, s: Series, drawn: Plan, **options: Any) -> pd.DataFrame | None:
    """Moving ranges of an individuals chart, standard deviations of an Xbar-S chart; None for others.

    Only their own limits are judged, never run rules: neighbouring ranges share a value.
    """
    if name not in ("xmr", "xbar_s"):
        return None
    value, estimator = (limits.moving_range(s.value), limits.ranges) if name == "xmr" else (s.sd, limits.sds)
    found = by_phase(s, drawn, partial(estimator, **options))
    columns = {"period": s.period, "value": value, "center": found.center, "lcl": found.lcl, "ucl": found.ucl}
    return pd.DataFrame({**columns, "beyond": np.nan_to_num(np.abs(found.z)) > 3})


def _read(
    data: Cube | Numbers, kind: Kind, n: Any = None, sd: Numbers | None = None, metric: Metric | None = None
) -> Series:
    return from_cube(data) if isinstance(data, Cube) else from_numbers(kind, data, n, sd, metric)


def _chart(name: str, s: Series, data: Any, by: Estimator, options: Options, **own: Any) -> ControlChart:
    """Limits of each phase `by` an estimator, with options of its `own`; then rules and words."""
    if isinstance(data, Cube) and "metric" in options:
        raise InputError("a cube brings its own metric; leave `metric` out.")
    drawn = plan(s, options.get("baseline"), options.get("phases", ()), options.get("exclude", ()))
    found, chosen = by_phase(s, drawn, partial(by, **own)), options.get("rules", "textbook")
    about = Found(
        chart=name,
        reason="",
        limits=found,
        change=textbook_change(s, drawn, chosen, found.z, in_sigmas(s, found)),
        notes=(f"sigma_z {found.sigma_z:.2f}",) if found.sigma_z is not None else (),
        rate=false_rate(drawn, name in ("xmr", "p'", "u'")),
        spread=spread(name, s, drawn, **own),
        source="centre: the median" if name == "run" else "",
    )
    scope = data.scope if isinstance(data, Cube) else None
    return assemble(s, drawn, about, chosen, options.get("events"), scope)
