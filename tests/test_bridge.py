"""The split is exact, symmetric and nested; its terms are checked by hand arithmetic, its intervals by drawing."""

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
def test_intervals_cover_the_truth(kind):
    """1,000 pairs of windows from known shares and rates: 95 % intervals hold the truth 93 to 97 times in 100."""
    rng, draws, sizes = np.random.default_rng(11), 1000, (900, 600)
    shares = np.array([[0.5, 0.3, 0.2], [0.4, 0.25, 0.35]])
    rates = np.array([[0.9, 0.6, 0.7], [0.8, 0.6, 0.65]])
    values = (shares * rates).sum(1)
    true = {
        "rate_effect": shares.mean(0) * (rates[1] - rates[0]),
        "mix_effect": (shares[1] - shares[0]) * (rates.mean(0) - values.mean()),
    }
    true["effect"] = true["rate_effect"] + true["mix_effect"]
    hits: dict[str, list] = {name: [] for name in true}
    for _ in range(draws):
        pairs = pd.DataFrame()
        for window, size, w, p in zip(("before", "after"), sizes, shares, rates, strict=True):
            n = (size * w).astype(int) if kind == "rate" else rng.multinomial(size, w)
            drawn = np.transpose([_drawn(rng, kind, count, rate) for count, rate in zip(n, p, strict=True)])
            for name, numbers in zip(("n", "total", "total_sq"), (n, *drawn), strict=False):
                pairs[f"{name}_{window}"] = numbers
        sides = side(pairs, "before", kind), side(pairs, "after", kind)
        parts = split(*sides)
        for name, truth in true.items():
            effect = np.append(parts[name].effect, parts[name].effect.sum())
            variance = np.append(parts[name].variance(sides), parts[name].variance_of_sum(sides))
            hits[name].append(np.abs(effect - np.append(truth, truth.sum())) <= 1.96 * np.sqrt(variance))
    for name in hits:
        coverage = np.mean(hits[name], axis=0)
        assert ((coverage >= 0.93) & (coverage <= 0.97)).all(), (name, coverage)


def _drawn(rng, kind, n, rate):
    """Total (and sum of squares) of n cases: yes or no, gamma values with sd .5, or Poisson events."""
    if kind == "mean":
        values = rng.gamma((rate / 0.5) ** 2, 0.5**2 / rate, n)
        return values.sum(), (values**2).sum()
    return (rng.binomial(n, rate) if kind == "proportion" else rng.poisson(n * rate),)


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
