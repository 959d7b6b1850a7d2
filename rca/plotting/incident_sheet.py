"""One incident bin by bin: what was seen against what is usual, the incident shaded."""

from typing import TYPE_CHECKING

import matplotlib.dates as mdates
from matplotlib.axes import Axes

from rca.plotting.style import ACCENT, BAND, FAINT, INK, MUTED, WORSE, axes, right_label

if TYPE_CHECKING:
    from rca.incident_sheet import Sheet


def draw(sheet: "Sheet", ax: Axes | None = None) -> Axes:
    """Bars: cases; dark: those that went wrong; line: usual. For volume the bars are compared with the line."""
    if sheet.table.empty:
        ax = axes(ax, 0.8)
        ax.set_axis_off()
        ax.text(0, 0.5, sheet.headline, color=MUTED)
        return ax
    ax = axes(ax, 2.4)
    rows, rate = sheet.table, sheet.kind == "rate"
    width = (rows["period"].iloc[1] - rows["period"].iloc[0]).total_seconds() / 86_400
    x = mdates.date2num(rows["period"].to_numpy())
    inside = rows["inside"].to_numpy()
    ax.axvspan(x[inside][0], x[inside][-1] + width, color=BAND, zorder=0)
    gap = 0.86 * width
    ax.bar(x + width / 2, rows["cases"], gap, color=FAINT if rate else ACCENT, zorder=2)
    if rate:
        ax.bar(x + width / 2, rows["seen"], gap, color=WORSE, zorder=3)
    ax.step(
        [*x, x[-1] + width],
        [*rows["expected"], rows["expected"].iloc[-1]],
        where="post",
        color=INK,
        lw=1.3,
        zorder=4,
    )
    ax.margins(x=0)
    locator = mdates.AutoDateLocator(minticks=4, maxticks=9)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, show_offset=False))
    ax.set_title(sheet.headline.split(": ")[0])
    right_label(ax, float(rows["expected"].iloc[-1]), "usual", INK)
    went = f"all {sheet.metric.cases}; orange: those that went wrong" if rate else sheet.metric.cases
    ax.set_xlabel(f"Bars: {went}. Line: usual. Shaded: the incident.", loc="left", fontsize=7.5, color=MUTED)
    return ax
