"""Two lists as dumbbells: open dot the reference, filled dot now, with both ranks beside them."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from rca.plotting.bars import short
from rca.plotting.style import ACCENT, INK, MUTED, NEUTRAL, axes

WORDS = {"same": "", "noise": "may be noise", "changed": "changed"}


def draw(result: Any, ax: Axes | None = None) -> Axes:
    """Blue: the share moved beyond noise. The column says how the rank went and whether that may be noise."""
    rows = result.shown.reset_index(drop=True)
    ax = axes(ax, result.panel_height)
    colors = [ACCENT if m else NEUTRAL for m in rows["moved"]]
    ax.hlines(rows.index, rows["share_reference"], rows["share"], color=colors, linewidth=1.6, zorder=1)
    ax.scatter(
        rows["share_reference"], rows.index, s=34, facecolor="white", edgecolor=colors, linewidth=1.4, zorder=2
    )
    ax.scatter(rows["share"], rows.index, s=38, color=colors, zorder=3)
    ax.set_ylim(len(rows) - 0.4, -1.2)
    ax.set_xlim(left=-0.01)
    ax.margins(x=0.05)
    ax.set_yticks(rows.index, [short(s) for s in rows["segment"]], color=INK)
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.spines["left"].set_visible(False)
    ax.set_title(f"Share by {result.by.replace('_', ' ')}: ○ {result.reference}, ● {result.label}")
    style: Any = {
        "xycoords": ("axes fraction", "data"),
        "textcoords": "offset points",
        "va": "center",
        "fontsize": 8,
    }
    ax.annotate("rank", (1, -0.8), (14, 0), color=MUTED, annotation_clip=False, **style)
    for y, row in enumerate(rows.itertuples()):
        text = f"{row.rank_reference} → {row.rank}  {WORDS[row.order]}"
        color = ACCENT if row.order == "changed" else MUTED
        ax.annotate(text.strip(), (1, y), (14, 0), color=color, annotation_clip=False, **style)
    return ax
