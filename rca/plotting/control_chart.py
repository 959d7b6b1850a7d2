"""Draw a control chart: values, centre, limits, signals by shape and colour, labels at the right edge."""

from typing import TYPE_CHECKING, Any

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from rca.plotting.style import BAND, COLOR, FAINT, INK, MUTED, NEUTRAL, axes, right_label

if TYPE_CHECKING:
    from rca.control_chart import ControlChart

SHAPE = {"up": "^", "down": "v", "": "D"}
TARGET = "#3b7d4f"


def draw(chart: "ControlChart", ax: Axes | None = None) -> Axes:
    """Values as a line, the range that chance explains as a band, one marker per signalling period."""
    ax = axes(ax)
    rows = chart.table
    x = rows["period"].to_numpy()
    for _, phase in rows.groupby("phase"):
        ax.fill_between(phase["period"], phase["lcl"], phase["ucl"], color=BAND, linewidth=0, step="mid", zorder=1)
        ax.step(phase["period"], phase["center"], where="mid", color=NEUTRAL, linewidth=1, zorder=2)
    whole = rows["value"].where(~rows["partial"] & ~rows["excluded"])
    ax.plot(x, rows["value"].where(~rows["excluded"]), color=FAINT, linewidth=1, zorder=3)
    ax.plot(x, whole, color=INK, linewidth=1.2, marker="o", markersize=_dot(len(rows)), zorder=4)
    hollow = rows[rows["partial"] | rows["excluded"]]
    ax.plot(hollow["period"], hollow["value"], "o", mfc="white", mec=NEUTRAL, markersize=4.5, zorder=5)
    _signals(chart, ax)
    _labels(chart, ax)
    _dates(chart, ax)
    ax.set_title(chart.metric.label)
    return ax


def _dot(count: int) -> float:
    return 3.2 if count <= 30 else 2.2 if count <= 60 else 1.4


def _signals(chart: "ControlChart", ax: Axes) -> None:
    """One marker per period: its first signal decides shape and colour."""
    values = chart.table.set_index("period")["value"]
    for _, signal in chart.signals.drop_duplicates("period").iterrows():
        period, color = signal["period"], COLOR.get(signal["judgement"], MUTED)
        shape = SHAPE[signal["direction"]]
        ax.plot([period], [values[period]], shape, color=color, markersize=7, mec="white", mew=0.6, zorder=6)


def _labels(chart: "ControlChart", ax: Axes) -> None:
    """Centre, limits and target at the right edge, moved apart where they would touch."""
    facts, text = chart.facts, chart.metric.text
    labels = [
        (facts["ucl"], f"upper {text(facts['ucl'])}", MUTED),
        (facts["center"], f"centre {text(facts['center'])}", INK),
        (facts["lcl"], f"lower {text(facts['lcl'])}", MUTED),
    ]
    if chart.target is not None:
        ax.axhline(chart.target, color=TARGET, linewidth=1, linestyle=(0, (5, 3)), zorder=2)
        labels.append((chart.target, f"target {text(chart.target)}", TARGET))
    low, high = ax.get_ylim()
    gap = 0.085 * (high - low)
    ax.set_ylim(low, high)
    for y, (_, words, color) in zip(apart([v for v, _, _ in labels], gap), labels, strict=True):
        right_label(ax, y, words, color)


def apart(heights: list[float], gap: float) -> list[float]:
    """The heights, moved as little as needed so that no two are closer than `gap`; their order is kept.

    >>> apart([1.0, 1.0, 5.0], 1.0)
    [0.5, 1.5, 5.0]
    """
    order = np.argsort(heights, kind="stable")
    placed: list[list[float]] = []  # groups of [centre, count]
    for height in np.array(heights)[order]:
        placed.append([float(height), 1])
        while len(placed) > 1 and placed[-1][0] - placed[-2][0] < gap * (placed[-1][1] + placed[-2][1]) / 2:
            (a, m), (b, n) = placed[-2:]
            placed[-2:] = [[(a * m + b * n) / (m + n), m + n]]
    spread = [center + gap * (k - (count - 1) / 2) for center, count in placed for k in range(int(count))]
    out = [0.0] * len(heights)
    for index, y in zip(order, spread, strict=True):
        out[index] = y
    return out


def _dates(chart: "ControlChart", ax: Axes) -> None:
    ax.yaxis.set_major_locator(MaxNLocator(4))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: tick(v, chart)))
    ax.margins(x=0.015)
    if chart.step:
        locator = mdates.AutoDateLocator(minticks=4, maxticks=8)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))


def tick(value: Any, chart: "ControlChart") -> str:
    """A short number at the axis; the unit stands at the right edge."""
    return f"{100 * value:g} %" if chart.metric.kind == "proportion" else f"{value:g}"
