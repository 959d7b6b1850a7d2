"""Draw a control chart: values, centre, limits, signals by shape and colour, labels at the right edge."""

import textwrap
from typing import TYPE_CHECKING

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from rca.errors import InputError
from rca.plotting.style import BAND, COLOR, FAINT, INK, MUTED, NEUTRAL, axes, right_label

if TYPE_CHECKING:
    from rca.charts.chart import ControlChart
    from rca.metric import Metric

SHAPE = {"up": "^", "down": "v", "": "D"}
TARGET = "#3b7d4f"
LINE = 135  # characters of a caption line
MAXIMUM = 8  # events that get a letter; more would hide the values


def draw(chart: "ControlChart", ax: Axes | None = None) -> Axes:
    """Values as a line, the range that chance explains as a band, one marker per point with a signal."""
    ax = axes(ax, height=3.0)
    rows, x = chart.table, places(chart.table["period"], chart.step)
    for number in rows["phase"].unique():
        here = (rows["phase"] == number).to_numpy()
        band = rows[here]
        ax.fill_between(x[here], band["lcl"], band["ucl"], color=BAND, linewidth=0, step="mid", zorder=1)
        ax.plot(x[here], band["center"], color=NEUTRAL, linewidth=1, drawstyle="steps-mid", zorder=2)
    counts = ~rows["partial"] & ~rows["excluded"]
    ax.plot(x, rows["value"].where(~rows["excluded"]), color=FAINT, linewidth=1, zorder=3)
    ax.plot(x, rows["value"].where(counts), "o-", color=INK, lw=1.1, markersize=_dot(len(rows)), zorder=4)
    if "up" in rows:  # the second sum of a CUSUM chart
        for name in ("up", "down"):
            ax.plot(x, rows[name], color=MUTED, linewidth=1, zorder=3)
    ax.plot(x[~counts], rows["value"][~counts], "o", mfc="white", mec=MUTED, markersize=4.5, zorder=5)
    signals = chart.signals[chart.signals["rule"] != "level_change"]
    signals = signals[~signals.index.duplicated()]
    for row, way, judgement in zip(signals.index, signals["direction"], signals["judgement"], strict=True):
        color, value = COLOR.get(judgement, MUTED), rows["value"].iloc[row]
        ax.plot(x[row], value, SHAPE[way], color=color, markersize=7, mec="white", mew=0.6, zorder=6)
    ax.margins(x=0.015)
    _level(chart, ax, x)
    _labels(chart, ax)
    _marks(chart, ax, x)
    ticks(ax, chart.metric, chart.step)
    ax.set_title(chart.metric.label)
    ax.set_xlabel(_caption(chart), loc="left", fontsize=7.5, color=MUTED)
    return ax


def draw_spread(chart: "ControlChart", ax: Axes | None = None) -> Axes:
    """Moving ranges or standard deviations: only their own limit is judged."""
    if chart.spread is None:
        raise InputError(f"a {chart.chart} chart has no panel for its spread; XmR and Xbar-S charts have.")
    ax = axes(ax, height=2.0)
    rows, x = chart.spread, places(chart.spread["period"], chart.step)
    ax.fill_between(x, rows["lcl"], rows["ucl"], color=BAND, linewidth=0, step="mid", zorder=1)
    ax.plot(x, rows["center"], color=NEUTRAL, linewidth=1, drawstyle="steps-mid", zorder=2)
    ax.plot(x, rows["value"], "o-", color=INK, lw=1.1, markersize=_dot(len(rows)), zorder=4)
    beyond = rows["beyond"].to_numpy()
    ax.plot(x[beyond], rows["value"][beyond], "D", color=MUTED, markersize=6, mec="white", mew=0.6, zorder=6)
    ax.margins(x=0.015)
    ticks(ax, chart.metric, chart.step)
    ax.set_title(f"{chart.metric.label}: {'standard deviations' if chart.chart == 'xbar_s' else 'moving ranges'}")
    return ax


def places(period: pd.Series, step: str) -> np.ndarray:
    """Where the points lie: at their period; several in one period (events) are spread over it."""
    if not step:
        return period.to_numpy(dtype=float)
    same = period.groupby(period)
    share = (same.cumcount() / same.transform("size")).to_numpy()
    days = {"D": 1, "W": 7, "M": 30}[step]
    return mdates.date2num(period.to_numpy()) + share * days


def _dot(count: int) -> float:
    return 3.2 if count <= 30 else 2.4 if count <= 60 else 1.5


