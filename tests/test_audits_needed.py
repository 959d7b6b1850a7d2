"""Sizes of samples against another library's, and what they promise against simulation."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import power_proportions_2indep, proportions_ztest

import rca
from rca.audits_needed import needed
from rca.errors import InputError

ACCURACY = rca.Metric(name="accuracy", kind="proportion", better="up", cases="audits")
FRAME = pd.DataFrame(
    {"period": np.repeat(pd.date_range("2026-01-05", periods=8, freq="7D"), 2), "policy": ["<A>", "B"] * 8}
).assign(n=lambda f: np.where(f["policy"] == "B", 50, 250), total=lambda f: 0.9 * f["n"])


@pytest.mark.parametrize(("rate", "other"), [(0.1, 0.15), (0.5, 0.52), (0.03, 0.05), (0.9, 0.8)])
def test_statsmodels_finds_the_power_that_was_asked_for(rate: float, other: float) -> None:
    found = power_proportions_2indep(rate - other, other, needed(rate, other), return_results=True)
    assert found.power == pytest.approx(0.8, abs=0.002)


def test_four_of_five_simulated_comparisons_tell_it() -> None:
    n = round(needed(0.9, 0.85))
    drawn = np.random.default_rng(1).binomial(n, [0.9, 0.85], (2000, 2))
    told = [proportions_ztest(pair, [n, n])[1] < 0.05 for pair in drawn]
    assert np.mean(told) == pytest.approx(0.8, abs=0.03)


def test_each_policy_takes_as_long_as_its_audits_are_few() -> None:
    found = rca.audits_needed(rca.Cube(FRAME, ACCURACY, by=["policy"]), by="policy", differences=[0.05])
    rows = found.table.set_index("segment")
    assert rows["needed"].nunique() == 1
    assert rows["periods"].to_dict() == pytest.approx(
        {name: 686 / pace for name, pace in (("all cases", 300), ("policy=<A>", 250), ("policy=B", 50))}
    )
    assert found.headline == (
        "To tell a worse accuracy: 5.0 points take 686 audits before and after (3 weeks each);"
        " 5.0 points in B take 14 weeks each."
    )


def test_a_difference_that_cannot_be_is_left_out_and_a_mean_refused() -> None:
    low = rca.Metric(name="kept", kind="proportion", better="up")
    found = rca.audits_needed(rca.Cube(FRAME.assign(total=1), low, by=["policy"]), by="policy", differences=[0.5])
    assert found.headline == "To tell a worse kept: no difference is possible."
    mean = rca.Metric(name="cost", kind="mean", better="down")
    with pytest.raises(InputError, match="about a proportion, and cost is a mean"):
        rca.audits_needed(rca.Cube(FRAME.assign(total_sq=1), mean, by=["policy"]), by="policy")
