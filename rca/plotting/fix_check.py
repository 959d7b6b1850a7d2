"""A KPI before and after a fix, beside what it would be without it."""

import textwrap
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from rca.period import PERIODS, day
from rca.plotting.control_chart import LINE, apart, places, ticks
from rca.plotting.style import BAND, COLOR, INK, MUTED, NEUTRAL, axes, right_label

if TYPE_CHECKING:
    from rca.fix_check import FixCheck

JUDGED = {"worked": COLOR["better"], "got worse": COLOR["worse"]}


def draw(check: "FixCheck", ax: Axes | None = None) -> Axes:
    """Values as a line, the fitted levels, and dashed with its interval what would be expected without the fix."""
    ax = axes(ax, height=3.0)
    rows, x = check.table, places(check.table["period"], check.period)
    used, color = rows["used"].to_numpy(), JUDGED.get(check.verdict, MUTED)
    ax.plot(x, rows["siblings"], color=NEUTRAL, linewidth=0.9, zorder=2)
    ax.fill_between(x, rows["low"], rows["high"], color=BAND, linewidth=0, zorder=1)
    ax.plot(x, rows["counterfactual"], color=MUTED, linewidth=1.4, linestyle=(0, (4, 2)), zorder=3)
    for phase in ("before", "problem", "after"):
        here = (rows["phase"] == phase).to_numpy()
        ax.plot(x[here], rows["fitted"][here], color=color if phase == "after" else INK, linewidth=1.8, zorder=5)
    ax.plot(x, rows["value"], color=NEUTRAL, linewidth=0.8, zorder=3)
    ax.plot(x[used], rows["value"][used], "o", color=INK, markersize=3.2, zorder=4)
    ax.plot(x[~used], rows["value"][~used], "o", mfc="white", mec=MUTED, markersize=4.5, zorder=4)
    ax.margins(x=0.015)
    _change(check, ax, x)
    _labels(check, ax, color)
    ticks(ax, check.metric, check.period)
    ax.set_title(check.metric.label)
    ax.set_xlabel(_caption(check), loc="left", fontsize=7.5, color=MUTED)
    return ax


def _change(check: "FixCheck", ax: Axes, x: np.ndarray) -> None:
    """The day of the fix as a thin line between the periods, which are drawn at their first days."""
    first = min(int((check.table["period"] < check.change_at).sum()), len(x) - 1)
    place = x[first] - (x[1] - x[0]) / 2
    ax.axvline(place, color=MUTED, linewidth=0.8, zorder=1.5)
    top, text = ax.get_xaxis_transform(), f"fix, {day(check.change_at)}"
    ax.text(place, 1.0, text, transform=top, ha="center", va="bottom", fontsize=7.5, color=MUTED)


def _labels(check: "FixCheck", ax: Axes, color: str) -> None:
    """The last level with and without the fix, and that of the siblings, at the right edge."""
    rows, text = check.table, check.metric.text
    named = ((rows["fitted"], "with the fix", color), (rows["counterfactual"], "without", MUTED),
             (rows["siblings"], "siblings", NEUTRAL))  # fmt: skip
    labels = [(seen.iloc[-1], word, ink) for column, word, ink in named if len(seen := column.dropna())]
    low, high = ax.get_ylim()
    ax.set_ylim(low, high)
    heights = apart([value for value, _, _ in labels], 0.085 * (high - low))
    for y, (value, word, ink) in zip(heights, labels, strict=True):
        right_label(ax, y, f"{word} {text(value)}", ink)


def _caption(check: "FixCheck") -> str:
    counts = check.counts
    parts = [f"{counts['before']} {PERIODS[check.period]}s before, {counts['after']} after"]
    parts += [f"{counts['problem']} with the problem"] * bool(counts["problem"])
    left = counts["ramp"] + counts["trigger"]
    parts += [f"{left} left out (open dots)"] * bool(left)
    parts += [f"siblings: {', '.join(check.siblings)}"] * bool(check.siblings)
    parts += ["band: 95 % interval of what it would be without the fix"] * bool(check.table["low"].notna().any())
    return textwrap.fill("; ".join(parts) + ".", LINE)
