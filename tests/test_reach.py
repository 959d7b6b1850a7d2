"""A change of one vendor against the others: planted as its own, as common, as shared by one."""

import numpy as np
import pandas as pd
import pytest

from rca.cube import Cube
from rca.errors import InputError
from rca.localize import localize
from rca.metric import Metric
from rca.reach import Reach, reach

CSAT = Metric(name="csat", kind="proportion", better="up")
VENDORS = ["Andes", "Baltic", "Cedar", "Delta"]


def marketplace(hit: dict[str, float], seed: int = 1, cases: int = 400) -> Cube:
    """Four vendors, three markets, ten weeks; in the last five MX loses `hit` points at the vendors named."""
    rng = np.random.default_rng(seed)
    rows = []
    for vendor in VENDORS:
        for market in ("MX", "BR", "ES"):
            for week in range(10):
                drop = hit.get(vendor, 0) if week >= 5 and market == "MX" else 0
                total = rng.binomial(cases, 0.85 - drop)
                rows.append((pd.Timestamp("2026-01-05") + pd.Timedelta(weeks=week), vendor, market, cases, total))
    return Cube(
        pd.DataFrame(rows, columns=["period", "vendor", "market", "n", "total"]), CSAT, by=["vendor", "market"]
    )


def reach_of(hit: dict[str, float], seed: int = 1, name_others: bool = False) -> Reach:
    everyone = marketplace(hit, seed)
    own = everyone.where({"vendor": "Andes"}).over(["market"])
    change = localize(own, before="last 5 before last 5", after="last 5")
    return reach(everyone, change, scope={"vendor": "Andes"}, name_others=name_others)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("hit", "expected"),
    [
        ({"Andes": 0.2}, "own"),
        (dict.fromkeys(VENDORS, 0.2), "common"),
        ({"Andes": 0.2, "Cedar": 0.2}, "shared"),
    ],
)
def test_planted_reach_is_named(hit: dict[str, float], expected: str, seed: int) -> None:
    table = reach_of(hit, seed).table.set_index("segment")
    assert table.loc["market=MX", "reach"] == expected
    assert table.loc["market=MX", "effect"] == pytest.approx(-0.2, abs=0.04)
    assert table.loc["market=MX", "others"] == 3
    assert table.loc["market=MX", "moved"] == len(hit) - 1


def test_others_are_named_only_where_asked_for() -> None:
    hit = {"Andes": 0.2, "Cedar": 0.2}
    closed, internal = reach_of(hit), reach_of(hit, name_others=True)
    assert "(shared by Cedar)" in internal.headline
    assert "(shared by some others)" in closed.headline
    assert not {"Baltic", "Cedar", "Delta"}.intersection(closed.table.to_numpy().ravel())
    assert "Cedar" not in closed.headline + closed._repr_html_()


def test_a_small_common_change_does_not_excuse_a_large_own_one() -> None:
    table = reach_of({"Andes": 0.3, "Baltic": 0.05, "Cedar": 0.05, "Delta": 0.05}).table.set_index("segment")
    assert table.loc["market=MX", "reach"] == "own"


def test_no_change_is_nothing_to_compare() -> None:
    result = reach_of({})
    assert result.table.empty
    assert result.headline == "Csat: no change here to compare with the others."


def test_a_vendor_too_small_to_see_a_common_change_is_told_of_it() -> None:
    """2 points down everywhere: plain in the three large vendors, within noise in the small one."""
    rng = np.random.default_rng(3)
    weeks = pd.date_range("2026-01-05", periods=10, freq="7D")
    rows = [
        (week, vendor, "MX", n, rng.binomial(n, 0.85 - 0.03 * (i >= 5)))
        for vendor, n in zip(VENDORS, (100, 5000, 5000, 5000), strict=True)
        for i, week in enumerate(weeks)
    ]
    everyone = Cube(
        pd.DataFrame(rows, columns=["period", "vendor", "market", "n", "total"]), CSAT, by=["vendor", "market"]
    )
    own = everyone.where({"vendor": "Andes"}).over(["market"])
    change = localize(own, before="last 5 before last 5", after="last 5")
    table = reach(everyone, change, scope={"vendor": "Andes"}).table
    assert table["segment"].tolist() == ["all cases"]
    assert table["reach"].tolist() == ["common"]
    assert table["p_value"].item() > 0.01


def test_a_segment_nobody_else_has_cannot_be_compared() -> None:
    cube = marketplace({"Andes": 0.2})
    frame = cube.frame[(cube.frame["vendor"] == "Andes") | (cube.frame["market"] != "MX")]
    everyone = Cube(frame, CSAT, by=["vendor", "market"])
    change = localize(
        everyone.where({"vendor": "Andes"}).over(["market"]), before="last 5 before last 5", after="last 5"
    )
    table = reach(everyone, change, scope={"vendor": "Andes"}).table.set_index("segment")
    assert table.loc["market=MX", "reach"] == "unknown"


def test_mistakes_are_named() -> None:
    everyone = marketplace({})
    change = localize(everyone, before="last 5 before last 5", after="last 5")
    with pytest.raises(InputError, match="Did you mean 'Andes'"):
        reach(everyone, change, scope={"vendor": "Ande"})
    with pytest.raises(InputError, match="one dimension"):
        reach(everyone, change, scope={"vendor": "Andes", "market": "MX"})
    with pytest.raises(InputError, match="unknown dimension 'partner'"):
        reach(everyone, change, scope={"partner": "Andes"})
