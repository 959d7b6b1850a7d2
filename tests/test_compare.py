"""Standardised rates against printed ones, tests and pooling against others' software, equal vendors alike."""

from types import SimpleNamespace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.contingency_tables import StratifiedTable
from test_planted import bench
from test_sentences import NO_NUMBER

import rca
from rca.compare import Comparison
from rca.finding import Evidence
from rca.funnel import limits

METRICS = {
    "proportion": rca.Metric(name="csat", label="CSAT", kind="proportion", better="up", cases="answers"),
    "rate": rca.Metric(name="deaths", kind="rate", better="down", cases="people"),
}


def cube(rows: list[tuple[Any, ...]], columns: str, kind: str = "proportion") -> rca.Cube:
    frame = pd.DataFrame(rows, columns=columns.split()).assign(period="2026-01-05")
    by = [c for c in columns.split() if c not in ("n", "total")]
    return rca.Cube(frame, METRICS[kind], by=by)


def test_direct_standardisation_is_as_printed() -> None:
    """Chap T. Le, Introductory Biostatistics, 2003, table 1.8: deaths of 1977 at the US population of 1970."""
    ages = ["0-4", "5-19", "20-44", "45-64", "65+"]
    standard = [84_416, 294_353, 316_744, 205_745, 98_742]
    rates = {"Alaska": [405.0, 83.6, 261.0, 777.6, 4933.3], "Florida": [375.3, 60.3, 190.5, 1101.5, 4397.9]}
    own = [(s, age, 1e5, rate) for s, by_age in rates.items() for age, rate in zip(ages, by_age, strict=True)]
    of = [(age, n, n / 1000) for age, n in zip(ages, standard, strict=True)]
    states, reference = cube(own, "state age n total", "rate"), cube(of, "age n total", "rate")
    found = rca.compare(states, by="state", adjust_for="age", reference=reference).table.set_index("segment")
    assert (1e5 * found["direct"]).to_dict() == pytest.approx(
        {"Alaska": 788.6, "Florida": 770.6}, abs=0.07
    )  # whole deaths
    assert found["covered"].tolist() == [1, 1]


def test_indirect_standardisation_is_as_printed() -> None:
    """Deaths in Ecuador at the rates of Sweden (IUSSP, Population Analysis for Policies and Programmes, session 6 of
    PAPP 101): 64,700 observed, 42,561 expected, ratio 1.52."""
    ages, people, deaths = ["0-29", "30-59", "60+"], [7498, 3219, 742], [16_700, 11_900, 36_100]
    ecuador = cube(
        [("Ecuador", *row) for row in zip(ages, people, deaths, strict=True)], "land age n total", "rate"
    )
    sweden = cube(
        [(a, 1000, 1000 * r) for a, r in zip(ages, [0.45, 2.4, 42.4], strict=True)], "age n total", "rate"
    )
    found = rca.compare(ecuador, by="land", adjust_for="age", reference=sweden)
    row = found.table.iloc[0]
    assert row["expected"] * row["n"] == pytest.approx(42_561, abs=0.6)  # printed: the sum of whole deaths
    assert round(row["ratio"], 2) == 1.52
    assert row["indirect"] == pytest.approx(64_700 / 42_561 * (0.45 + 2.4 + 42.4) / 3, rel=1e-4)
    assert found.reference == "the one given"


