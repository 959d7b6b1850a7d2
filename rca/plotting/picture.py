"""The figure of a picture: panels below each other, laid out and drawn once.

Matplotlib's constrained layout measures everything twice, and pyplot and a notebook's inline backend draw each figure
three times: after the cell, to find its edges, and at last. That is most of what a report of many pictures takes.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import LayoutEngine

EDGE, GAP = 0.1, 0.18  # inches around the picture and between panels
START = (0.08, 0.12, 0.78, 0.7)  # left, bottom, width and height of axes in their strip when they are measured


class Stack(LayoutEngine):
    """Gives each panel a strip of the figure; in it the axes leave room for all that stands around them.

    The axes of all panels begin and end at the same place, so that their times stand below each other.
    """

    _adjust_compatible, _colorbar_gridspec = False, False

    def __init__(self, heights: Sequence[float]) -> None:
        super().__init__()
        self.heights = np.asarray(heights, float)

    def execute(self, fig: Any) -> None:
        panels = [(ax, spec.rowspan.start) for ax in fig.axes if (spec := ax.get_subplotspec()) is not None]
        width, height = fig.get_size_inches()
        strips = self.heights / self.heights.sum() * (height - 2 * EDGE)
        floors = height - EDGE - np.cumsum(strips)
        left, bottom, wide, high = START
        needs = np.zeros((len(strips), 4))  # inches left of the axes, right of them, below and above
        for ax, row in panels:
            _place(ax, left * width, floors[row] + bottom * strips[row], wide * width, high * strips[row])
            inside, whole = ax.bbox.extents / fig.dpi, ax.get_tightbbox(for_layout_only=True).extents / fig.dpi
            around = (*(inside - whole)[:2], *(whole - inside)[2:])
            needs[row] = np.maximum(needs[row], np.take(around, [0, 2, 1, 3]))
        left, right = needs[:, :2].max(axis=0) + EDGE
        for ax, row in panels:
            below, above = needs[row, 2:] + (GAP / 2)
            free = max(strips[row] - below - above, 0.1 * strips[row])
            _place(ax, left, floors[row] + below, max(width - left - right, 0.1 * width), free)


def _place(ax: Any, left: float, bottom: float, width: float, height: float) -> None:
    """Set the axes to a place in inches."""
    across, up = ax.figure.get_size_inches()
    ax.set_position((left / across, bottom / up, width / across, height / up))
    ax.set_in_layout(True)  # which setting a position takes away


class Picture(Figure):
    """A figure that a notebook shows as it is, whole: there are no edges to look for."""


def png(picture: Picture) -> bytes:
    """The picture as a PNG file, drawn once."""
    file = BytesIO()
    picture.canvas.print_png(file)  # type: ignore[attr-defined]
    return file.getvalue()


def taken(picture: Picture) -> bytes:
    """The picture as a PNG file, and closed: else a notebook shows it once more at the end of the cell."""
    drawn = png(picture)
    plt.close(picture)
    return drawn


def stack(width: float, heights: Sequence[float]) -> np.ndarray:
    """The axes of a new picture: panels of these heights below each other, in inches."""
    figure: dict[str, Any] = {"FigureClass": Picture, "layout": Stack(heights)}
    _, grid = plt.subplots(len(heights), figsize=(width, sum(heights)), squeeze=False, **figure)
    if "inline" in mpl.get_backend():
        from IPython.core.getipython import get_ipython

        plt.uninstall_repl_displayhook()  # the backend shows figures itself
        shell: Any = get_ipython()
        if shell:
            shell.display_formatter.formatters["image/png"].for_type(Picture, png)
    return grid[:, 0]
