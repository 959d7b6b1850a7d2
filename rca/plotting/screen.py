"""Draw a screen: one line per series, its course in small, two icons, the change in words."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from rca.plotting.style import BAND, COLOR, INK, MUTED, NEUTRAL, axes

if TYPE_CHECKING:
    from rca.screen import Screen

SHOWN = 14  # series that a page takes in at a glance
ICON = {"worse": "▼ worse", "better": "▲ better", "steady": "● steady", "": "○ not judged"}
AIM = {"always": "hits target", "never": "misses target", "hit and miss": "hit and miss", "": ""}
LEFT, RIGHT = 0.30, 0.62  # the small charts, in shares of the width


def draw(screen: "Screen", ax: Axes | None = None) -> Axes:
    """The first series of the table, what matters first."""
    rows = screen.table.head(SHOWN)
    ax = axes(ax, height=0.6 + 0.32 * len(rows))
    ax.set_xlim(0, 1)
    ax.set_ylim(len(rows) - 0.4, -0.9)
    ax.axis("off")
    for x, title in ((0, " / ".join(screen.by)), (LEFT, "course and limits"), (0.66, "change"), (0.99, "target")):
        align = "right" if x > 0.9 else "left"
        ax.text(x, -0.75, title.replace("_", " "), fontsize=7.5, color=MUTED, ha=align, va="center")
    points = screen.points.set_index(list(screen.by))
    for line, (_, row) in enumerate(rows.iterrows()):
        key = tuple(row[d] for d in screen.by)
        _spark(ax, points.loc[[key if len(key) > 1 else key[0]]], line, row)
        ax.text(0, line, _short(", ".join(str(k) for k in key)), va="center", fontsize=8.5)
        ax.text(
            0.66, line, _change(screen, row), va="center", fontsize=8.5, color=COLOR.get(row["variation"], MUTED)
        )
        ax.text(0.99, line, AIM[row["assurance"]], va="center", ha="right", fontsize=8, color=MUTED)
    more = len(screen.table) - len(rows)
    ax.set_title(screen.metric.label + (f": the first {len(rows)} of {len(screen.table):,} series" if more else ""))
    return ax


def _spark(ax: Axes, points: pd.DataFrame, line: int, row: pd.Series) -> None:
    """A small chart: band and values, scaled to its own range; the change as a tick where it began."""
    band = points[["lcl", "ucl", "value"]].to_numpy(dtype=float)
    low, high = np.nanmin(band), np.nanmax(band)
    x = np.linspace(LEFT, RIGHT, len(points))

    def y(values: np.ndarray) -> np.ndarray:
        return line + 0.36 - 0.72 * (values - low) / ((high - low) or 1)

    ax.fill_between(x, y(band[:, 0]), y(band[:, 1]), color=BAND, linewidth=0, zorder=1)
    ax.plot(x, y(band[:, 2]), color=INK, linewidth=0.8, zorder=3)
    if row["variation"] in COLOR:
        start = x[int(np.argmax(points["period"].to_numpy() >= np.datetime64(row["date"])))]
        ax.plot([start, start], [line - 0.36, line + 0.36], color=COLOR[row["variation"]], linewidth=1.4, zorder=2)
    beyond = np.abs(points["z"].to_numpy(dtype=float)) > 3
    ax.plot(x[beyond], y(band[beyond, 2]), "D", color=NEUTRAL, mec=INK, mew=0.5, markersize=3, zorder=4)


def _change(screen: "Screen", row: pd.Series) -> str:
    icon = ICON[row["variation"]]
    if row["variation"] not in COLOR:
        return icon
    return f"{icon}  {screen.metric.change(row['size'])}{', drift' if row['kind'] == 'drift' else ''}"


def _short(name: str) -> str:
    return name if len(name) <= 26 else f"{name[:25]}…"
