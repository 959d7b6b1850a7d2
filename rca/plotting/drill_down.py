"""The tree as indented bars: each step to the right is a part of the bar above."""

from textwrap import wrap
from typing import Any

from matplotlib.axes import Axes

from rca.counted import amounts, counting
from rca.plotting.pareto import short
from rca.plotting.style import ACCENT, FAINT, INK, MUTED, WORSE, axes
from rca.sentences import capital, percent

BARS = 0.56  # the longest bar, as a part of the width
PART = -98  # points from the right edge
STEP = 4 * "\N{NO-BREAK SPACE}"  # a parent stands further to the left


def draw(result: Any, ax: Axes | None = None) -> Axes:
    """All bars have one scale. Blue: vital within its parent. Columns: share of the parent, rate."""
    rows, metric, last = result.table, result.metric, len(result.path) - 1
    ax = axes(ax, result.panel_height)
    lengths = BARS * rows["count"] / (rows["count"].max() or 1)
    ax.barh(rows.index, lengths, height=0.64, color=[ACCENT if v else FAINT for v in rows["vital"]])
    ax.set_xlim(0, 1)
    ax.set_ylim(len(rows) - 0.1, -1.4)
    ax.set_yticks(
        rows.index, [short(s) + STEP * d for s, d in zip(rows["segment"], last - rows["depth"], strict=True)]
    )
    ax.set_xticks([])
    ax.spines[["left", "bottom"]].set_visible(False)
    steps = ", then ".join(d.replace("_", " ") for d in result.path)
    ax.set_title("\n".join(wrap(f"{capital(counting(metric))}, by {steps}", 76)))
    for label, depth in zip(ax.get_yticklabels(), rows["depth"], strict=True):
        label.set(color=MUTED if depth else INK, fontweight="normal" if depth else "bold")

    def column(y: float, points: float, text: str, color: str = MUTED) -> None:
        style: Any = {"ha": "right", "va": "center", "color": color, "fontsize": 8}
        ax.annotate(text, (1, y), (points, 0), textcoords="offset points", **style)

    column(-0.9, PART, "of its parent")
    column(-0.9, 0, metric.label)
    for y, row, text in zip(rows.index, rows.itertuples(), amounts(metric, rows["count"]), strict=True):
        ax.annotate(text, (lengths[y], y), (4, 0), textcoords="offset points", va="center", color=INK, fontsize=8)
        column(y, PART, percent(row.of_parent))
        worse = row.judged == "worse"
        column(y, 0, "worse  " * worse + metric.text(row.rate), WORSE if worse else MUTED)
    return ax
