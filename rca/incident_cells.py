"""The cube as series for the search: the whole, and each value of each dimension, bin by bin."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rca.cube import Cube
from rca.errors import InputError, TooLittleData
from rca.incident_expectation import Array, Week, lay_out
from rca.metric import Metric
from rca.period import FINE, step

SMALL = 0.01  # of the cases: values of a dimension below this are taken together
OTHERS = "(others)"


@dataclass(frozen=True, eq=False)
class Cells:
    """Cases and events of each bin, bins in whole weeks.

    whole       cases and events of all (T,); events are the cases that went wrong, of a rate its events, of a mean the
                cases: only their volume is searched
    segments    dimension and value of each segment
    n, events   cases and events of each segment (S, T)
    proportion  whether events are some of the cases
    """

    week: Week
    whole: tuple[Array, Array]
    segments: list[tuple[str, str]]
    n: Array
    events: Array
    proportion: bool


def cells_of(cube: Cube) -> Cells:
    """Lay out a cube of parts of a day."""
    if cube.period not in FINE:
        raise InputError(
            f"incidents needs parts of a day, got period {cube.period!r}: rca.cube(..., period='10min')."
            f" Known: {', '.join(FINE)}."
        )
    frame, metric = cube.frame, cube.metric
    if frame.empty:
        raise TooLittleData(f"{metric.label}: there are no {metric.cases} to search.")
    if (frame["period"] == frame["period"].dt.normalize()).all():
        raise InputError(f"{metric.label}: every case is at 0:00; incidents needs the time of day.")
    periods = cube.periods
    week = lay_out(periods, step(periods[0], cube.period) - periods[0], cube.zone)
    size = len(week.periods)
    at = week.periods.get_indexer(pd.DatetimeIndex(frame["period"]))
    n, total = (frame[column].to_numpy(dtype=float) for column in ("n", "total"))
    events = n if metric.kind == "mean" else n - total if counts_good(metric) else total
    series = [np.zeros((2, 0, size))]
    segments: list[tuple[str, str]] = []
    for dimension in cube.by:
        share = pd.Series(n).groupby(frame[dimension].to_numpy()).sum() / n.sum()
        value = frame[dimension].where(frame[dimension].map(share) >= SMALL, OTHERS)
        code, values = pd.factorize(value, sort=True)
        if len(values) > 1:
            sums = [np.bincount(code * size + at, x, len(values) * size).reshape(-1, size) for x in (n, events)]
            series.append(np.stack(sums))
            segments += [(dimension, str(v)) for v in values]
    parts = np.concatenate(series, axis=1)
    whole = np.bincount(at, n, size), np.bincount(at, events, size)
    return Cells(week, whole, segments, parts[0], parts[1], metric.kind == "proportion")


def counts_good(metric: Metric) -> bool:
    """Whether the metric counts the cases that went well: the others are the events of an incident."""
    return metric.kind == "proportion" and metric.better == "up"
