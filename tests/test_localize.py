"""Planted causes are named, noise yields nothing; rates and impacts are checked against plain pandas sums."""

import importlib
from pathlib import Path

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


def vendor(seed, drop=0.0, every=0.0, days=1.0, n=(5500, 1700)):
    """A vendor's answers in up to 1,440 leaves, base rates that differ; 11 % of them are refunds in MX, hit by `drop`;
    all cases of a share `days` of the time are hit by `every`."""
    rng, sizes = np.random.default_rng(seed), {"market": 6, "channel": 4, "issue": 6, "tenure": 4, "shift": 3}
    frame = pd.DataFrame({"period": np.repeat(["2026-01-05", "2026-01-12"], n)})
    logit = np.full(len(frame), 1.5)
    for dimension, size in sizes.items():
        shares = np.full(size, 1 / size)
        if dimension in ("market", "issue"):
            shares = np.r_[0.33, np.full(size - 1, 0.67 / (size - 1))]
        frame[dimension] = rng.choice(size, len(frame), p=shares)
        logit += rng.normal(0, 0.4, size)[frame[dimension]]
    after = (frame["period"] == "2026-01-12").to_numpy()
    rate = 1 / (1 + np.exp(-logit)) - drop * (after & inside(frame, market=0, issue=0))
    rate -= every * (after & (rng.random(len(frame)) < days))
    frame["n"], frame["total"] = 1, (rng.random(len(frame)) < rate.clip(0.005, 0.995)).astype(int)
    return Cube(frame, CSAT, by=list(sizes))


def test_a_cause_is_named_exactly_also_when_most_leaves_hold_one_or_two_cases():
    names = [tuple(localize(vendor(seed, drop=0.26), **WINDOWS).table["segment"]) for seed in range(30)]
    assert names.count(("issue=0 & market=0",)) >= 26


def test_sparse_leaves_without_a_change_yield_nothing():
    assert sum(len(localize(vendor(seed), **WINDOWS).table) for seed in range(50)) <= 1


def test_a_hit_to_all_on_ten_of_56_days_is_all_cases_and_nothing_local():
    found = [localize(vendor(seed, every=0.2, days=10 / 56, n=(24000, 8000)), **WINDOWS) for seed in range(10)]
    assert [list(f.table["segment"]) for f in found] == [["all cases"]] * 10


def test_a_common_change_leaves_a_local_cause_its_name():
    found = localize(vendor(3, drop=0.25, every=0.06, n=(24000, 8000)), **WINDOWS).table
    assert found["segment"].tolist() == ["all cases", "issue=0 & market=0"]


def test_a_common_factor_is_all_cases_although_it_differs_in_seconds():
    """Handling times rise by 8 % everywhere: by 16 s where they take 200 s, by 96 s where they take 1,200 s."""
    for seed in range(8):
        frame = cases(seed, n=(20000, 8000))
        rng = np.random.default_rng(seed)
        level = 500 * np.exp(sum(rng.normal(0, 0.4, k)[frame[d]] for d, k in zip(BY, SIZES, strict=True)))
        frame["total"] = rng.lognormal(np.log(level * (1 + 0.08 * frame["after"])), 0.6)
        cube = Cube(frame.assign(n=1, total_sq=frame["total"] ** 2), HANDLING, by=BY)
        assert localize(cube, **WINDOWS).table["segment"].tolist() == ["all cases"]


def test_a_change_that_meets_the_ceiling_is_all_cases():
    """Everything ends at 96 %, from 10 to 80 % before: +86 points here, +16 there."""
    for seed in range(8):
        frame = cases(seed, n=(6000, 2000))
        start = 0.45 + sum(np.linspace(-0.12, 0.12, k)[frame[d]] for d, k in zip(BY, SIZES, strict=True))
        frame["p"] = np.where(frame["after"], 0.96, start)
        assert localize(csat_cube(frame, 0.0), **WINDOWS).table["segment"].tolist() == ["all cases"]


