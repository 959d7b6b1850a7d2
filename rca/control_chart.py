"""Did it really change? The control chart that fits a cube, chosen from its data."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rca.charts import limits, rare
from rca.charts.assemble import assemble, by_phase, in_sigmas, textbook_change
from rca.charts.chart import ControlChart
from rca.charts.default import default_chart, typical
from rca.charts.false_signals import false_rate
from rca.charts.found import Found
from rca.charts.phases import Phase, Plan, plan
from rca.charts.series import Series, from_cube
from rca.charts.textbook import Estimator, Options, spread
from rca.cube import Cube
from rca.errors import TooLittleData
from rca.period import PERIODS, Window

__all__ = ["ControlChart", "control_chart"]


def control_chart(
    cube: Cube,
    *,
    baseline: Window | None = None,
    phases: Iterable[Phase | Mapping[str, Any]] = (),
    exclude: Any = (),
    events: pd.DataFrame | None = None,
    season: Cube | bool = True,
    rules: str | Sequence[str] = "default",
    adjust: bool = True,
) -> ControlChart:
    """Choose the chart that fits the metric and its denominators, say why, and chart it.

    By default season and autocorrelation are taken into account, limits are no surer than their baseline allows,
    and a test for a lasting change of level stands in place of run rules: a third of the false signals of the
    textbook rules, and more found (docs/control-charts.md). Rare events are charted by the cases between them.

    Parameters
    ----------
    cube : its dimensions are summed over
    baseline : the window that sets the limits, frozen for the periods after it; all whole periods if None
    phases : limits set anew: `{"start": date, "reason": text}`, perhaps with a `baseline` of their own
    exclude : known causes, `{"start": date, "end": date, "reason": text}`, or rows of an events table
    events : a table `start, end, title` (and perhaps `vendor`, `market` …) to mark on the picture
    season : take the pattern of week and year out where there is history for it; a Cube (the total, say): take that
        cube's pattern out instead of the own one
    rules : a set of rules ("nelson", "western_electric", "plot_the_dots" …) or some by name (`rca.rules`)
    adjust : False for textbook limits

    Raises
    ------
    TooLittleData : fewer than 12 whole periods with cases to set limits from

    Examples
    --------
    >>> from rca.metric import Metric
    >>> late = Metric(name="late", kind="proportion", better="down", cases="orders")
    >>> weeks = pd.date_range("2026-01-05", periods=24, freq="7D")
    >>> late_orders = [45, 41, 50, 38, 47, 44, 40, 49] * 2 + [80, 84] * 4
    >>> frame = pd.DataFrame({"period": weeks, "n": 900, "total": late_orders})
    >>> chart = control_chart(Cube(frame, late), baseline=["2026-01-05", "2026-04-26"])
    >>> chart.chart, chart.level_change["date"], chart.facts["status"]
    ('p', '2026-04-27', 'worse')
    """
    s = from_cube(cube)
    if rare.is_rare(s):
        options = Options(baseline=baseline, phases=phases, exclude=exclude, events=events, rules=rules)
        try:
            return rare.rare_chart(s, options, cube.scope)
        except TooLittleData:  # too few gaps between events: chart their share, if there is any
            if not s.total.sum():
                raise
    drawn = plan(s, baseline, phases, exclude, limits.FEWEST)
    found = default_chart(s, drawn, season) if adjust else _textbook(s, drawn, rules)
    found = replace(found, spread=spread(found.chart, s, drawn))
    return assemble(s, drawn, found, rules, events, cube.scope)


def _textbook(s: Series, drawn: Plan, rules: str | Sequence[str]) -> Found:
    """The plain chart of the metric, or the one for large denominators where chance does not explain the spread."""
    base, unit = drawn.bases[-1], f"{PERIODS[s.step]}s"
    plain, wide = {"proportion": ("p", "p'"), "rate": ("u", "u'"), "mean": ("xbar_s", "xmr")}[s.metric.kind]
    estimators: dict[str, Estimator] = {
        "p": limits.p, "p'": limits.p_prime, "u": limits.u, "u'": limits.u_prime,
        "xbar_s": limits.xbar_s, "xmr": limits.xmr,
    }  # fmt: skip
    if s.metric.kind == "mean" and not np.isfinite(s.sd[base]).all():
        name, why = wide, f"some {unit} have a single case"
    else:
        ratio, p = limits.dispersion(estimators[plain](s, base).z, base)
        name = wide if p < 0.01 else plain
        times = f"{np.sqrt(ratio):.1f} times as much as" if name == wide else "as"
        why = f"{unit} vary {times} chance explains"
    found = by_phase(s, drawn, estimators[name])
    return Found(
        chart=name,
        reason=f"{typical(s, base)}; {why}",
        limits=found,
        change=textbook_change(s, drawn, rules, found.z, in_sigmas(s, found)),
        notes=(f"sigma_z {found.sigma_z:.2f}",) if found.sigma_z is not None else (),
        rate=false_rate(drawn, name == wide),
    )
