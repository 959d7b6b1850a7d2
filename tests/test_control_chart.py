"""The chart of a cube: which chart, which limits, what signals, what sentence."""

import numpy as np
import pandas as pd
import pytest

from rca.control_chart import control_chart
from rca.cube import Cube
from rca.errors import TooLittleData
from rca.metric import Metric, Target

CSAT = Metric(
    name="csat", kind="proportion", better="up", label="CSAT", cases="answers", targets=(Target(value=0.85),)
)


def csat(shares, n=600, partial=()):
    weeks = pd.date_range("2026-02-09", periods=len(shares), freq="7D")
    frame = pd.DataFrame({"period": weeks, "n": n, "total": np.round(np.array(shares) * n)})
    return Cube(frame, CSAT, partial=[weeks[i] for i in partial])


def shares(count=40, seed=1, n=600):
    return np.random.default_rng(seed).binomial(n, 0.86, count) / n


def test_a_drop_after_the_baseline_is_worse_and_dated():
    values = shares()
    values[30:] -= 0.08
    chart = control_chart(csat(values), baseline="last 26 before last 10")
    assert chart.facts["status"] == "worse"
    assert chart.facts["level_change"]["date"] == "2026-09-07"
    assert chart.facts["level_change"]["size"] == pytest.approx(-0.08, abs=0.01)
    assert set(chart.signals["judgement"]) == {"worse"}


def test_too_short_a_baseline_is_a_sentence():
    with pytest.raises(TooLittleData, match="has 6 whole weeks with answers; limits need at least 12"):
        control_chart(csat(shares()), baseline="last 6")


def test_a_partial_week_is_drawn_and_not_judged():
    values = shares()
    values[-1] = 0.5
    chart = control_chart(csat(values, partial=[39]))
    assert len(chart.signals) == 0
    assert chart.facts["last_period"] == "2026-11-02"
