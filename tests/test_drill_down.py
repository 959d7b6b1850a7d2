"""Drill-down: totals reconcile at every step, and only the vital few are opened."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from rca.cube import Cube
from rca.drill_down import drill_down
from rca.errors import InputError
from rca.metric import Metric

CSAT = Metric(name="csat", kind="proportion", better="up", label="CSAT", cases="answers")
PATH = ["issue_type", "issue_subtype", "sop"]


def marketplace(seed: int, types: int = 5, subtypes: int = 6, sops: int = 8) -> Cube:
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([range(types), range(subtypes), range(sops)], names=PATH)
    frame = index.to_frame(index=False)
    frame["n"] = rng.poisson(400 / np.prod(1 + frame.to_numpy(), axis=1))
    frame["total"] = rng.binomial(frame["n"], 0.8)
    return Cube(frame.assign(period="2026-01-05"), CSAT, by=PATH)


@pytest.mark.parametrize("seed", range(5))
def test_children_add_up_to_their_parent(seed):
    cube = marketplace(seed)
    table = drill_down(cube, path=PATH).table
    wrong = (cube.frame["n"] - cube.frame["total"]).sum()
    assert table.loc[table["depth"] == 0, "count"].sum() == wrong
    assert table.loc[table["depth"] == 0, "share"].sum() == pytest.approx(1)
    opened = table[table["vital"] & (table["depth"] < 2)]
    assert len(opened)
    for parent in opened.to_dict("records"):
        below = table["path"].str.startswith(f"{parent['path']} & ")
        children = table[below & (table["depth"] == parent["depth"] + 1)]
        assert children["count"].sum() == parent["count"]
        assert children["n"].sum() == parent["n"]
        assert children["of_parent"].sum() == pytest.approx(1)


def test_the_chain_follows_the_largest_part_of_the_largest():
    rows = [("refund", "late", "SOP-104", 300), ("refund", "late", "SOP-105", 40), ("refund", "wrong", "SOP-1", 60)]
    rows += [("delivery", "late", "SOP-2", 50), ("delivery", "lost", "SOP-3", 50)]
    frame = pd.DataFrame(rows, columns=[*PATH, "wrong"]).assign(period="2026-01-05", n=1000)
    cube = Cube(frame.assign(total=frame["n"] - frame["wrong"]), CSAT, by=PATH)
    result = drill_down(cube, path=PATH)
    assert result.facts["chain"] == ["refund", "late", "SOP-104"]
    assert result.facts["chain_share"] == 0.6
    assert result.headline == (
        "CSAT: issue type refund holds 80 % of 500 answers that lower CSAT; issue subtype late holds 85 % of that;"
        " sop SOP-104 holds 88 % of that."
    )
    assert not result.table["path"].str.startswith("issue_type=delivery & ").any()


def test_a_parent_with_one_child_goes_on_to_it():
    rows = [("refund", "late", "SOP-1", 300), ("account", "login", "SOP-2", 60)]
    frame = pd.DataFrame(rows, columns=[*PATH, "wrong"]).assign(period="2026-01-05", n=1000)
    result = drill_down(Cube(frame.assign(total=frame["n"] - frame["wrong"]), CSAT, by=PATH), path=PATH)
    assert result.facts["chain"] == ["refund", "late", "SOP-1"]


def test_an_even_spread_is_not_opened():
    frame = pd.DataFrame({"period": "2026-01-05", "issue_type": list("abcd"), "n": 100, "total": [80, 81, 79, 80]})
    result = drill_down(Cube(frame, CSAT, by=["issue_type"]), path=["issue_type"])
    assert result.headline == "No vital few by issue type among 80 answers that lower CSAT."


def test_mistakes_are_named():
    with pytest.raises(InputError, match="unknown dimension 'sopp'"):
        drill_down(marketplace(0), path=["issue_type", "sopp"])
    with pytest.raises(InputError, match="different dimensions"):
        drill_down(marketplace(0), path=["sop", "sop"])


def test_picture_has_a_bar_per_row():
    result = drill_down(marketplace(0), path=PATH)
    ax = result.plot()
    assert len(ax.patches) == len(result.table)
    plt.close(ax.figure)
