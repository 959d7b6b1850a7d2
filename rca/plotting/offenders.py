"""Sellers by their shrunk rate, the worst on top, beside what was counted: a seller with few cases moves far."""

from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes

from rca.counted import counting
from rca.plotting.style import INK, MUTED, NEUTRAL, WORSE, axes
from rca.sentences import exactly, percent

if TYPE_CHECKING:
    from rca.offenders import Offenders

SHOWN = 12


def draw(found: "Offenders", ax: Axes | None = None) -> Axes:
    """Filled: shrunk, with its 95 % interval; open: as counted. Offenders have their own shape, word and colour."""
    rows, metric = found.table.head(SHOWN), found.metric
    ax = axes(ax, height=1.2 + 0.27 * len(rows))
    ax.axvline(found.typical, color=NEUTRAL, linewidth=0.8, zorder=1)
    top: Any = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "fontsize": 8, "color": MUTED}
    ax.annotate(f"usual {metric.text(found.typical)}", (found.typical, 1), (0, 2), ha="center", va="bottom", **top)
    for y, row in enumerate(rows.to_dict("records")):
        worse = row["direction"] == "worse"
        color = WORSE if worse else INK
        ax.plot([row["conf_low"], row["conf_high"]], [y, y], color=color, linewidth=1.6, solid_capstyle="butt")
        ax.plot([row["rate"], row["shrunk"]], [y, y], color=MUTED, linewidth=0.7, linestyle=":")
        ax.plot(row["rate"], y, "o", mfc="white", mec=MUTED, markersize=5)
        ax.plot(row["shrunk"], y, "v" if worse else "o", color=color, markersize=6.5)
        _beside(ax, y, exactly(row["n"], metric.cases), 8)
        _beside(ax, y, percent(row["share"]), 92)
        if worse:
            _beside(ax, y, "repeat", 140, WORSE)
    names = [s.partition("=")[2] for s in rows["segment"]]
    ax.set_yticks(range(len(rows)), names, color=INK)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_formatter(lambda v, _: metric.text(v))
    ax.locator_params(axis="x", nbins=6)
    ax.set_title(f"{metric.label}, by {found.of.replace('_', ' ')}", pad=18)
    hidden = len(found.table) - len(rows)
    more = f"; {hidden} more not shown" * bool(hidden)
    beside = f"share of {counting(metric)} beside it"
    ax.set_xlabel(
        f"filled: shrunk, with its 95 % interval; open: as counted; {beside}{more}", loc="left", fontsize=7.5
    )
    return ax


def _beside(ax: Axes, y: float, text: str, offset: float, color: str = MUTED) -> None:
    style: Any = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "annotation_clip": False}
    ax.annotate(text, (1, y), (offset, 0), va="center", fontsize=8, color=color, **style)
