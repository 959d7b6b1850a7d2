"""Bars from the largest segment down; cumulative share and rate stand beside them. One axis only."""

from typing import Any

from matplotlib.axes import Axes

from rca.counted import amounts, counting
from rca.plotting.bars import bars, column, rates
from rca.plotting.style import axes
from rca.sentences import capital, percent


def draw(result: Any, ax: Axes | None = None) -> Axes:
    """Blue bars are the vital few.

    Where all others together are more than the largest segment, they get no bar: it would dwarf those that matter.
    """
    rows, metric = result.shown, result.metric
    ax = axes(ax, result.panel_height)
    title = f"{capital(counting(metric))}, by {result.by.replace('_', ' ')}"
    bars(ax, rows, amounts(metric, rows["count"]), result.table["count"].max(), title)
    column(ax, 1, "cumulative", rows["cumulative"].map(percent).tolist())
    rates(ax, rows, metric)
    return ax
