"""Horizontal bars with their amounts, and columns of figures beside them."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from matplotlib.axes import Axes

from rca.metric import Metric
from rca.plotting.style import ACCENT, FAINT, INK, MUTED, WORSE

BARS = 0.56  # the longest bar, as a part of the width; the columns stand to the right
STEP = 98  # points between columns
LONGEST = 28  # letters of a segment's name
TITLE = 76  # letters in a line


def bars(ax: Axes, rows: Any, amounts: Sequence[str], longest: float, title: str) -> None:
    """A bar per row of `segment, count, vital`, from the top down; blue ones are vital.

    longest: the count that gets the longest bar; a row with more gets none.
    """
    lengths = (BARS * rows["count"] / (longest or 1)).where(rows["count"] <= longest, 0)
    ax.barh(range(len(rows)), lengths, height=0.64, color=[ACCENT if v else FAINT for v in rows["vital"]])
    ax.set_xlim(0, 1)
    ax.set_ylim(len(rows) - 0.1, -1.4)
    ax.set_yticks(range(len(rows)), [short(s) for s in rows["segment"]], color=INK)
    ax.set_xticks([])
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.set_title("\n".join(wrap(title, TITLE)))
    for y, (length, text) in enumerate(zip(lengths, amounts, strict=True)):
        ax.annotate(text, (length, y), (4, 0), textcoords="offset points", va="center", color=INK, fontsize=8)


def column(ax: Axes, place: int, head: str, texts: Sequence[str], colors: Sequence[str] | None = None) -> None:
    """A column of figures, `place` columns from the right edge."""
    style: Any = {"xytext": (-STEP * place, 0), "textcoords": "offset points", "ha": "right", "fontsize": 8}
    lines = "\n".join(wrap(head, 18, max_lines=2, placeholder=" …"))
    ax.annotate(lines, (1, -0.6), va="bottom", color=MUTED, **style)
    for y, (text, color) in enumerate(zip(texts, colors or [MUTED] * len(texts), strict=True)):
        ax.annotate(text, (1, y), va="center", color=color, **style)


def rates(ax: Axes, rows: Any, metric: Metric) -> None:
    """The last column: the metric itself, with word and colour where it is worse than the rest."""
    worse = rows["judged"] == "worse"
    texts = ["worse  " * w + metric.text(r) for w, r in zip(worse, rows["rate"], strict=True)]
    column(ax, 0, metric.label, texts, [WORSE if w else MUTED for w in worse])


def short(name: str) -> str:
    """A name cut to what fits beside bars."""
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
