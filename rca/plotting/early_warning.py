"""Segments that drift: values, the line through them, and where it meets the limit."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from rca.period import PERIODS
from rca.plotting.control_chart import apart
from rca.plotting.style import ACCENT, FAINT, INK, MUTED, WORSE, axes, right_label
from rca.sentences import segment_words

if TYPE_CHECKING:
    from rca.early_warning import EarlyWarning

SHOWN = 3
COLORS, MARKS = (INK, ACCENT, MUTED), ("o", "s", "^")
AHEAD = 26  # periods shown after the last one


def draw(found: "EarlyWarning", ax: Axes | None = None) -> Axes:
    """Periods from the last one on are to come; the bar on the limit is the 95 % interval of when it is met."""
    ax, metric = axes(ax, height=2.9 if len(found.table) else 1.0), found.metric
    ax.set_title(f"{metric.label}: drifts towards the limit")
    if found.table.empty:
        ax.text(0.5, 0.5, "No segment drifts towards its limit", ha="center", va="center", color=MUTED)
        ax.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(0, 1))
        ax.spines[["left", "bottom"]].set_visible(False)
        return ax
    ax.axhline(found.limit, color=WORSE, linewidth=1.2, linestyle=(0, (5, 2)), zorder=1)
    ax.axvline(0, color=FAINT, linewidth=0.8, zorder=1)
    ends, places = [], []
    for i, row in enumerate(found.table.head(SHOWN).to_dict("records")):
        line = found.lines[found.lines["segment"] == row["segment"]]
        x = np.arange(len(line)) - len(line) + 1
        ax.plot(x, line["value"], MARKS[i], color=COLORS[i], markersize=3.2, alpha=0.55, zorder=3)
        ax.plot(x, line["fitted"], color=COLORS[i], linewidth=1.6, zorder=4)
        until = min(max(row["periods"], 0), AHEAD)
        after = row["rate_after"] + row["slope"] * until
        ax.plot([0, until], [row["rate_after"], after], color=COLORS[i], linestyle=":", linewidth=1.6, zorder=4)
        low, high = (min(row[f"periods_{end}"], AHEAD) for end in ("low", "high"))
        if low < high:
            ax.plot([low, high], [found.limit] * 2, color=COLORS[i], linewidth=5, alpha=0.45, zorder=2)
        ends.append(f"{segment_words(found.where(i))}: {found.due(found.table.iloc[i])}")
        places.append(after)
    ax.set_xlim(-len(line) + 0.3, AHEAD)
    ax.margins(y=0.15)
    low, high = ax.get_ylim()
    heights = apart([found.limit, *places], 0.2 * (high - low))
    right_label(ax, heights[0], f"limit {metric.text(found.limit)}", WORSE)
    for y, color, text in zip(heights[1:], COLORS, ends, strict=False):
        right_label(ax, y, text.replace(": ", "\n"), color)
    ax.yaxis.set_major_formatter(lambda v, _: metric.text(v))
    ax.locator_params(axis="y", nbins=5)
    hidden = len(found.table) - SHOWN
    more = f"; {hidden} more not shown" * (hidden > 0)
    ax.set_xlabel(f"{PERIODS[found.period]}s from the last one on{more}", loc="left")
    return ax
