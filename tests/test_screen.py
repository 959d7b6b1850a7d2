"""Screening many series: planted changes are found, noise is not, and one series is judged as its own chart is."""

import json

import numpy as np
import pandas as pd
import pytest

from rca.control_chart import control_chart
from rca.cube import Cube
from rca.errors import InputError, TooLittleData
from rca.metric import Metric, Target
from rca.screen import screen

CSAT = Metric(
    name="csat", kind="proportion", better="up", label="CSAT", cases="answers", targets=(Target(value=0.85),)
)
VALUE = Metric(name="value", kind="mean", better="down", label="Value")


def long(first, weeks, names, **columns):
    """A frame with one row per name and week, name by name."""
    period = np.tile(pd.date_range(first, periods=weeks, freq="7D"), len(names))
    return pd.DataFrame({"period": period, "vendor": np.repeat(names, weeks), **columns})


def shares(series=60, weeks=60, moved=(), by=-0.06, seed=1, n=600):
    """Vendors with 86 % of `n` answers; those in `moved` change `by` from week 40 on."""
    rate = np.full((series, weeks), 0.86)
    rate[list(moved), 40:] += by
    total = np.random.default_rng(seed).binomial(n, rate)
    names = [f"vendor {i:02d}" for i in range(series)]
    return Cube(long("2025-01-06", weeks, names, n=n, total=total.ravel()), CSAT, by=["vendor"])


def individuals(y):
    """One value a week per series."""
    names = [f"v{i:04d}" for i in range(len(y))]
    frame = long("2024-01-01", y.shape[1], names, n=1, total=y.ravel(), total_sq=y.ravel() ** 2)
    return Cube(frame, VALUE, by=["vendor"])


def test_planted_changes_come_first_and_worst_first():
    cube = shares(moved=[7, 21])
    cube = Cube(pd.concat([cube.frame, shares(series=1, moved=[0], by=0.06, seed=5).frame.assign(vendor="riser")]),
                CSAT, by=["vendor"])  # fmt: skip
    result = screen(cube, "vendor")
    assert set(result.table["vendor"][:2]) == {"vendor 07", "vendor 21"}
    assert result.table["vendor"][2] == "riser"
    assert result.table["variation"][:3].tolist() == ["worse", "worse", "better"]
    first = result.table.iloc[0]
    assert first["size"] == pytest.approx(-0.06, abs=0.015)
    assert abs((first["date"] - pd.Timestamp("2025-10-13")).days) <= 14
    after = (pd.Timestamp("2026-02-23") - first["date"]).days // 7 + 1
    assert first["impact"] == pytest.approx(first["size"] * 600 * after)
    facts = result.facts
    assert facts["worse"] == 2
    changed = f"{2 + facts['better']} of 61 series by vendor changed level (2 worse, {facts['better']} better)"
    assert result.headline.startswith(f"CSAT: {changed}; first {first['vendor']}, which fell by")
    json.dumps(result.facts)


def test_a_series_is_judged_as_by_its_own_chart():
    cube = shares(series=4, moved=[2])
    frame = cube.frame.drop(index=[3, 4, 130]).copy()  # holes in two of them
    cube = Cube(frame, CSAT, by=["vendor"], partial=[pd.Timestamp("2026-02-23")])
    result = screen(cube, "vendor", baseline="last 30 before last 20")
    for vendor in frame["vendor"].unique():
        chart = control_chart(cube.where({"vendor": vendor}), baseline=["2025-03-10", "2025-10-05"])
        points = result.points[result.points["vendor"] == vendor].set_index("period")
        for column in ("value", "center", "lcl", "ucl", "z"):
            own = chart.table.set_index("period")[column].reindex(points.index)
            there = own.notna()
            np.testing.assert_allclose(points[column][there], own[there], rtol=1e-12)
        row = result.table.set_index("vendor").loc[vendor]
        if chart.level_change:
            assert row["p_value"] == pytest.approx(chart.level_change["p_value"])
            assert row["size"] == pytest.approx(chart.level_change["size"])
        assert row["signals"] == chart.table["beyond_limits"].sum()


