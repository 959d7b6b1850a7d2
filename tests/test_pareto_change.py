"""Two Paretos compared: planted moves are told, a reordering by noise is marked as such."""

from itertools import permutations
from math import comb

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from rca.cube import Cube
from rca.errors import InputError, TooLittleData
from rca.metric import Metric
from rca.pareto import pareto
from rca.pareto_noise import dispersion, holm, overtaken, share_change

ESCALATED = Metric(name="escalation_rate", kind="proportion", better="down")
WEEKS = pd.date_range("2026-02-02", periods=12, freq="7D")


def drawn(rng: np.random.Generator, then: list[float], now: list[float], size: int = 200, burst: float = 0) -> Cube:
    """Eight weeks of `then`, four of `now`, `size` escalations each; `burst`: weekly shares scatter (Dirichlet)."""
    rows = []
    for week, shares in zip(WEEKS, [then] * 8 + [now] * 4, strict=True):
        p = rng.dirichlet(np.array(shares) * burst) if burst else shares
        rows += [(week, f"s{i}", 10 * k, k) for i, k in enumerate(rng.multinomial(size, p))]
    return Cube(pd.DataFrame(rows, columns=["period", "reason", "n", "total"]), ESCALATED, by=["reason"])


def compared(cube: Cube):
    now = pareto(cube, by="reason", within="last 4")
    return now.against(pareto(cube, by="reason", within="last 8 before last 4"))


def test_a_planted_change_of_order_is_told():
    weeks = [[160, 120, 60, 60]] * 8 + [[120, 180, 40, 60]] * 4
    rows = [
        (week, f"s{i}", 1000, k) for week, counts in zip(WEEKS, weeks, strict=True) for i, k in enumerate(counts)
    ]
    cube = Cube(pd.DataFrame(rows, columns=["period", "reason", "n", "total"]), ESCALATED, by=["reason"])
    result = compared(cube)
    assert result.facts["overtook"] == {"s1": ["s0"]}
    assert result.table["order"].tolist() == ["changed", "changed", "noise", "noise"]
    assert result.table["rank"].tolist() == [1, 2, 3, 4]
    assert result.table["rank_reference"].tolist() == [2, 1, 4, 3]
    row = result.table.iloc[0]
    assert row["conf_low"] < 0.15 < row["conf_high"]
    assert result.headline == (
        "By reason, 30 Mar to 26 Apr 2026 against 2 Feb to 29 Mar 2026: s1 overtook s0 (30 % → 45 %);"
        " s0 shrank (40 % → 30 %); s2 shrank (15 % → 10 %);"
        " the new ranks of 2 others may be noise."
    )


def test_a_reordering_by_noise_is_marked():
    result = compared(drawn(np.random.default_rng(4), [0.26, 0.25, 0.25, 0.24], [0.26, 0.25, 0.25, 0.24], 60))
    assert "noise" in result.table["order"].tolist()
    assert result.facts["overtook"] == {}
    assert result.headline.endswith("no share and no rank changed beyond noise.")


@pytest.mark.parametrize("burst", [0, 150])
@pytest.mark.parametrize("shares", [[1 / 6] * 6, [0.4, 0.2, 0.15, 0.1, 0.08, 0.04, 0.02, 0.01]])
def test_two_windows_of_one_distribution_rarely_claim_a_move(shares, burst):
    rng = np.random.default_rng(7)
    claims = [compared(drawn(rng, shares, shares, burst=burst)).facts for _ in range(40)]
    assert sum(bool(c["overtook"]) for c in claims) <= 2
    assert sum(bool(c["moved"]) for c in claims) <= 5  # 5 % of 40, and two standard deviations


def test_share_change_is_fishers_exact_test():
    found = share_change(np.array([8.0, 4, 2]), np.array([3.0, 9, 5]))
    ways = [comb(11, j) * comb(20, 14 - j) / comb(31, 14) for j in range(12)]
    assert found["p_value"][0] == pytest.approx(2 * min(sum(ways[:9]), sum(ways[8:])), rel=1e-12)
    assert found["change"].tolist() == pytest.approx([8 / 14 - 3 / 17, 4 / 14 - 9 / 17, 2 / 14 - 5 / 17])


