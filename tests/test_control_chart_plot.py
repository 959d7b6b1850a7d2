"""Pictures of charts: what is drawn is what the table says, for every kind of chart."""

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from rca import charts
from rca.capability import capability
from rca.control_chart import control_chart
from rca.cube import Cube
from rca.metric import Metric, Target
from rca.plotting.style import BETTER, WORSE
from rca.result import Many
from rca.screen import screen

CSAT = Metric(name="csat", kind="proportion", better="up", label="CSAT", targets=(Target(value=0.85),))


@pytest.fixture(autouse=True)
def _no_window():
    mpl.use("Agg")
    yield
    plt.close("all")


def cube(count=40, drop=0.0, hole=None, partial=()):
    weeks = pd.date_range("2026-02-09", periods=count, freq="7D")
    rate = np.where(np.arange(count) >= count - 8, 0.86 - drop, 0.86)
    n = np.full(count, 600)
    if hole is not None:
        n[hole] = 0
    total = np.random.default_rng(5).binomial(n, rate)
    return Cube(pd.DataFrame({"period": weeks, "n": n, "total": total}), CSAT, partial=[weeks[i] for i in partial])


def texts(ax):
    return [t.get_text() for t in ax.texts]


def test_labels_at_the_right_edge_and_the_caption_below():
    chart = control_chart(cube())
    ax = chart.plot()
    facts = chart.facts
    for word, key in (("upper", "ucl"), ("centre", "center"), ("lower", "lcl")):
        assert f"{word} {CSAT.text(facts[key])}" in texts(ax)
    assert "target 85.0 %" in texts(ax)
    assert ax.get_title(loc="left") == "CSAT"
    assert ax.get_xlabel().replace("\n", " ") == chart.caption


def test_signals_are_told_by_shape_and_colour():
    chart = control_chart(cube(drop=0.08), baseline="last 30 before last 8", rules="beyond_limits")
    rows = chart.table[chart.table["beyond_limits"]]
    marked = [line for line in chart.plot().lines if line.get_marker() == "v" and line.get_color() == WORSE]
    assert [line.get_ydata()[0] for line in marked] == rows["value"].tolist()
    better = control_chart(cube(drop=-0.08), baseline="last 30 before last 8", rules="beyond_limits").plot()
    assert any(line.get_marker() == "^" and line.get_color() == BETTER for line in better.lines)


def test_a_gap_stays_a_gap_and_a_partial_week_is_hollow():
    ax = control_chart(cube(hole=10, partial=[39])).plot()
    values = next(line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata()) == 40)
    assert np.isnan(values.get_ydata()[[10, 39]]).all()
    hollow = [line for line in ax.lines if line.get_markerfacecolor() == "white"]
    assert any(len(line.get_xdata()) and not np.isnan(line.get_ydata()[-1]) for line in hollow)


def test_events_are_lettered_and_named_below():
    events = pd.DataFrame({"start": ["2026-03-10", "2026-06-02"], "title": ["Refund SOP v3", "Tool bug"]})
    ax = control_chart(cube(), events=events).plot()
    assert {"A", "B"} <= set(texts(ax))
    assert "Events: A Refund SOP v3, B Tool bug." in ax.get_xlabel()


@pytest.mark.parametrize("count", [26, 40, 104])
def test_labels_do_not_touch_each_other(count):
    ax = control_chart(cube(count)).plot()
    ax.figure.canvas.draw()
    boxes = sorted(t.get_window_extent().get_points()[:, 1].tolist() for t in ax.texts)
    assert all(above[0] >= below[1] - 2 for below, above in itertools.pairwise(boxes))
    ticks = [t.get_window_extent() for t in ax.get_xticklabels() if t.get_text()]
    assert all(right.x0 > left.x1 for left, right in itertools.pairwise(ticks))


VALUES = np.random.default_rng(6).normal(50, 2, 60)


@pytest.mark.parametrize("chart", [
    charts.xmr_chart(VALUES), charts.xbar_s_chart(VALUES, 5, np.full(60, 2.0)), charts.run_chart(VALUES),
    charts.ewma_chart(VALUES), charts.cusum_chart(VALUES), charts.t_chart(VALUES), charts.g_chart(VALUES.round()),
    charts.c_chart(VALUES.round()), charts.np_chart(VALUES.round(), 200), charts.u_prime_chart(VALUES.round(), 20),
], ids=lambda chart: chart.chart)  # fmt: skip
def test_every_chart_draws_its_values(chart):
    ax = chart.plot()
    drawn = [line.get_ydata() for line in ax.lines if line.get_marker() == "o" and len(line.get_ydata()) == 60]
    np.testing.assert_array_equal(drawn[0], chart.table["value"])
    if chart.spread is not None:
        assert chart.plot_spread().get_title(loc="left").startswith("Value: ")


def test_several_panels_screens_and_capability():
    panels = Many({"a": control_chart(cube()), "b": control_chart(cube(drop=0.05))}).plot()
    assert len(panels) == 2
    many = cube().frame.assign(vendor="Andes")
    many = Cube(pd.concat([many, cube(drop=0.1).frame.assign(vendor="Baltic")]), CSAT, by=["vendor"])
    ax = screen(many, "vendor").plot()
    assert any("▼ worse" in text for text in texts(ax))
    assert {"Andes", "Baltic"} <= set(texts(ax))
    shown = capability(charts.xmr_chart(VALUES), lower=40, upper=60).plot()
    assert [t.get_text() for t in shown.get_yticklabels()][:2] == ["Cp", "Cpl"]
    withheld = capability(charts.xmr_chart(VALUES[:20]), lower=40).plot()
    assert "Not stated: 20 values are too few (at least 50)." in texts(withheld)
