"""All the time as a calendar: a row per day, the clock from left to right, what is off in colour, incidents framed."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from rca.plotting.style import ACCENT, INK, MUTED, WORSE, axes

if TYPE_CHECKING:
    from rca.incidents import Incidents

COLORS = LinearSegmentedColormap.from_list("incident", ["#ffffff", "#f6d5b8", WORSE])
CLOSED = "#eef1f4"
HEIGHT = 0.055  # inches of a day's row


def draw(found: "Incidents", ax: Axes | None = None) -> Axes:
    """Cases beyond the expected, hour by hour; a frame and its number for each incident, dashed where volume is off."""
    bins, day = found.bins, pd.Timedelta(days=1)
    first, last = bins["period"].iloc[0].normalize(), bins["period"].iloc[-1].normalize()
    days = (last - first) // day + 1
    ax = axes(ax, 1.3 + HEIGHT * days)
    row, hour = (bins["period"].dt.normalize() - first) // day, bins["period"].dt.hour
    place = (row * 24 + hour).to_numpy()
    seen, expected = (np.bincount(place, bins[c], days * 24).reshape(days, 24) for c in ("seen", "expected"))
    excess, judged = seen - expected, expected > 0
    shown = np.where(judged, np.maximum(excess, 0), np.nan)
    top = max(float(np.nanquantile(shown, 0.999)) if judged.any() else 1.0, 3.0)
    colors = COLORS.with_extremes(bad=CLOSED)
    ax.imshow(shown, cmap=colors, vmin=0, vmax=top, aspect="auto", extent=(0, 24, days - 0.5, -0.5))
    for one in found.table.itertuples():
        _frame(ax, one, first, days)
    ticks = [d for d in range(days) if (first + d * day).day_of_week == 0]
    ticks = ticks[:: max(1, len(ticks) // 10)]
    ax.set_yticks(ticks, [f"{first + d * day:%a} {(first + d * day).day} {first + d * day:%b}" for d in ticks])
    ax.set_xticks(range(0, 25, 3), [f"{h}:00" for h in range(0, 25, 3)])
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.set_title(f"{found.metric.label}: what is off, by day and hour")
    more = "came" if found.metric.kind == "mean" else "went wrong"
    note = f"Colour: more than usual {more} in that hour. Frame: incident; dashed: volume. Grey: hardly any cases."
    ax.set_xlabel(note, loc="left", fontsize=7.5, color=MUTED)
    return ax


def _frame(ax: Axes, one: Any, first: pd.Timestamp, days: int) -> None:
    """A frame around each day's part of an incident, numbered where it ends."""
    start, end, rate = one.start, one.end, one.kind == "rate"
    day = pd.Timedelta(days=1)
    for d in range(
        (start.normalize() - first) // day, min((end - pd.Timedelta(seconds=1) - first) // day, days) + 1
    ):
        low = max((start - first - d * day) / pd.Timedelta(hours=1), 0.0)
        high = min((end - first - d * day) / pd.Timedelta(hours=1), 24.0)
        style = {"linestyle": "-"} if rate else {"linestyle": (0, (2, 1))}
        color = INK if rate else ACCENT
        ax.add_patch(Rectangle((low, d - 0.5), high - low, 1, fill=False, edgecolor=color, linewidth=1.1, **style))
    last = end - pd.Timedelta(seconds=1)
    place = ((end - last.normalize()) / pd.Timedelta(hours=1), (last.normalize() - first) // day)
    text = f"{one.incident}"
    box = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
    ax.annotate(
        text, place, xytext=(4, 0), textcoords="offset points", ha="left", va="center", bbox=box,
        fontsize=8, fontweight="bold", color=INK if rate else ACCENT,
    )  # fmt: skip