def test_several_causes_that_together_hit_more_than_half_are_told_apart():
    frame = cases(12, n=(30000, 30000))
    drop = 0.2 * (inside(frame, market=0) | inside(frame, market=1) | inside(frame, channel=2))
    found = localize(csat_cube(frame, drop), **WINDOWS).table
    assert set(found["segment"]) == {"market=0", "market=1", "channel=2"}


def test_a_shift_of_mix_is_no_change_and_stays_out_of_the_effect():
    """Cases move from a channel with 95 % to one with 65 %: no segment changed. A common drop is all that is told."""
    rng, found = np.random.default_rng(8), []
    for drop in (0.0, 0.06):
        frame = cases(8, n=(20000, 20000))
        frame["channel"] = np.where(rng.random(len(frame)) < np.where(frame["after"], 0.6, 0.3), 1, 2)
        frame["p"] = np.where(frame["channel"] == 1, 0.65, 0.95)
        found.append(localize(csat_cube(frame, drop), **WINDOWS).table)
    assert found[0].empty
    row = found[1].iloc[0]
    assert row["segment"] == "all cases"
    assert row["mix_effect"] == pytest.approx(0.3 * -0.3, abs=0.01)
    assert row["conf_low"] < -0.06 < row["conf_high"]
    assert row["effect"] + row["mix_effect"] == pytest.approx(row["rate_after"] - row["rate_before"])


def test_the_interval_of_a_planted_effect_covers_it(monkeypatch):
    """250 cubes with a known drop in a segment; the whole, for every kind: bench/intervals.py."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "bench")
    found, held = importlib.import_module("intervals").planted_segment("proportion", cases=250, seed=21)
    assert found >= 0.98
    assert 0.93 <= held <= 0.97


def test_two_of_two_missed_in_a_segment_that_hardly_ever_misses_is_no_finding():
    """A normal score of 9 on two cases is worth nothing: Fisher's exact test says p = .002 before any correction."""
    rng = np.random.default_rng(2)
    rows = [(week, m, i, 200, rng.binomial(200, 0.97)) for week in ("2026-01-05", "2026-01-12")
            for m in "ABCDEFGH" for i in "uvwxyz"]  # fmt: skip
    rows += [("2026-01-05", "Z", "u", 40, 40), ("2026-01-12", "Z", "u", 2, 0)]
    cube = Cube(
        pd.DataFrame(rows, columns=["period", "market", "issue", "n", "total"]), CSAT, by=["market", "issue"]
    )
    assert localize(cube, **WINDOWS).table.empty


def test_uci_march_against_april_and_may_is_common_to_all():
    """24,918 incidents: the SLA clock of March hit every group, so that no group, category or contact is the cause."""
    source = Path(__file__).parents[2] / "shared" / "data" / "uci_incident_events.csv.gz"
    if not source.is_file():
        pytest.skip("the UCI incident log is not in ../shared/data")
    events = pd.read_csv(source, dtype=str, keep_default_na=False)
    events["order"] = events["sys_mod_count"].astype(int)
    log = events.sort_values(["number", "order"]).groupby("number").tail(1)
    log["period"] = pd.to_datetime(log["opened_at"], format="%d/%m/%Y %H:%M").dt.normalize()
    log["n"], log["total"] = 1, (log["made_sla"].str.lower() == "false").astype(int)
    assert log["total"].mean() == pytest.approx(0.3658, abs=5e-5)
    missed = Metric(name="missed", label="SLA missed", kind="proportion", better="down")
    march, spring, burst, rest = (
        ("2016-03-01", "2016-03-31"), ("2016-04-01", "2016-05-31"),
        ("2016-03-06", "2016-03-15"), ("2016-03-16", "2016-03-31"),
    )  # fmt: skip
    for by in (
        ["assignment_group"],
        ["assignment_group", "category"],
        ["assignment_group", "priority", "category"],
    ):
        cube = Cube(log, missed, by=by, period="D")
        found = localize(cube, before=march, after=spring)
        assert found.table["segment"].tolist() == ["all cases"]
        assert localize(cube, before=spring, after=march).table["segment"].tolist() == ["all cases"]
    groups = Cube(log, missed, by=["assignment_group"], period="D")
    assert localize(groups, before=rest, after=burst).table["segment"].tolist() == ["all cases"]


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
