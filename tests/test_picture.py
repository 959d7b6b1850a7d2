"""Pictures: panels that leave room for their labels, below each other, drawn once."""

import struct
from itertools import pairwise

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.figure import Figure

from rca.plotting.picture import EDGE, png, stack
from rca.plotting.style import WIDTH, axes

LONG = "a label that is much longer than the others"


def drawn(heights, labels):
    grid = stack(WIDTH, heights)
    for ax, label in zip(grid, labels, strict=True):
        ax.barh([label], [1])
        ax.set_title("Title")
        ax.annotate("beside the axes", (1, 0.5), xycoords="axes fraction", annotation_clip=False)
    plt.gcf().draw_without_rendering()
    return grid


def test_nothing_leaves_the_picture_and_no_panel_touches_another():
    grid = drawn([2, 1, 1], ["short", LONG, "x"])
    whole = grid[0].figure.bbox
    boxes = [ax.get_tightbbox() for ax in grid]
    for box in boxes:
        assert whole.x0 <= box.x0 < box.x1 <= whole.x1
        assert whole.y0 <= box.y0 < box.y1 <= whole.y1
    assert all(upper.y0 > lower.y1 for upper, lower in pairwise(boxes))


def test_panels_begin_and_end_at_the_same_place_and_use_the_width():
    grid = drawn([1.5, 1.5], ["short", LONG])
    assert len({(round(ax.bbox.x0, 6), round(ax.bbox.x1, 6)) for ax in grid}) == 1
    widest = grid[1].get_tightbbox()
    assert widest.x0 == pytest.approx(EDGE * grid[0].figure.dpi, abs=2)
    assert widest.x1 == pytest.approx((WIDTH - EDGE) * grid[0].figure.dpi, abs=2)


def test_a_picture_is_drawn_once_and_twice_gives_the_same(monkeypatch):
    count = []
    draw = Figure.draw
    monkeypatch.setattr(Figure, "draw", lambda self, renderer: (count.append(1), draw(self, renderer))[1])
    ax = axes(None, height=2)
    ax.plot(pd.date_range("2026-01-05", periods=30, freq="W"), range(30))
    first = png(ax.figure)
    assert len(count) == 1
    assert struct.unpack(">II", first[16:24]) == (round(WIDTH * 100), 200)
    assert png(ax.figure) == first