def strata(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame([(v, s) for v in "AB" for s in "wxyz"], columns=["vendor", "channel"])
    frame["n"] = rng.integers(20, 90, len(frame))
    frame["total"] = rng.binomial(frame["n"], np.tile([0.3, 0.5, 0.6, 0.8], 2) + np.repeat([0.0, 0.08], 4))
    return frame.assign(period="2026-01-05")


@pytest.mark.parametrize("seed", range(5))
def test_two_vendors_are_compared_as_statsmodels_does(seed: int) -> None:
    """The test of Cochran, Mantel and Haenszel, and the pooled risk difference of Mantel and Haenszel by hand."""
    frame = strata(seed)
    found = rca.compare(
        rca.Cube(frame, METRICS["proportion"], by=["vendor", "channel"]), by="vendor", adjust_for="channel"
    )
    a, b = (frame[frame["vendor"] == v].set_index("channel") for v in "AB")
    tables = [
        np.array([[a.total[c], a.n[c] - a.total[c]], [b.total[c], b.n[c] - b.total[c]]], float) for c in "wxyz"
    ]
    row = found.table.set_index("segment").loc["A"]
    z = row["effect"] / (row["conf_high"] - row["effect"]) * 1.959964
    assert z**2 == pytest.approx(StratifiedTable(tables).test_null_odds(correction=False).statistic, rel=1e-5)
    weight = a.n * b.n / (a.n + b.n)
    assert row["effect"] == pytest.approx((weight * (a.total / a.n - b.total / b.n)).sum() / weight.sum())
    assert found.covariance == pytest.approx(found.covariance[0, 0] * np.array([[1, -1], [-1, 1]]))


def test_the_exact_tail_of_few_cases_is_that_of_fisher() -> None:
    """One of ten against eleven of fourteen, Fisher's one-sided p = .001380 (Wikipedia), doubled."""
    found = rca.compare(cube([("A", 10, 1), ("B", 14, 11)], "vendor n total"), by="vendor")
    assert found.table["p_value"].tolist() == pytest.approx([0.002759] * 2, rel=1e-3)


def test_three_orders_with_one_complaint_are_no_bad_seller() -> None:
    sellers = [(f"S{i}", 400, 8) for i in range(40)] + [("tiny", 3, 1), ("bad", 400, 60)]
    complaints = rca.Metric(name="complaints", kind="proportion", better="down", cases="orders")
    frame = pd.DataFrame(sellers, columns=["seller", "n", "total"]).assign(period="2026-01-05")
    found = rca.compare(rca.Cube(frame, complaints, by=["seller"]), by="seller")
    table = found.table.set_index("segment")
    assert found.facts["worse"][0].startswith("bad")
    assert table.loc["tiny", "direction"] == "neutral"
    assert table.loc["tiny", "estimate"] < 0.05 < 0.1 < table.loc["bad", "estimate"]  # shrunken, and hardly so


def test_two_slow_vendors_make_no_other_a_fast_one() -> None:
    rows = [(v, 5000, 4000 - 700 * (v in "AB")) for v in "ABCDEF"]
    found = rca.compare(cube(rows, "vendor n total"), by="vendor")
    assert found.table.set_index("segment")["direction"].to_dict() == {
        v: "worse" if v in "AB" else "neutral" for v in "ABCDEF"
    }
    assert found.reference == "the 4 of 6 that are alike"
    assert found.center == pytest.approx(0.8)


def test_overdispersed_limits_leave_the_usual_spread_of_levels_alone() -> None:
    rng = np.random.default_rng(1)
    rows = [(f"S{i:02}", 2000, rng.binomial(2000, p)) for i, p in enumerate(rng.normal(0.8, 0.03, 30))]
    rows.append(("far", 2000, 1100))
    exact, wide = (
        rca.compare(cube(rows, "seller n total"), by="seller", limits=how) for how in ("exact", "overdispersed")
    )
    assert len(exact.facts["worse"]) > 3
    assert [text.partition(" ")[0] for text in wide.facts["worse"]] == ["far"]
    assert wide.spread == pytest.approx(0.03, abs=0.01)
    assert (wide.funnel["outer_high"] > exact.funnel["outer_high"]).all()


def test_exact_limits_leave_out_as_many_as_they_say() -> None:
    """Interpolated between whole counts (Spiegelhalter 2005, appendix A.1): 97.5 % of binomials lie below the limit."""
    rng = np.random.default_rng(2)
    for n, p in ((40, 0.1), (200, 0.85), (1000, 0.02)):
        for level in (0.025, 0.975):
            limit = limits("proportion", p, p * (1 - p), np.array([n]), level)[0]
            below = rng.binomial(n, p, 200_000) / n
            assert (below < limit).mean() - 0.002 <= level <= (below <= limit + 1 / n).mean() + 0.002


def test_groups_say_who_cannot_be_told_apart() -> None:
    rows = [("A", 4000, 2400), ("B", 4000, 2480), ("C", 4000, 3200), ("D", 4000, 3230), ("E", 50, 36)]
    found = rca.ranking(rca.compare(cube(rows, "vendor n total"), by="vendor"))
    assert found.groups == (("A", "B", "E"), ("E", "C", "D"))
    ranks = found.table.set_index("segment")[["rank_low", "rank_high"]]
    assert ranks.loc[["A", "C", "E"]].values.tolist() == [[1, 3], [3, 5], [1, 5]]
    drawn = (found.table["estimate"] - found.table["raw"]).abs().set_axis(found.table["segment"])
    assert drawn["E"] > 3 * drawn["A"]  # the smallest is drawn to the middle most


@pytest.mark.parametrize("kind", ["proportion", "mean", "rate"])
def test_equal_vendors_of_unequal_mix_are_not_told_apart(kind: str) -> None:
    """Some of the runs of `bench/compare.py`; unadjusted, the same vendors are nearly always told apart."""
    runs = [bench_compare.run(kind, seed) for seed in range(12)]
    assert np.sum(runs, axis=0)[:2].max() <= 1
    assert np.sum(runs, axis=0)[2] >= 11


bench_compare = bench("compare")


@pytest.mark.parametrize("size", [1, 2, 150])
def test_any_number_of_segments_can_be_drawn(size: int) -> None:
    found = rca.compare(cube([(f"S{i}", 100 + i, 60) for i in range(size)], "seller n total"), by="seller")
    assert isinstance(found, Comparison)
    assert found.plot().get_title("left").startswith("CSAT by seller")
    plt.close("all")
    if size > 100:
        with pytest.raises(rca.InputError, match="compare the largest only"):
            rca.ranking(found)
    else:
        assert rca.ranking(found).table["rank_high"].max() == size


def test_mistakes_are_named() -> None:
    two = cube([("A", "x", 10, 5), ("B", "x", 10, 5)], "vendor channel n total")
    with pytest.raises(rca.InputError, match="unknown dimension 'chanel'"):
        rca.compare(two, by="vendor", adjust_for="chanel")
    with pytest.raises(rca.InputError, match="cannot be adjusted for"):
        rca.compare(two, by="vendor", adjust_for=["vendor"])
    with pytest.raises(rca.InputError, match="unknown kind of limits 'exakt'"):
        rca.compare(two, by="vendor", limits="exakt")  # type: ignore[arg-type]


def test_random_comparisons_say_no_nonsense() -> None:
    """Few or no cases, none or all of which count, huge and tiny values, strata that one alone has."""
    for seed in range(30):
        rng = np.random.default_rng(seed)
        kind = ("proportion", "mean", "rate")[seed % 3]
        frame = pd.DataFrame([(v, c) for v in "ABCDE" for c in "xyz"], columns=["vendor", "channel"])
        frame["n"] = rng.integers(0, [2, 40, 10**6][seed % 4 % 3], 15, endpoint=True)
        scale = 1 if kind == "proportion" else 10 ** rng.uniform(-4, 5)
        frame["total"] = frame["n"] * np.round(rng.choice([0, 0.25, 1, rng.random()], 15), 1) * scale
        frame["total_sq"] = frame["total"] * scale
        frame.loc[0, ["n", "total", "total_sq"]] = 5, 5 * scale, 5 * scale**2
        metric = rca.Metric(name="kpi", kind=kind, better="down")
        found = rca.compare(
            rca.Cube(frame.assign(period="2026-01-05"), metric, by=["vendor", "channel"]),
            by="vendor",
            adjust_for="channel" if seed % 2 else (),
        )
        source: Any = SimpleNamespace(scope={}, audience="internal")
        said = [found.headline, rca.ranking(found).headline]
        for finding in found.findings(Evidence((found,), source)):
            said += [finding.title, finding.headline, finding.remedy, finding.impact_text, *finding.details]
        assert not [text for text in said if NO_NUMBER.search(text)], (seed, said)
        found.plot(plt.figure().add_subplot())
        plt.close("all")
