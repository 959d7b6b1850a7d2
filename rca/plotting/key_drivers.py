"""Drivers as headings with a bar for their importance; under each its levels in KPI points, with intervals."""

from typing import Any

from matplotlib.axes import Axes

from rca.driver_ranking import spoken
from rca.plotting.bars import short
from rca.plotting.style import ACCENT, COLOR, INK, MUTED, NEUTRAL, axes
from rca.sentences import capital, inner, percent

FROM, LONGEST = 1.04, 0.2  # where the importance bars begin and how long they get, as parts of the width


def draw(result: Any, ax: Axes | None = None) -> Axes:
    """Dots: a level against all cases, the other drivers held fixed, filled where beyond noise.

    Bars at the right: the driver's part of what all drivers explain, with its interval.
    """
    metric, rows = result.metric, result.shown
    ax = axes(ax, result.panel_height)
    scale = 100 if metric.kind == "proportion" else 1
    ax.axvline(0, color=NEUTRAL, linewidth=0.8, zorder=0)
    names: list[str] = []
    headings = set()
    whole = result.table["share"].sum() or 1
    for driver in result.table[result.table["driver"].isin(rows["driver"])].itertuples():
        headings.add(len(names))
        _importance(ax, len(names), driver, whole, result.table["conf_high"].max())
        names.append(capital(spoken(driver.driver)) + " *" * driver.mediator)
        for row in rows[rows["driver"] == driver.driver].itertuples():
            color, y = COLOR.get(row.judged, NEUTRAL), len(names)
            ax.plot([scale * row.conf_low, scale * row.conf_high], [y, y], color=color, linewidth=1.4, zorder=1)
            face = "white" if row.judged == "ordinary" else color
            ax.plot(scale * row.effect, y, "o", color=color, markerfacecolor=face, markersize=5.5, zorder=2)
            names.append(short(row.level))
    ax.set_yticks(range(len(names)), names)
    for y, label in enumerate(ax.get_yticklabels()):
        label.set(color=INK if y in headings else MUTED, fontweight="bold" if y in headings else "normal")
    ax.set_ylim(len(names) - 0.3, -1.2)
    ax.spines["left"].set_visible(False)
    unit = "points" if scale == 100 else metric.unit or "units"
    worse = "left" if metric.sign > 0 else "right"
    late = ".  * arises after the outcome began" if result.table["mediator"].any() else ""
    ax.set_xlabel(f"{metric.label} against all {metric.cases}, {unit} (worse to the {worse}){late}")
    ax.set_title(f"What goes with {inner(metric.label)}" + ("" if len(result.found) else ": nothing beyond noise"))
    ax.annotate(
        "part of what is explained",
        (FROM, -0.9),
        xycoords=ax.get_yaxis_transform(),
        va="center",
        color=MUTED,
        fontsize=8,
        annotation_clip=False,
    )
    return ax


def _importance(ax: Axes, y: int, driver: Any, whole: float, largest: float) -> None:
    """A bar with a whisker and its figure, beside the axes."""
    unit = LONGEST / largest
    style: Any = {"transform": ax.get_yaxis_transform(), "clip_on": False, "solid_capstyle": "butt"}
    ax.plot(
        [FROM, FROM + unit * driver.share], [y, y], color=ACCENT if driver.found else NEUTRAL, linewidth=7, **style
    )
    ax.plot(
        [FROM + unit * driver.conf_low, FROM + unit * driver.conf_high], [y, y], color=INK, linewidth=1, **style
    )
    text = percent(driver.share / whole) if driver.found else "noise"
    ax.annotate(
        text,
        (FROM + unit * driver.conf_high, y),
        (5, 0),
        xycoords=ax.get_yaxis_transform(),
        textcoords="offset points",
        va="center",
        fontsize=8,
        color=INK,
        annotation_clip=False,
    )
