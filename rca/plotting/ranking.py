"""Picture of a Ranking: shrunken levels with their intervals, where each can stand, brackets around who is alike."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from rca.plotting.compare import SHAPE
from rca.plotting.style import COLOR, FAINT, INK, MUTED, NEUTRAL, axes

if TYPE_CHECKING:
    from rca.ranking import Ranking

SHOWN = 20
STEP = 7  # points between brackets


def draw(found: "Ranking", ax: Axes | None = None) -> Axes:
    """One row per segment, worst on top; hollow: not shrunken; lines at the right join those who are alike."""
    rows = found.table.head(SHOWN)
    ax = axes(ax, height=1.0 + 0.24 * len(rows))
    metric = found.metric
    ax.axvline(found.center, color=NEUTRAL, lw=0.9)
    for y, row in enumerate(rows.to_dict("records")):
        color = COLOR.get(row["direction"], MUTED)
        ax.plot([row["estimate_low"], row["estimate_high"]], [y, y], color=color, lw=2, solid_capstyle="butt")
        ax.plot(row["raw"], y, "o", mfc="white", mec=FAINT, ms=5, zorder=3)
        ax.plot(row["estimate"], y, SHAPE[row["direction"]], color=color, ms=6.5, zorder=4)
        low, high = row["rank_low"], row["rank_high"]
        where = f"{low}" if low == high else f"{low}–{high}"
        _beside(ax, y, where, 10)
    _beside(ax, -0.9, "rank", 10)
    place = {name: y for y, name in enumerate(rows["segment"])}
    drawn = [group for group in found.groups if len(group) > 1 and group[0] in place]
    for i, group in enumerate(drawn):
        ends = (place[group[0]] - 0.3, min(place[group[0]] + len(group) - 1, len(rows) - 1) + 0.3)
        offset = 1 + (46 + STEP * i) / (ax.get_window_extent().width * 0.72)
        ax.plot([offset, offset], ends, color=MUTED, lw=1.8, transform=ax.get_yaxis_transform(), clip_on=False)
    ax.set_yticks(range(len(rows)), list(rows["segment"]), color=INK)
    ax.set_ylim(len(rows) - 0.4, -1.3)
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_formatter(lambda v, _: metric.text(v))
    ax.locator_params(axis="x", nbins=5)
    ax.set_title(f"{metric.label}: who is where, worst first")
    more = f"; {len(found.table) - len(rows)} more not shown" if len(found.table) > len(rows) else ""
    how = "level with 95 % interval, shrunken; hollow: not shrunken; a line joins who cannot be told apart"
    ax.set_xlabel(f"{how}{more}", fontsize=7.5)
    return ax


def _beside(ax: Axes, y: float, text: str, offset: float) -> None:
    ax.annotate(
        text, xy=(1, y), xycoords=("axes fraction", "data"), xytext=(offset, 0), textcoords="offset points",
        va="center", color=MUTED, fontsize=8, annotation_clip=False,
    )  # fmt: skip
