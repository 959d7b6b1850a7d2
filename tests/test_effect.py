"""Changes and their variances against statsmodels, pooled effects against a published meta-analysis."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from rca.effect import Z95, between, change, pool

# Trials of the BCG vaccine (Colditz et al. 1994, JAMA 271): cases and non-cases, vaccinated and not.
BCG = np.array(
    [
        (4, 119, 11, 128),
        (6, 300, 29, 274),
        (3, 228, 11, 209),
        (62, 13536, 248, 12619),
        (33, 5036, 47, 5761),
        (180, 1361, 372, 1079),
        (8, 2537, 10, 619),
        (505, 87886, 499, 87892),
        (29, 7470, 45, 7232),
        (17, 1699, 65, 1600),
        (186, 50448, 141, 27197),
        (5, 2493, 3, 2338),
        (27, 16886, 29, 17825),
    ]
)


def test_pooled_effect_is_that_of_the_bcg_trials() -> None:
    """metafor (Viechtbauer 2010), rma(yi, vi, data=dat.bcg, method="DL"): -0.7141, error 0.1787, tau^2 0.3088."""
    a, b, c, d = BCG.T
    effect = np.log(a / (a + b)) - np.log(c / (c + d))
    variance = 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)
    assert pool(effect, variance) == pytest.approx((-0.7141, 0.1787), abs=5e-5)
    assert between(effect, variance) == pytest.approx(0.3088, abs=5e-5)


def test_interval_of_a_proportion_is_that_of_agresti_and_caffo() -> None:
    pair = pd.DataFrame({"n_before": [56], "total_before": [48], "n_after": [40], "total_after": [20]})
    row = change(pair, "proportion").iloc[0]
    low, high = confint_proportions_2indep(20, 40, 48, 56, compare="diff", method="agresti-caffo")
    assert 2 * Z95 * row["variance"] ** 0.5 == pytest.approx(high - low)
    assert row["effect"] == pytest.approx(20 / 40 - 48 / 56)


def test_variance_of_a_mean_is_welchs() -> None:
    rng = np.random.default_rng(7)
    x, y = rng.gamma(4, 100, 60), rng.gamma(4, 120, 45)
    sums = {f"{name}_{side}": [f(v)] for side, v in (("before", x), ("after", y)) for name, f in MEASURES.items()}
    row = change(pd.DataFrame(sums), "mean").iloc[0]
    welch = CompareMeans(DescrStatsW(y), DescrStatsW(x))
    assert row["variance"] ** 0.5 == pytest.approx(welch.std_meandiff_separatevar)
    assert row["effect"] == pytest.approx(y.mean() - x.mean())


MEASURES = {"n": len, "total": np.sum, "total_sq": lambda v: (v**2).sum()}


def test_a_row_without_cases_in_one_window_has_no_effect() -> None:
    pair = pd.DataFrame({"n_before": [0, 5], "total_before": [0, 2], "n_after": [9, 5], "total_after": [3, 1]})
    for kind in ("proportion", "rate"):
        assert change(pair, kind)["effect"].isna().tolist() == [True, False]
