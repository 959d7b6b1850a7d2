"""Every result keeps one contract: frozen, picklable, JSON facts, a headline of one sentence, safe HTML, a picture."""

import dataclasses
import json
import pickle
from collections.abc import Callable
from html import escape
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

import rca
from rca.capability import capability
from rca.drill_down import drill_down
from rca.reach import Reach
from rca.result import Many, Result
from rca.sample import Cause, make_marketplace

mpl.use("agg")
WINDOWS = {"before": "last 26 before last 8", "after": "last 8"}
METRICS = {
    "proportion": rca.Metric(name="csat", label="CSAT", kind="proportion", better="up", cases="answers"),
    "mean": rca.Metric(name="handling", label="Handling time", kind="mean", better="down", unit="s"),
    "rate": rca.Metric(name="contacts", label="Contacts per order", kind="rate", better="down", cases="orders"),
}
FINE = pd.date_range("2026-01-05", "2026-02-01 23:50", freq="10min")
Make = Callable[[rca.Cube], Result]


def _cubes() -> dict[str, rca.Cube]:
    """One cube per kind of metric, of one marketplace with a planted cause and a market named like markup."""
    cause = Cause(
        kind="rate", vendor="Andes", metric="csat", where={"market": "MX"}, start="2026-09-21", effect=-0.2
    )
    cases = make_marketplace(seed=4, causes=[cause], cases=40_000).cases
    cases = cases.assign(
        period=cases["opened_at"].dt.to_period("W").dt.start_time,
        market=cases["market"].where(cases["market"] != "BR", "<b>BR</b>"),
    )
    by = ["vendor", "market", "channel"]
    answered = cases[cases["csat"].notna()]
    frames = {
        "proportion": (answered, 1, answered["csat"] >= 4),
        "mean": (cases, 1, cases["handling_seconds"].astype(float)),
        "rate": (cases, 2.5, cases["escalated"]),
    }
    found = {}
    for kind, (rows, n, counted) in frames.items():
        total = counted.astype(float)
        frame = rows[["period", *by]].assign(n=n, total=total, total_sq=total**2)
        found[kind] = rca.Cube(frame, METRICS[kind], by=by)
    return found


CUBES = _cubes()


def andes(cube: rca.Cube) -> rca.Cube:
    return cube.where({"vendor": "Andes"}).over(["market", "channel"])


def two_windows(cube: rca.Cube) -> Result:
    now, then = (rca.pareto(cube, by="market", within=WINDOWS[w]) for w in ("after", "before"))
    return now.against(then)


def a_reach(cube: rca.Cube) -> Reach:
    return rca.reach(cube, rca.localize(andes(cube), **WINDOWS), scope={"vendor": "Andes"})


def by_the_clock(cube: rca.Cube) -> rca.Cube:
    """Four weeks in ten-minute steps, an hour in which nearly all went wrong in one market, and one without cases."""
    frame = pd.DataFrame({"period": FINE.repeat(2), "market": ["<b>BR</b>", "MX"] * len(FINE), "n": 20.0})
    usual, wrong = (17.0, 2.0) if cube.metric.better == "up" else (3.0, 18.0)
    inside = frame["period"].between("2026-01-22 14:10", "2026-01-22 15:00") & (frame["market"] == "<b>BR</b>")
    frame["total"] = np.where(inside, wrong, usual)
    frame["total_sq"] = frame["total"] ** 2
    gone = frame["period"].between("2026-01-15 10:00", "2026-01-15 10:50")
    return rca.Cube(frame[~gone], cube.metric, by=["market"], period="10min")


def with_versions(cube: rca.Cube) -> rca.Cube:
    """As if two markets had got a new SOP at different times."""
    frame = cube.over(["market"]).frame
    new = frame["market"].map({"<b>BR</b>": "2026-08-03", "MX": "2026-09-21"}).fillna("2027-01-01")
    version = np.where(frame["period"] >= pd.to_datetime(new), "<v2>", "v1")
    return rca.Cube(frame.assign(version=version), cube.metric, by=["market", "version"])


def with_raters(cube: rca.Cube) -> rca.Cube:
    """As if two people had decided on every case, and one of them otherwise on every fifth and in one market more."""
    frame = cube.over(["vendor", "market"]).frame
    number = np.arange(len(frame))
    first = np.where(number % 3 == 0, "remove", "keep")
    other = (number % 5 == 0) | ((frame["market"] == "<b>BR</b>") & (number % 2 == 0))
    second = np.where(other, np.where(first == "keep", "remove", "keep"), first)
    frame = frame.assign(first=first, second=second)
    return rca.Cube(frame, cube.metric, by=["vendor", "market", "first", "second"])


def agreed(cube: rca.Cube, **options: Any) -> Result:
    return rca.agreement(with_raters(cube), raters=["first", "second"], **options)


def drifting(cube: rca.Cube) -> rca.Cube:
    """As if one market got worse week by week."""
    frame = andes(cube).over(["market"]).frame
    weeks = (frame["period"] - frame["period"].min()).dt.days / 7 * (frame["market"] == "<b>BR</b>")
    worse = 1 - 0.012 * weeks if cube.metric.better == "up" else 1 + 0.03 * weeks
    for column, power in (("total", 1), ("total_sq", 2)):
        if column in frame:
            frame[column] *= worse**power
    return rca.Cube(frame, cube.metric, by=["market"])


