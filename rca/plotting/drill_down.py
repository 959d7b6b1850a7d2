"""The tree as indented bars: each step to the right is a part of the bar above."""

from typing import Any

from matplotlib.axes import Axes

from rca.counted import amounts, counting
from rca.plotting.bars import bars, column, rates, short
from rca.plotting.style import INK, MUTED, axes
from rca.sentences import capital, percent

INDENT = 4 * "\N{NO-BREAK SPACE}"  # a parent stands further to the left


def draw(result: Any, ax: Axes | None = None) -> Axes:
    """All bars have one scale. Blue: vital within its parent. Columns: share of the parent, rate."""
    rows, metric = result.table, result.metric
    ax = axes(ax, result.panel_height)
    steps = ", then ".join(d.replace("_", " ") for d in result.path)
    title = f"{capital(counting(metric))}, by {steps}"
    bars(ax, rows, amounts(metric, rows["count"]), rows["count"].max(), title)
    column(ax, 1, "of its parent", rows["of_parent"].map(percent).tolist())
    rates(ax, rows, metric)
    last = len(result.path) - 1
    names = [short(s) + INDENT * (last - d) for s, d in zip(rows["segment"], rows["depth"], strict=True)]
    ax.set_yticks(rows.index, names)
    for label, depth in zip(ax.get_yticklabels(), rows["depth"], strict=True):
        label.set(color=MUTED if depth else INK, fontweight="normal" if depth else "bold")
    return ax
