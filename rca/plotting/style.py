"""One look for every picture: ink, colours, type sizes, axes without frames, direct labels instead of legends."""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from rca.plotting.picture import stack

INK, MUTED, FAINT, BAND = "#1f2933", "#5b6570", "#c5ced6", "#e8ecf4"
# Okabe & Ito's colours: told apart by colour-blind readers; a shape or a word always goes with them.
WORSE, BETTER, ACCENT, NEUTRAL = "#D55E00", "#009E73", "#0072B2", "#9aa3ad"
COLOR = {"worse": WORSE, "better": BETTER}
WIDTH = 7.6  # inches, the text width of a report

RC: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # ships with matplotlib: the same picture on every machine
    "font.size": 9,
    "text.color": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.edgecolor": NEUTRAL,
    "axes.linewidth": 0.8,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "figure.dpi": 100,
    "savefig.dpi": 100,
    "savefig.bbox": "tight",
    "svg.hashsalt": "rca",
}


def axes(ax: Axes | None, height: float = 2.6) -> Axes:
    """The Axes to draw on: the one given, or a new figure of the report's width and `height` inches."""
    mpl.rcParams.update(RC)
    return _figure([height])[0] if ax is None else ax


def panels(results: Sequence[Any], height: float = 2.5) -> np.ndarray:
    """One panel per result, below each other; returns the array of Axes. A result may ask for a `panel_height`.

    Results with nothing to show get no panel, unless none has.
    """
    results = [r for r in results if len(r.table)] or results[:1]
    heights = [getattr(r, "panel_height", height) for r in results]
    grid = _figure(heights)
    for result, ax in zip(results, grid, strict=True):
        result.plot(ax)
    return grid


def _figure(heights: Sequence[float]) -> np.ndarray:
    mpl.rcParams.update(RC)
    return stack(WIDTH, heights)


def right_label(ax: Axes, y: float, text: str, color: str = MUTED) -> None:
    """A label beside the right edge at height `y` (data units), in place of a legend."""
    ax.annotate(
        text,
        xy=(1, y),
        xycoords=("axes fraction", "data"),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        ha="left",
        color=color,
        fontsize=8,
        annotation_clip=False,
    )