def _level(chart: "ControlChart", ax: Axes, x: np.ndarray) -> None:
    """A suggested level as a dashed line from where it began."""
    changed, rows = chart.level_change, chart.table
    if changed is None or changed["kind"] == "drift":
        return
    date = pd.Timestamp(changed["date"]) if chart.step else changed["date"]
    first, last = rows.index[rows["period"] == date][0], chart.judged.index[-1]
    color = COLOR[chart.metric.judge(changed["size"])] if chart.judges else MUTED
    ax.hlines(changed["level"], x[first], x[last], color=color, linewidth=1.4, linestyle=(0, (4, 2)), zorder=3)


def _labels(chart: "ControlChart", ax: Axes) -> None:
    """Centre, limits and target at the right edge, moved apart where they would touch."""
    facts, text = chart.facts, chart.metric.text
    labels = [(facts[key], word, color) for key, word, color in
              (("ucl", "upper", MUTED), ("center", "centre", INK), ("lcl", "lower", MUTED))]  # fmt: skip
    if chart.target is not None:
        labels.append((chart.target, "target", TARGET))
        targets = chart.table["target"]
        if targets.nunique() == 1:
            ax.axhline(chart.target, color=TARGET, linewidth=1, linestyle=(0, (5, 3)), zorder=2)
        else:
            x = places(chart.table["period"], chart.step)
            ax.plot(x, targets, color=TARGET, linewidth=1, linestyle=(0, (5, 3)), drawstyle="steps-mid", zorder=2)
    labels = [label for label in labels if label[0] is not None]
    low, high = ax.get_ylim()
    ax.set_ylim(low, high)
    heights = apart([height for height, _, _ in labels], 0.085 * (high - low))
    for y, (value, word, color) in zip(heights, labels, strict=True):
        right_label(ax, y, f"{word} {text(value)}", color)


def apart(heights: list[float], gap: float) -> list[float]:
    """The heights, moved as little as needed so that no two are closer than `gap`; their order is kept.

    >>> apart([1.0, 1.0, 5.0], 1.0)
    [0.5, 1.5, 5.0]
    """
    order = np.argsort(heights, kind="stable")
    placed: list[tuple[float, int]] = []  # groups that touch: their middle and how many they are
    for index in order:
        placed.append((float(heights[index]), 1))
        while len(placed) > 1 and placed[-1][0] - placed[-2][0] < gap * (placed[-1][1] + placed[-2][1]) / 2:
            (a, m), (b, n) = placed[-2:]
            placed[-2:] = [((a * m + b * n) / (m + n), m + n)]
    spread = [middle + gap * (k - (count - 1) / 2) for middle, count in placed for k in range(count)]
    out = [0.0] * len(heights)
    for index, y in zip(order, spread, strict=True):
        out[int(index)] = y
    return out


def _marks(chart: "ControlChart", ax: Axes, x: np.ndarray) -> None:
    """Where limits were set anew, and what else happened: thin lines; letters refer to the caption."""
    top = ax.get_xaxis_transform()
    for number in chart.table["phase"].unique()[1:]:
        first = int(np.argmax(chart.table["phase"] == number))
        ax.axvline((x[first] + x[first - 1]) / 2, color=NEUTRAL, linewidth=0.8, zorder=1.5)
    for letter, event in zip("ABCDEFGH", chart.events[:MAXIMUM].itertuples(), strict=False):
        place = mdates.date2num(event.start)
        ax.axvline(place, color=MUTED, linewidth=0.7, linestyle=(0, (1, 2)), zorder=1.5)
        ax.text(place, 1.0, letter, transform=top, ha="center", va="bottom", fontsize=7.5, color=MUTED)


def _caption(chart: "ControlChart") -> str:
    events = [f"{letter} {e.title}" for letter, e in zip("ABCDEFGH", chart.events.itertuples(), strict=False)]
    more = len(chart.events) - MAXIMUM
    events += [f"and {more} more"] * (more > 0)
    lines = [chart.caption, *([f"Events: {', '.join(events)}."] if events else [])]
    return "\n".join(wrapped for line in lines for wrapped in textwrap.wrap(line, LINE))


def ticks(ax: Axes, metric: "Metric", step: str) -> None:
    """Few ticks, shares in percent, dates as short as they can be."""
    share = metric.kind == "proportion"
    ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.4g} %" if share else f"{v:g}"))
    if step:
        locator = mdates.AutoDateLocator(minticks=4, maxticks=8)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, show_offset=False))
