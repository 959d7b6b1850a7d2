"""A KPI at a glance: value against target, change, whether chance explains it, and the series to draw."""

from typing import Any

import numpy as np
import pandas as pd

from rca.control_chart import ControlChart
from rca.localize import Localization
from rca.period import Dates

ASSURANCE = {  # will it hit the target as it is now?
    "always": "always on target",
    "never": "never on target",
    "hit and miss": "target hit or miss",
}


def kpi_card(chart: ControlChart, change: Localization | None, common: bool) -> dict[str, Any]:
    """One card, and the series with its limits.

    With a localization, the value is that of its window after and the change the one that it explains; else the value
    is that of the last period that the chart judges, and the change that from the centre or its change of level.
    Events so rare that the chart counts what lies between them are told as what they are: `3 of 2,104`.
    """
    if change is None:
        metric, value, target = chart.metric, float(chart.judged["value"].iloc[-1]), chart.target
        level = chart.level_change
        effect = level["size"] if level else value - float(chart.judged["center"].iloc[-1])
    else:
        metric, value, effect = change.metric, change.value_after, change.value_after - change.value_before
        target = metric.target(change.after[1])
    drawn = chart.table if change is None or chart.whole is None else chart.whole
    limits = "lcl" in drawn
    status = "common" if common and chart.status != "steady" else chart.status
    texts = {"steady": "steady", "common": "common to all"}
    assurance = chart.assurance if limits else None
    text, moved = metric.text(value), f"{metric.change(effect, signed=False)} {'higher' if effect > 0 else 'lower'}"
    if change is not None and chart.whole is not None and metric.kind == "proportion":
        text, moved = _counted(chart.whole, change.after), f"{_counted(chart.whole, change.before)} before"
    return {
        "metric": metric.name,
        "label": metric.label,
        "value": rounded(value),
        "text": text,
        "target": None if target is None else rounded(target),
        "target_text": "" if target is None else f"target {metric.text(target)}",
        "assurance": assurance["verdict"] if assurance else "",
        "assurance_text": ASSURANCE[assurance["verdict"]] if assurance else "",
        "change_text": "steady" if status == "steady" else moved,
        "status": status,
        "status_text": texts.get(status, f"special cause, {status}"),
        "trend": "flat" if status == "steady" else "up" if effect > 0 else "down",
        "spark": [rounded(v) for v in drawn["value"]],
        "signals": np.flatnonzero(drawn["period"].isin(chart.signals["period"])).tolist(),
        "periods": [p.date().isoformat() for p in drawn["period"]] if chart.step else [],
        **{name: [rounded(v) for v in drawn[name]] if limits else [] for name in ("lcl", "center", "ucl")},
        "axis": _axis(drawn, target, metric, limits),
    }


def _counted(whole: pd.DataFrame, window: Dates) -> str:
    seen = whole[whole["period"].between(*window)]
    return f"{seen['total'].sum():,.0f} of {seen['n'].sum():,.0f}"


def _axis(drawn: pd.DataFrame, target: float | None, metric: Any, limits: bool) -> list[str]:
    """Lowest and highest value of the picture, in words."""
    shown = drawn[["value", "lcl", "ucl"]] if limits else drawn[["value"]]
    ends = [np.nanmin(shown.to_numpy(float)), np.nanmax(shown.to_numpy(float))]
    ends = ends if target is None else [min(ends[0], target), max(ends[1], target)]
    return [metric.text(float(end)) for end in ends]


def rounded(value: float) -> float | None:
    """Six significant digits: enough for any reader, and the same on every machine."""
    return float(f"{value:.6g}") if np.isfinite(value) else None