def by_day(cube: rca.Cube) -> rca.Cube:
    """Each week's cases spread over its days."""
    days = pd.DataFrame({"weekday": range(7)})
    frame = cube.over(["market"]).frame.merge(days, how="cross")
    frame["period"] += pd.to_timedelta(frame["weekday"], unit="D")
    return rca.Cube(frame, cube.metric, by=["market"], period="D")


RESULTS: dict[str, Make] = {
    "agreement": agreed,
    "agreement_by": lambda c: agreed(c, by="market", scope={"vendor": "Andes"}),
    "incidents": lambda c: rca.incidents(by_the_clock(c)),
    "incident_sheet": lambda c: rca.incidents(by_the_clock(c)).sheets()["1"],
    "control_chart": lambda c: rca.control_chart(andes(c), baseline=WINDOWS["before"]),
    "textbook": lambda c: rca.control_chart(andes(c), adjust=False, rules="nelson"),
    "screen": lambda c: rca.screen(c, by="vendor"),
    "audits_needed": lambda c: rca.audits_needed(andes(c), by="market"),
    "capability": lambda c: capability(rca.control_chart(andes(c)), lower=0.0),
    "pareto": lambda c: rca.pareto(andes(c), by="market", within="last 8"),
    "pareto_change": lambda c: two_windows(andes(c)),
    "drill_down": lambda c: drill_down(andes(c), path=["market", "channel"]),
    "compare": lambda c: rca.compare(c, by="market", adjust_for="channel", within="last 8"),
    "ranking": lambda c: rca.ranking(rca.compare(c, by="market", limits="overdispersed")),
    "bridge": lambda c: rca.bridge(andes(c), by=["market", "channel"], **WINDOWS),
    "mix": lambda c: rca.mix(andes(c), **WINDOWS),
    "localize": lambda c: rca.localize(andes(c), **WINDOWS),
    "reach": a_reach,
    "onset": lambda c: rca.onset(andes(c), rca.localize(andes(c), **WINDOWS)),
    "fix_check": lambda c: rca.fix_check(
        c, change_at="2026-09-21", where={"vendor": "Andes", "market": "MX"}, controls="vendor", ramp=0
    ),
    "version_checks": lambda c: rca.version_checks(with_versions(c), of="market", version="version"),
    "offenders": lambda c: rca.offenders(andes(c), by="market"),
    "early_warning": lambda c: rca.early_warning(drifting(c), limit=0.4 if c.metric.better == "up" else 2000),
    "stress": lambda c: rca.stress(
        by_day(c), {"<b>BR</b>": {"where": {"market": "<b>BR</b>"}}}, capacity=200, limits={"backlog": 10}
    ),
    "key_drivers": lambda c: rca.key_drivers(andes(c), drivers=["market", "channel"]),
}
ONLY = {  # that need another kind
    *{("rate", name) for name in ("capability", "audits_needed", "stress")},
    *{("mean", name) for name in ("audits_needed", "offenders", "stress")},
}
CASES = [(kind, name) for kind in METRICS for name in RESULTS if (kind, name) not in ONLY]


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def result(request: Any) -> Result:
    kind, name = request.param
    return RESULTS[name](CUBES[kind])


def test_result_keeps_the_contract(result: Result) -> None:
    assert isinstance(result.table, pd.DataFrame)
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.table = pd.DataFrame()  # type: ignore[misc]
    assert json.loads(json.dumps(result.facts, allow_nan=False)) == result.facts
    assert pickle.loads(pickle.dumps(result)).headline == result.headline


def test_headline_is_one_plain_sentence(result: Result) -> None:
    text = result.headline
    assert text.endswith(".")
    assert "\n" not in text
    assert text[0] == text[0].upper()
    for word in ("nan", "inf", "None", "<NA>", "np.", "  "):
        assert word not in text.replace("information", ""), text


def test_html_escapes_what_comes_from_data(result: Result) -> None:
    html = result._repr_html_()
    assert "<b>BR</b>" not in html
    assert escape(result.headline) in html
    assert result.__class__.__name__ in repr(result)


def test_plot_draws_on_the_axes_given_and_computes_nothing(result: Result) -> None:
    before = result.table.copy()
    figure, ax = plt.subplots()
    drawn = result.plot(ax)
    assert isinstance(drawn, Axes)
    assert drawn.figure is figure
    pd.testing.assert_frame_equal(result.table, before)
    plt.close("all")


def test_many_results_are_one_mapping_with_a_panel_each() -> None:
    cubes = {c.metric.name: andes(c) for c in CUBES.values()}
    many = rca.each(rca.pareto, cubes, by="market")
    assert isinstance(many, Many)
    assert list(many) == list(cubes)
    assert len(many.plot()) == len(cubes)
    assert all(r.headline in repr(many) for r in many.values())
    plt.close("all")
