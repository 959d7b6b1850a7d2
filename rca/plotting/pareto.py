"""Horizontal bars from the largest down; cumulative share and rate stand beside them as columns of figures."""

from textwrap import wrap
from typing import Any

from matplotlib.axes import Axes

from rca.counted import amounts, counting
from rca.plotting.style import ACCENT, FAINT, INK, MUTED, WORSE, axes
from rca.sentences import capital, percent

BARS = 0.56  # the longest bar, as a part of the width; the columns stand to the right
CUMULATIVE = -98  # points from the right edge
LONGEST = 28  # letters of a segment's name


def draw(result: Any, ax: Axes | None = None) -> Axes:
    """Blue bars are the vital few; a rate worse than the rest has its word and colour. One axis only.

    Where all others together are more than the largest segment, they get no bar: it would dwarf those that matter.
    """
    rows, metric = result.shown, result.metric
    ax = axes(ax, result.panel_height)
    places = range(len(rows))
    longest = result.table["count"].max()
    lengths = (BARS * rows["count"] / (longest or 1)).where(rows["count"] <= longest, 0)
    ax.barh(places, lengths, height=0.64, color=[ACCENT if v else FAINT for v in rows["vital"]])
    ax.set_xlim(0, 1)
    ax.set_ylim(len(rows) - 0.1, -1.4)
    ax.set_yticks(places, [short(s) for s in rows["segment"]], color=INK)
    ax.set_xticks([])
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.set_title("\n".join(wrap(f"{capital(counting(metric))}, by {result.by.replace('_', ' ')}", 76)))

    def column(y: float, points: float, text: str, color: str = MUTED, va: str = "center") -> None:
        style: Any = {"ha": "right", "va": va, "color": color, "fontsize": 8}
        ax.annotate(text, (1, y), (points, 0), textcoords="offset points", **style)

    column(-0.6, CUMULATIVE, "cumulative", va="bottom")
    column(-0.6, 0, "\n".join(wrap(metric.label, 18, max_lines=2, placeholder=" …")), va="bottom")
    for y, row, text in zip(places, rows.itertuples(), amounts(metric, rows["count"]), strict=True):
        ax.annotate(text, (lengths[y], y), (4, 0), textcoords="offset points", va="center", color=INK, fontsize=8)
        column(y, CUMULATIVE, percent(row.cumulative))
        worse = row.judged == "worse"
        column(y, 0, "worse  " * worse + metric.text(row.rate), WORSE if worse else MUTED)
    return ax


def short(name: str) -> str:
    """A name cut to what fits beside bars."""
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
