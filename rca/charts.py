"""The textbook charts, one function each: from a cube, or from plain numbers in time order."""

from typing import Any

import numpy as np

from rca.control_chart import ControlChart, build
from rca.cube import Cube
from rca.errors import InputError, TooLittleData
from rca.period import Window
from rca.series import Numbers, Series, from_cube, from_numbers

Baseline = Window | int | None


def xmr_chart(values: Cube | Numbers, *, baseline: Baseline = None, **options: Any) -> ControlChart:
    """Individual values and moving ranges: sigma = mean moving range / 1.128 (Montgomery 2009, eq. 6.33).

    >>> chart = xmr_chart([49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1])  # NIST handbook 6.3.2.2
    >>> chart.table[["lcl", "center", "ucl"]].iloc[0].round(4).tolist()
    [45.8159, 50.81, 55.8041]
    """
    s = from_cube(values) if isinstance(values, Cube) else from_numbers("mean", values)
    return _chart("xmr", s, values, baseline, options)


def xbar_s_chart(
    means: Cube | Numbers,
    n: Numbers | None = None,
    sd: Numbers | None = None,
    *,
    baseline: Baseline = None,
    **options: Any,
) -> ControlChart:
    """Means of subgroups of `n` values with standard deviation `sd` (Montgomery 2009, eq. 6.28 to 6.31)."""
    s = from_cube(means) if isinstance(means, Cube) else from_numbers("mean", means, n, sd)
    return _chart("xbar_s", s, means, baseline, options)


def p_chart(
    events: Cube | Numbers, n: Numbers | None = None, *, baseline: Baseline = None, **options: Any
) -> ControlChart:
    """Share of cases: `events` out of `n` (Montgomery 2009, eq. 7.8).

    >>> chart = p_chart([12, 15, 8, 10, 4, 7, 16, 9, 14, 10], n=50)
    >>> chart.table[["lcl", "center", "ucl"]].iloc[0].round(4).tolist()
    [0.0372, 0.21, 0.3828]
    """
    s = from_cube(events) if isinstance(events, Cube) else from_numbers("proportion", events, n)
    return _chart("p", s, events, baseline, options)


def _chart(name: str, s: Series, data: Any, baseline: Baseline, options: dict[str, Any]) -> ControlChart:
    if baseline is None:
        base = s.seen
    elif isinstance(data, Cube):
        if isinstance(baseline, int):
            raise InputError("baseline of a cube is a window, such as 'last 26 before last 8'.")
        first, last = data.window(baseline, "baseline")
        base = s.seen & (s.period >= first) & (s.period <= last)
    else:
        base = s.seen & (np.arange(len(s.value)) < int(baseline))  # type: ignore[arg-type]
    if base.sum() < 2:
        raise TooLittleData(f"{s.metric.label}: limits need at least 2 points, got {base.sum()}.")
    return build(s, base, name, "as asked", options.pop("rules", ("beyond_limits", "run_of_nine")))