def test_overtaking_needs_both_orders_beyond_noise():
    tail = sum(comb(40, j) for j in range(30, 41)) / 2**40
    assert overtaken(np.array([30, 10]), np.array([10, 30]))[0, 1] == pytest.approx(2 * tail)
    assert (overtaken(np.array([300, 10]), np.array([29, 30])) > 0.5).all()


def test_holm_equals_its_definition():
    p = np.array([0.04, 0.001, 0.03, 0.02])
    for order in permutations(range(4)):
        assert holm(p[list(order)]).tolist() == pytest.approx(np.array([0.06, 0.004, 0.06, 0.06])[list(order)])


def test_dispersion_is_pearsons_chi_squared_over_its_degrees_of_freedom():
    """A&E example of a 2x3 table by hand: expected 15, 20, 15 in both rows."""
    assert dispersion(np.array([[5, 20, 25], [25, 20, 5]])) == pytest.approx((4 * 100 / 15) / 2)
    assert dispersion(np.array([[5, 20, 25]])) == 1


def test_another_scope_is_compared_in_the_same_window():
    rng = np.random.default_rng(2)
    sides = []
    for vendor, shares in (("Andes", [0.5, 0.3, 0.2]), ("Baltic", [0.2, 0.3, 0.5])):
        cube = drawn(rng, shares, shares)
        sides.append(pareto(Cube(cube.frame, ESCALATED, ["reason"], scope={"vendor": vendor}), by="reason"))
    result = sides[0].against(sides[1])
    assert result.headline.startswith("By reason, Andes against Baltic: s0 overtook s1 and s2 (")


def test_segments_of_one_list_only_count_as_zero_in_the_other():
    frame = pd.DataFrame({"period": WEEKS[[0, 1]], "reason": ["a", "b"], "n": 100, "total": 30})
    cube = Cube(frame, ESCALATED, by=["reason"])
    result = pareto(cube, by="reason", within="last 1").against(
        pareto(cube, by="reason", within="last 1 before last 1")
    )
    assert result.table[["segment", "count", "count_reference"]].values.tolist() == [["b", 30, 0], ["a", 0, 30]]
    assert result.facts["overtook"] == {"b": ["a"]}


def test_one_case_on_a_side_claims_nothing():
    """Bursts in the reference leave less than half a case of evidence here."""
    frame = pd.DataFrame({"period": WEEKS[[0, 0, 1, 1, 2, 2]], "reason": list("ab") * 3, "n": 100})
    cube = Cube(frame.assign(total=[90, 0, 0, 90, 1, 0]), ESCALATED, by=["reason"])
    result = pareto(cube, by="reason", within="last 1").against(
        pareto(cube, by="reason", within="last 2 before last 1")
    )
    assert result.headline.endswith("no share and no rank changed beyond noise.")
    assert result.table[["conf_low", "conf_high"]].notna().all(axis=None)


def test_mistakes_are_named():
    cube = drawn(np.random.default_rng(0), [0.5, 0.5], [0.5, 0.5])
    csat = Cube(cube.frame, Metric(name="csat", kind="proportion", better="up"), by=["reason"])
    with pytest.raises(InputError, match="escalation_rate by reason and csat by reason"):
        pareto(cube, by="reason").against(pareto(csat, by="reason"))
    none = Cube(cube.frame.assign(total=0), ESCALATED, by=["reason"])
    with pytest.raises(TooLittleData, match="nothing to compare"):
        pareto(cube, by="reason").against(pareto(none, by="reason"))


def test_picture_draws_one_dumbbell_per_segment():
    ax = compared(drawn(np.random.default_rng(1), [0.4, 0.3, 0.3], [0.3, 0.4, 0.3])).plot()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["s1", "s2", "s0"]
    plt.close(ax.figure)
