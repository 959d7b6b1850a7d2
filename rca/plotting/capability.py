"""Draw capability indices with their intervals, beside the value that is wanted."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from rca.capability import ENOUGH
from rca.plotting.style import INK, MUTED, axes, right_label

if TYPE_CHECKING:
    from rca.capability import Capability


def draw(result: "Capability", ax: Axes | None = None) -> Axes:
    """One line per index; where they are withheld, the reason."""
    rows = result.table
    ax = axes(ax, height=1.0 + 0.28 * max(len(rows), 1))
    ax.set_title(f"{result.metric.label}: capability")
    ax.set_yticks([])
    if rows.empty:
        ax.text(0.01, 0.5, f"Not stated: {result.withheld}.", transform=ax.transAxes, va="center", color=MUTED)
        ax.set_xticks([])
        return ax
    places = range(len(rows))
    ax.hlines(places, rows["conf_low"], rows["conf_high"], color=MUTED, linewidth=1.4)
    ax.plot(rows["value"], places, "o", color=INK, markersize=5)
    ax.axvline(ENOUGH, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    ax.text(ENOUGH, 1.0, f"wanted {ENOUGH}", transform=ax.get_xaxis_transform(), ha="center", va="bottom",
            fontsize=8, color=MUTED)  # fmt: skip
    ax.set_yticks(list(places), rows["index"])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(left=min(0, float(rows["conf_low"].min())))
    for place, value in zip(places, rows["value"], strict=True):
        right_label(ax, place, f"{value:.2f}")
    return ax
