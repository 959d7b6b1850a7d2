"""Drifts towards a limit: planted lines are dated with an honest interval, noise, waves and steps are not forecast."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rca
from rca.drift import meeting
from rca.errors import InputError

WEEKS = pd.date_range("2026-05-18", periods=26, freq="7D")
METRIC = rca.Metric(name="wrong", label="Wrong enforcement", kind="proportion", better="down")
T = np.arange(len(WEEKS))


def cube(seed: int, drift: np.ndarray | float = 0.0, noise: float = 0.0, n: int = 150) -> rca.Cube:
    """Five categories by four policies of `n` cases a week at 20 %; `drift` is added to toys, `noise` to all."""
    rng = np.random.default_rng(seed)
    cells = [(c, p) for c in ("toys", "home", "beauty", "fashion", "garden") for p in "ABCD"]
    wave = np.zeros(len(T))
    for i in T[1:]:
        wave[i] = 0.4 * wave[i - 1] + noise * rng.normal()
    parts = []
    for category, policy in cells:
        rate = np.clip(0.2 + wave + (drift if category == "toys" else 0.0), 0.01, 0.99)
        total = rng.binomial(n, np.broadcast_to(rate, T.shape))
        parts.append(
            pd.DataFrame({"period": WEEKS, "category": category, "policy": policy, "n": n, "total": total})
        )
    return rca.Cube(pd.concat(parts), METRIC, by=["category", "policy"])


def test_a_planted_drift_is_named_alone_and_its_date_lies_in_the_interval() -> None:
    """By .8 points a week from 20 %: at 41 % in the 27th week, one after the last; at 48 % in 10 weeks."""
    hit = 0
    for seed in range(20):
        found = rca.early_warning(cube(seed, 0.008 * T), limit=0.48)
        assert found.table["segment"].tolist() == ["category=toys"]
        row = found.table.iloc[0]
        hit += row["periods_low"] <= 10 <= row["periods_high"]
    assert hit >= 17  # 95 % of 20, less than two standard errors


def test_noise_that_repeats_itself_is_seldom_a_drift() -> None:
    told = [not rca.early_warning(cube(seed, noise=0.02), limit=0.3).table.empty for seed in range(40)]
    assert sum(told) <= 5  # 5 % of 40 are 2


def test_a_step_gets_no_forecast_and_a_drift_away_no_warning() -> None:
    for at in (6, 10, 13, 18, 22):
        found = rca.early_warning(cube(at, 0.2 * (at <= T)), limit=0.5)
        assert found.headline == "Wrong enforcement: none of 30 segments drifts towards its limit of 50.0 %."
    assert rca.early_warning(cube(2, -0.006 * T), limit=0.5).table.empty


def test_fiellers_interval_is_where_the_band_of_the_line_meets_the_limit() -> None:
    """Drawn the other way round: the times at which the limit lies inside the 95 % band of the line."""
    times = T - 12.5
    row = meeting(METRIC, 0.5, [0.008, 0.001, 0.3, 0.006], times, 0.01)
    ahead = np.linspace(0, 60, 600_001)
    u = ahead + 12.5
    half = 2.0638985616 * np.sqrt(0.006**2 + (0.001 * u) ** 2)  # t of 24 degrees of freedom, Fisher's table: 2.064
    inside = ahead[np.abs(0.3 + 0.008 * u - 0.5) <= half]
    assert (row["periods_low"], row["periods_high"]) == pytest.approx((inside[0], inside[-1]), abs=1e-3)
    assert row["periods"] == pytest.approx(12.5)


def test_what_is_past_its_limit_is_there_now() -> None:
    found = rca.early_warning(cube(3, 0.008 * T), limit=0.3)
    assert found.headline == "Wrong enforcement: category toys drifted past its limit of 30.0 %."
    [told] = found.findings(SimpleNamespace())  # type: ignore[arg-type]
    assert (told.title[:33], told.remedy) == ("Category toys drifted past its li", "")


def test_few_periods_and_no_limit_are_refused() -> None:
    with pytest.raises(InputError, match="needs 12 weeks"):
        rca.early_warning(cube(1), limit=0.3, within="last 8")
    given: Any = float("nan")
    with pytest.raises(InputError, match="no number"):
        rca.early_warning(cube(1), limit=given)