def test_false_names_stay_within_the_promise():
    """1,000 series, 50 of which shift by 1.5 to 2.5 sigma: about a tenth of those named are noise."""
    rng = np.random.default_rng(11)
    planted = {f"v{i:04d}" for i in range(50)}
    false_share, found = [], []
    for _ in range(5):
        y, phi = rng.normal(size=(1000, 124)), rng.uniform(0, 0.6, 1000)
        for i in range(1, 124):
            y[:, i] = phi * y[:, i - 1] + np.sqrt(1 - phi**2) * y[:, i]
        y = 100 + 10 * y[:, 20:]
        y[:50, 55:] += rng.uniform(15, 25, 50)[:, None] * rng.choice([-1, 1], 50)[:, None]
        table = screen(individuals(y), "vendor", season="none").table
        named = set(table.loc[table["variation"].isin(["worse", "better"]), "vendor"])
        false_share.append(len(named - planted) / len(named))
        found.append(len(planted & named) / 50)
    assert np.mean(false_share) < 0.12
    assert np.mean(found) > 0.85


def test_noise_alone_names_hardly_anybody_and_says_how_many_points_it_marks():
    y = np.random.default_rng(12).normal(size=(1000, 104))
    result = screen(individuals(y), "vendor", season="none")
    assert result.facts["worse"] + result.facts["better"] <= 3  # 0.2 on average
    assert result.facts["signals"] == pytest.approx(result.facts["expected_false_signals"], rel=0.15)
    assert "expected from noise alone" in result.headline


def test_all_rules_at_once():
    y = np.random.default_rng(13).normal(size=(40, 104))
    result = screen(individuals(y), "vendor", rules="nelson", season="none")
    assert [r for r in result.rules if r in result.points] == list(result.rules)
    assert len(result.rules) == 8
    chart = control_chart(individuals(y).where({"vendor": "v0003"}), rules="nelson", season=False)
    points = result.points[result.points["vendor"] == "v0003"].reset_index(drop=True)
    for rule in result.rules:
        assert points[rule].tolist() == chart.table[rule].tolist()


def test_two_dimensions_and_targets():
    frame = pd.concat([shares(series=2, seed=s, n=n).frame.assign(market=m) for s, n, m in
                       ((1, 60000, "MX"), (2, 600, "BR"))])  # fmt: skip
    result = screen(Cube(frame, CSAT, by=["vendor", "market"]), ["vendor", "market"])
    assert len(result.table) == 4
    verdict = result.table.set_index(["vendor", "market"])["assurance"]
    assert verdict["vendor 00", "MX"] == "always"  # limits .856 to .864
    assert verdict["vendor 00", "BR"] == "hit and miss"  # limits .82 to .90
    assert result.facts["by"] == ["vendor", "market"]


def test_the_season_of_the_total_serves_small_series():
    weeks, series = 120, 12
    winter = 0.05 * np.cos(2 * np.pi * np.arange(weeks) / 52.18)
    total = np.random.default_rng(3).binomial(3000, np.tile(0.8 - winter, (series, 1)))
    names = [f"v{i}" for i in range(series)]
    frame = long("2023-01-02", weeks, names, n=3000, total=total.ravel())
    cube = Cube(frame, CSAT, by=["vendor"])
    plain, own, of_total = (screen(cube, "vendor", season=s) for s in ("none", "own", "total"))
    width = {r: (r.points["ucl"] - r.points["lcl"]).mean() for r in (plain, own, of_total)}
    assert max(width[own], width[of_total]) < 0.75 * width[plain]
    for result in (own, of_total):
        assert result.facts["worse"] + result.facts["better"] == 0
        middle = result.points.groupby("period")["center"].mean()
        assert middle.max() - middle.min() == pytest.approx(0.10, abs=0.015)


def test_series_that_cannot_be_judged_are_listed_with_the_reason():
    cube = shares(series=3)
    young = cube.frame.assign(vendor="young").drop_duplicates("period").tail(5)
    rare = cube.frame.query("vendor == 'vendor 00'").assign(vendor="rare", n=3, total=2)
    result = screen(Cube(pd.concat([cube.frame, young, rare]), CSAT, by=["vendor"]), "vendor")
    notes = result.table.set_index("vendor")["note"]
    assert notes["young"] == "fewer than 12 periods in the baseline"
    assert notes["rare"] == "fewer than 3 events a period: chart it alone"
    assert set(result.table["variation"][-2:]) == {""}
    assert result.headline.endswith("2 series had too little to judge.")


def test_mistakes_are_named():
    with pytest.raises(InputError, match=r"unknown dimension 'vendro'\. Did you mean 'vendor'"):
        screen(shares(2), "vendro")
    with pytest.raises(TooLittleData, match="none of 2 series can be judged: fewer than 12 periods"):
        screen(shares(2, weeks=6, moved=[]), "vendor")
    with pytest.raises(InputError, match=r"give by="):
        screen(shares(2), [])
