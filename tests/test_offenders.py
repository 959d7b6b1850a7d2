"""Sellers of unequal size: shrinkage equals published worked examples, few cases make no offender."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rca
from rca.errors import InputError
from rca.shrinkage import Prior, prior

# Tumours in 71 groups of rats, Tarone (1982), as in Gelman et al., Bayesian Data Analysis, 3rd ed., table 5.1
TUMOURS = np.array(
    [*[0] * 14, *[1] * 8, *[2] * 9, 1, 5, 2, 5, 3, 2, 7, 7, 3, 3, 2, 9, 10, *[4] * 7, 10, *[4] * 3, 5, 11, 12, 5, 5, 6,
     5, *[6] * 4, 16, 15, 15, 9, 4]
)  # fmt: skip
RATS = np.array(
    [*[20] * 7, *[19] * 4, 18, 18, 17, *[20] * 4, 19, 19, 18, 18, 25, 24, 23, *[20] * 6, 10, 49, 19, 46, 27, 17, 49, 47,
     20, 20, 13, 48, 50, *[20] * 7, 48, *[19] * 3, 22, 46, 49, 20, 20, 23, 19, 22, 20, 20, 20, 52, 46, 47, 24, 14]
)  # fmt: skip
# Claims of 9,461 motor policies in a year, Efron & Hastie, Computer Age Statistical Inference, table 6.1
CLAIMS, POLICIES = np.arange(8), np.array([7840, 1317, 239, 42, 14, 4, 4, 1])
VIOLATIONS = rca.Metric(name="violation_rate", kind="proportion", better="down")


def test_beta_posterior_of_the_rat_tumours() -> None:
    """Section 5.1: 70 groups have mean .136 and sd .103, so a = 1.4, b = 8.6; 4 of 14 become .223 (sd .083)."""
    rate = TUMOURS[:-1] / RATS[:-1]
    assert (rate.mean().round(3), rate.std(ddof=1).round(3)) == (0.136, 0.103)
    size = rate.mean() * (1 - rate.mean()) / rate.var(ddof=1) - 1
    before = Prior("proportion", rate.mean() * size, (1 - rate.mean()) * size)
    assert (round(before.a, 1), round(before.b, 1)) == (1.4, 8.6)
    assert float(before.posterior(np.array(4), np.array(14))[0]) == pytest.approx(0.223, abs=5e-4)


def test_beta_prior_of_all_rats_is_near_the_published_one() -> None:
    """Section 5.3: the hyperparameters' posterior centres on a = 2.4, b = 14.3; the likeliest pair lies beside it."""
    fitted = prior(TUMOURS, RATS, "proportion")
    assert (fitted.a, fitted.b) == pytest.approx((2.4, 14.3), rel=0.1)


def test_gamma_prior_of_the_motor_claims() -> None:
    """Section 6.1: gamma of shape .70 and scale .31; claims expected next year, table 6.1, line "Gamma MLE"."""
    fitted = prior(np.repeat(CLAIMS, POLICIES), np.ones(POLICIES.sum()), "rate")
    assert (round(fitted.a, 2), round(1 / fitted.b, 2)) == (0.70, 0.31)
    means = fitted.posterior(CLAIMS[:7], np.ones(7))[0]
    assert means == pytest.approx([0.164, 0.398, 0.633, 0.87, 1.10, 1.34, 1.57], abs=0.006)


def sellers(seed: int, bad: dict[int, float] | None = None) -> rca.Cube:
    """Sixty sellers of 3 to 600 cases, whose rates differ by 4 points around 20 %."""
    rng = np.random.default_rng(seed)
    n = np.round(np.geomspace(3, 600, 60)).astype(int)
    rate = np.clip(rng.normal(0.2, 0.04, 60), 0, 1)
    for i, level in (bad or {}).items():
        rate[i] = level
    names = [f"S-{i:02d}" for i in range(60)]
    frame = pd.DataFrame({"period": "2026-01-05", "seller": names, "n": n, "total": rng.binomial(n, rate)})
    return rca.Cube(frame, VIOLATIONS, by=["seller"])


def test_planted_offenders_are_named_and_sellers_who_differ_are_not() -> None:
    found = rca.offenders(sellers(1, {50: 0.5, 55: 0.45}))
    assert sorted(found.facts["offenders"]) == ["S-50", "S-55"]
    assert found.typical == pytest.approx(0.2, abs=0.02)
    evidence: Any = SimpleNamespace(source=SimpleNamespace(extent=(None, pd.Timestamp("2026-01-11"))))
    [told] = found.findings(evidence)
    assert told.direction == "worse"


def test_quiet_sellers_are_seldom_offenders() -> None:
    assert sum(bool(rca.offenders(sellers(seed)).facts["offenders"]) for seed in range(40)) <= 5  # 5 % of 40 are 2


def test_one_bad_case_is_no_bad_seller() -> None:
    cube = sellers(2)
    frame = cube.frame.copy()
    frame.loc[0, ["n", "total"]] = 1, 1
    row = rca.offenders(rca.Cube(frame, VIOLATIONS, by=["seller"])).table.set_index("segment").loc["seller=S-00"]
    assert (row["rate"], row["direction"]) == (1.0, "neutral")
    assert row["shrunk"] < 0.25
    assert row["conf_high"] - row["conf_low"] > 0.1


def test_a_mean_is_refused() -> None:
    lag = rca.Metric(name="lag", kind="mean", better="down")
    frame = pd.DataFrame({"period": ["2026-01-05"], "seller": "A", "n": 1, "total": 1.0, "total_sq": 1.0})
    with pytest.raises(InputError, match="give a proportion or a rate"):
        rca.offenders(rca.Cube(frame, lag, by=["seller"]))
