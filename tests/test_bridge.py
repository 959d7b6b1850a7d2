"""The split is exact, symmetric and nested; its terms are checked by hand arithmetic, its intervals by drawing."""

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rca.bridge import TERMS, bridge
from rca.cube import Cube
from rca.errors import InputError
from rca.metric import Metric
from rca.split import side, split

METRICS = {kind: Metric(name="kpi", label="KPI", kind=kind, better="up") for kind in ("proportion", "mean", "rate")}
FIRST, SECOND = "last 1 before last 1", "last 1"


def cube(rows, kind="proportion", by=("a", "b")):
    frame = pd.DataFrame(rows, columns=["period", *by, "n", "total", *(["total_sq"] if kind == "mean" else [])])
    return Cube(frame, METRICS[kind], by=by)


@st.composite
def cubes(draw):
    """Cubes of any kind with empty cells and segments that exist in one window only."""
    kind = draw(st.sampled_from(list(METRICS)))
    rows = []
    for period in ("2026-01-05", "2026-01-12"):
        cells = draw(st.sets(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1))
        for a, b in sorted(cells):
            n = draw(st.integers(1, 60))
            share = draw(st.floats(0, 1))
            total = {"proportion": round(n * share), "mean": 900 * n * share, "rate": round(3 * n * share)}[kind]
            rows.append((period, f"a{a}", f"b{b}", n, total, *([total**2 / n * 1.2] if kind == "mean" else [])))
    return cube(rows, kind)


@settings(max_examples=500, deadline=None)
@given(cubes())
def test_effects_sum_to_the_change_flip_when_swapped_and_nest(cells):
    there = bridge(cells, by=["a", "b"], before=FIRST, after=SECOND)
    change, size = there.value_after - there.value_before, max(1, abs(there.value_after), abs(there.value_before))
    assert there.table["effect"].sum() == pytest.approx(change, abs=1e-12 * size)
    assert there.table[TERMS].to_numpy().sum() == pytest.approx(change, abs=1e-12 * size)

    pairs, kind = cells.pair(FIRST, SECOND), cells.metric.kind
    back = split(side(pairs, "after", kind), side(pairs, "before", kind))
    swapped = {"rate_effect": "rate_effect", "mix_effect": "mix_effect", "entered": "left", "left": "entered"}
    for term, opposite in swapped.items():
        np.testing.assert_allclose(there.table[term], -back[opposite].effect, atol=1e-12 * size)

    summed = pairs.drop(columns="b").groupby("a").sum()
    parents = split(side(summed, "before", kind), side(summed, "after", kind))["effect"].effect
    children = there.table.groupby("a")["effect"].sum()
    np.testing.assert_allclose(children, parents, atol=1e-12 * size)
    assert np.isfinite(there.table[["conf_low", "rate_low", "mix_low"]].to_numpy()).all()


def test_kitagawas_terms_by_hand():
    """Shares .6/.4 to .5/.5, rates .9/.5 to .8/.5: rate .55 * -.1; mix -.1 * (.85 - .695) and .1 * (.5 - .695)."""
    cells = cube([("2026-01-05", "chat", 60, 54), ("2026-01-05", "mail", 40, 20),
                  ("2026-01-12", "chat", 100, 80), ("2026-01-12", "mail", 100, 50)], by=("a",))  # fmt: skip
    found = bridge(cells, by="a", before=FIRST, after=SECOND)
    middle = (0.74 + 0.65) / 2
    assert found.table["rate_effect"].tolist() == pytest.approx([-0.055, 0.0])
    assert found.table["mix_effect"].tolist() == pytest.approx([-0.1 * (0.85 - middle), 0.1 * (0.5 - middle)])
    assert found.total.loc["change", "effect"] == pytest.approx(-0.09)


def test_a_segment_in_one_window_only_is_new_or_gone_never_a_rate_of_zero():
    cells = cube([("2026-01-05", "old", 50, 40), ("2026-01-05", "stays", 50, 30),
                  ("2026-01-12", "new", 25, 5), ("2026-01-12", "stays", 75, 45)], by=("a",))  # fmt: skip
    table = bridge(cells, by="a", before=FIRST, after=SECOND).table.set_index("a")
    middle = (0.7 + 0.5) / 2
    assert table.loc["new", TERMS].tolist() == pytest.approx([0, 0, 0.25 * (0.2 - middle), 0])
    assert table.loc["old", TERMS].tolist() == pytest.approx([0, 0, 0, -0.5 * (0.8 - middle)])
    assert table.loc["stays", "rate_effect"] == 0
    assert pd.isna(table.loc["new", "rate_before"])
    assert pd.isna(table.loc["old", "rate_after"])


def test_the_parents_of_a_table_are_those_of_a_bridge_by_the_parent_alone():
    rng = np.random.default_rng(4)
    cells = cube([(p, f"a{i % 4}", f"b{i}", 50, rng.binomial(50, 0.6)) for p in ("2026-01-05", "2026-01-12")
                  for i in range(12)])  # fmt: skip
    parents = bridge(cells, by="a", before=FIRST, after=SECOND).table.set_index("a")["effect"]
    children = bridge(cells, by=["a", "b"], before=FIRST, after=SECOND).table.groupby("a")["effect"].sum()
    np.testing.assert_allclose(children, parents, atol=1e-12)


@pytest.mark.parametrize("kind", ["proportion", "mean", "rate"])
def test_intervals_cover_the_truth(kind, monkeypatch):
    """500 pairs of windows from known shares and rates; the whole: bench/intervals.py."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "bench")
    intervals = importlib.import_module("intervals")
    terms = intervals.bridge_terms(kind, *intervals.three(), cases=500, seed=11)
    assert terms.between(0.93, 0.97).all(), terms


def test_the_waterfall_stays_readable_with_300_segments():
    rng = np.random.default_rng(3)
    rows = [(p, f"s{i}", n, rng.binomial(n, 0.7)) for p in ("2026-01-05", "2026-01-12")
            for i, n in enumerate(rng.integers(5, 90, 300))]  # fmt: skip
    found = bridge(cube(rows, by=("a",)), by="a", before=FIRST, after=SECOND)
    assert len(found.steps) <= 14
    assert found.steps["stop"].iloc[-2] == pytest.approx(found.value_after, abs=1e-12)
    assert found.steps["label"].tolist()[-3:-1] == [f"{n} other" for n in _others(found)]
    assert len(found.plot().get_yticks()) == len(found.steps)


def _others(found):
    drawn = found.steps[~found.steps["label"].str.contains("other")]["kind"].value_counts()
    nonzero = (found.table[["rate_effect", "mix_effect"]] != 0).sum()
    counts = {"rate": nonzero["rate_effect"], "mix": nonzero["mix_effect"]}
    return [counts[k] - drawn.get(k, 0) for k in found.steps["kind"].iloc[-3:-1]]


def test_mistakes_are_named():
    cells = cube([("2026-01-05", "x", 5, 4), ("2026-01-12", "x", 5, 4)], by=("a",))
    with pytest.raises(InputError, match="at least one dimension"):
        bridge(cells, by=[], before=FIRST, after=SECOND)
    with pytest.raises(InputError, match="unknown dimension 'aa'"):
        bridge(cells, by="aa", before=FIRST, after=SECOND)
    assert bridge(cells, by="a", before=FIRST, after=SECOND).headline == (
        "KPI did not change: 80.0 % before and after."
    )
