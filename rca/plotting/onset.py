"""The series of each changed segment, with the interval in which its change began."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.dates import date2num

from rca.period import day, last_day
from rca.plotting.style import ACCENT, BAND, INK, MUTED, axes, right_label


def draw(result: Any, ax: Axes | None = None) -> Axes:
    """The first segment's values; the band holds the start with 95 % probability, the line is the likeliest."""
    ax = axes(ax, 2.2)
    metric = result.metric
    if result.table.empty:
        ax.set_axis_off()
        ax.text(0, 0.5, f"{metric.label}: no change whose start could be dated", color=MUTED)
        return ax
    first = result.table.iloc[0]
    trace = result.series[result.series["segment"] == first["segment"]]
    ax.axvspan(date2num(first["earliest"]), date2num(last_day(first["latest"], result.step)), color=BAND)
    ax.axvline(first["since"], color=ACCENT, linewidth=1)
    ax.plot(trace["period"], trace["value"], "o-", color=INK, markersize=3, linewidth=1)
    ax.set_title(f"{metric.label}: {first['segment']}")
    right_label(ax, trace["value"].iloc[-1], f"{trace['value'].iloc[-1]:.3g}", INK)
    ax.annotate(
        day(first["since"]), (first["since"], 1), xycoords=("data", "axes fraction"), color=ACCENT, fontsize=8
    )
    return ax
