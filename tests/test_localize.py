"""Planted causes are named, noise yields nothing; rates and impacts are checked against plain pandas sums."""

import numpy as np
import pandas as pd
import pytest

from rca.cube import Cube
from rca.errors import InputError, TooLittleData
from rca.localize import localize
from rca.metric import Metric

CSAT = Metric(name="csat", label="CSAT", kind="proportion", better="up", cases="answers")
HANDLING = Metric(name="handling", label="Handling time", kind="mean", better="down", unit="s", value="seconds")
WINDOWS = {"before": "last 1 before last 1", "after": "last 1"}
BY = ["market", "channel", "issue"]
SIZES = (6, 4, 6)


def cases(seed, n=(6000, 4000)):
    """Cases drawn at random from a skewed mix: one row per case, with a window and a base rate that differs."""
    rng = np.random.default_rng(seed)
    shares = [rng.dirichlet(np.full(k, 5.0)) for k in SIZES]
    frame = pd.DataFrame({d: rng.choice(k, sum(n), p=p) for d, k, p in zip(BY, SIZES, shares, strict=True)})
    frame["period"] = np.repeat(["2026-01-05", "2026-01-12"], n)
    frame["after"] = frame["period"] == "2026-01-12"
    frame["p"] = 0.8 + sum(rng.normal(0, 0.04, k)[frame[d]] for d, k in zip(BY, SIZES, strict=True))
    frame["u"] = rng.random(len(frame))
    return frame


def csat_cube(frame, drop):
    """A CSAT cube of cases whose chance of a good answer is lowered by `drop` in the after window."""
    good = frame["u"] < (frame["p"] - drop * frame["after"]).clip(0.01, 0.99)
    return Cube(frame.assign(n=1, total=good.astype(int)), CSAT, by=BY)


def inside(frame, **where):
    return np.all([frame[d] == v for d, v in where.items()], axis=0)


def test_the_planted_segment_is_the_only_finding_and_its_numbers_are_those_of_its_cases():
    frame = cases(1)
    hit = inside(frame, market=2, issue=3)
    cube = csat_cube(frame, 0.25 * hit)
    found = localize(cube, **WINDOWS)
    assert found.table["segment"].tolist() == ["issue=3 & market=2"]
    assert found.where(0) == {"issue": "3", "market": "2"}
    row, mine = found.table.iloc[0], cube.frame[inside(cube.frame, market="2", issue="3")]
    sums = mine.groupby("period")[["n", "total"]].sum()
    rates = sums["total"] / sums["n"]
    assert row["rate_before"] == pytest.approx(rates.iloc[0])
    assert row["rate_after"] == pytest.approx(rates.iloc[1])
    assert row["effect"] + row["mix_effect"] == pytest.approx(rates.iloc[1] - rates.iloc[0])
    assert row["cases"] == pytest.approx(row["effect"] * sums["n"].iloc[1])
    assert row["impact"] == pytest.approx(row["cases"] / frame["after"].sum())
    assert row["conf_low"] < -0.25 < row["conf_high"]
    assert row["direction"] == "worse"
    assert "where issue=3 & market=2" in found.headline


def test_noise_yields_no_cause_and_says_what_would_have_been_seen():
    found = localize(csat_cube(cases(2), 0.0), **WINDOWS)
    assert found.table.empty
    assert found.headline.startswith("No cause found")
    assert 0 < found.detectable[1.0] < found.detectable[0.2] < found.detectable[0.05]


def test_a_change_of_all_segments_alike_is_reported_as_all_cases():
    found = localize(csat_cube(cases(3), 0.08), **WINDOWS)
    assert found.table["segment"].tolist() == ["all cases"]
    assert found.where(0) == {}
    assert found.table["conf_low"].iloc[0] < -0.08 < found.table["conf_high"].iloc[0]


def test_two_causes_in_opposite_directions_count_no_case_twice():
    frame = cases(4, n=(20000, 20000))
    drop = 0.3 * inside(frame, market=1) - 0.15 * inside(frame, channel=2) * ~inside(frame, market=1)
    cube = csat_cube(frame, drop)
    found = localize(cube, **WINDOWS).table
    assert dict(zip(found["segment"], found["direction"], strict=True)) == {
        "market=1": "worse",
        "channel=2": "better",
    }
    change = cube.series()["value"].diff().iloc[-1]
    assert found["impact"].sum() == pytest.approx(change, abs=0.01)


def test_a_mean_is_judged_by_its_own_spread():
    frame = cases(5, n=(20000, 15000))
    rng = np.random.default_rng(5)
    level = 500 * (1 + 0.3 * inside(frame, market=4, channel=1) * frame["after"])
    frame["total"] = rng.lognormal(np.log(level), 0.6)
    cube = Cube(frame.assign(n=1, total_sq=frame["total"] ** 2), HANDLING, by=BY)
    found = localize(cube, **WINDOWS)
    assert found.table["segment"].tolist() == ["channel=1 & market=4"]
    assert found.table["direction"].tolist() == ["worse"]


def test_the_order_of_rows_does_not_matter():
    frame = cases(6)
    cube = csat_cube(frame, 0.25 * inside(frame, market=2))
    shuffled = Cube(cube.frame.sample(frac=1, random_state=1), CSAT, by=BY)
    pd.testing.assert_frame_equal(localize(cube, **WINDOWS).table, localize(shuffled, **WINDOWS).table)


def test_mistakes_are_named():
    cube = csat_cube(cases(7), 0.0)
    with pytest.raises(InputError, match="at least one dimension"):
        localize(cube.over([]), **WINDOWS)
    with pytest.raises(InputError, match="alpha must lie between 0 and 1"):
        localize(cube, **WINDOWS, alpha=5)
    with pytest.raises(TooLittleData, match="has 9 answers in the after window"):
        localize(csat_cube(cases(7, n=(100, 9)), 0.0), **WINDOWS)
