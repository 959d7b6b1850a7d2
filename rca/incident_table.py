"""Incidents as a table: what was measured, as the KPI, beside what else happened on these days."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from rca.control_chart import ControlChart
from rca.cube import Cube
from rca.incident_cells import counts_good
from rca.incident_expectation import Array, Week
from rca.onset import coinciding
from rca.result import rows

COLUMNS = [
    "incident", "kind", "start", "end", "who", "segment", "cases", "seen", "expected", "lost", "conf_low", "conf_high",
    "value", "usual", "kpi_with", "kpi_without", "p_adj", "daily_chart", "events",
]  # fmt: skip
MOMENT = pd.Timedelta(seconds=1)  # an end is the first moment after
SURE = 0.05  # chance that all the data has one false incident as strong as this one, or stronger


def tabulate(
    found: Sequence[dict[str, Any]],
    cube: Cube,
    totals: tuple[float, float],
    false: float,
    events: pd.DataFrame | None,
    chart: ControlChart | None,
) -> pd.DataFrame:
    """A row per incident: those that are hardly chance first, surges last, then by the cases lost at least.

    totals  cases, and those that went wrong, of all the data
    false   false incidents to expect in all the data
    """
    described = [_row(one, cube, totals, false, events, chart) for one in found]
    described.sort(key=lambda row: (row["p_adj"] > SURE, row["kind"] == "surge", -row["conf_low"], row["start"]))
    table = pd.DataFrame(described, columns=COLUMNS)
    table["incident"] = np.arange(1, len(table) + 1)
    return table


def holidays(week: Week, events: pd.DataFrame | None) -> Array:
    """The bins that lie on holidays."""
    dates = pd.Series(week.periods.normalize())
    found = np.zeros(len(dates), dtype=bool)
    for row in rows(events[events["kind"] == "holiday"]) if events is not None else ():
        found |= dates.between(row.start, row.start if pd.isna(row.end) else row.end).to_numpy()
    return found


def _row(
    one: dict[str, Any], cube: Cube, totals: tuple[float, float], false: float, events: Any, chart: Any
) -> dict[str, Any]:
    values, some = one["values"], one["who"] == "some"
    where = {one["dimension"]: values[0]} if some and len(values) == 1 else {}
    days = one["start"].normalize(), (one["end"] - MOMENT).normalize()
    kpis = dict.fromkeys(("value", "usual", "kpi_with", "kpi_without"), np.nan)
    if one["kind"] == "rate":
        n, seen = totals
        without = seen - one["seen"] + one["expected"]
        shares = one["seen"] / one["cases"], one["expected"] / one["cases"], seen / n, without / n
        good = counts_good(cube.metric)
        kpis = {name: 1 - share if good else share for name, share in zip(kpis, shares, strict=True)}
    drawn = "" if chart is None else "signal" if chart.signals["period"].between(*days).any() else "silent"
    return {
        **one,
        **kpis,
        "segment": f"{one['dimension']}={', '.join(values)}" if some else "all cases",
        "p_adj": min(1.0, false * float(np.exp(-one["strength"]))),
        "daily_chart": drawn,
        "events": ", ".join(coinciding(events, days, where, cube.scope)),
    }
