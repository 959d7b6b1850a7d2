"""Charts against numbers that others published or computed: R's qcc and qicharts2, NIST, SAS, NHS."""

import json
from pathlib import Path

import numpy as np
import pytest

from rca import charts
from rca.charts import limits
from rca.metric import Metric, Target

REFERENCE = json.loads((Path(__file__).parent / "reference" / "control_charts.json").read_text(encoding="utf-8"))
CASES = {case["name"]: case for case in REFERENCE["charts"]}
COUNTS = {"p": charts.p_chart, "np": charts.np_chart, "u": charts.u_chart, "p_prime": charts.p_prime_chart,
          "u_prime": charts.u_prime_chart}  # fmt: skip
VALUES = {"c": charts.c_chart, "xmr": charts.xmr_chart, "mr": charts.xmr_chart, "xmr_exact": charts.xmr_chart,
          "run": charts.run_chart, "g": charts.g_chart, "t": charts.t_chart}  # fmt: skip
MEMORY = {"ewma": charts.ewma_chart, "cusum": charts.cusum_chart}
ALL_RULES = [
    "beyond_limits", "run_of_nine", "trend_of_six", "fourteen_alternating", "two_of_three", "four_of_five",
    "fifteen_inside", "eight_outside", "run_of_eight",
]  # fmt: skip


def chart_of(case):
    kind, options = case["chart"], dict(case["options"])
    own = ("narrow", "screened", "estimator", "standards", "weight", "width", "shift", "limit")
    extra = {name: case[name] for name in own if name in case}
    if "groups" in case:
        groups = [np.array(g) for g in case["groups"]]
        means, sizes, sds = [g.mean() for g in groups], [len(g) for g in groups], [g.std(ddof=1) for g in groups]
        if kind in MEMORY:
            return MEMORY[kind](means, **extra, **options)
        return charts.xbar_s_chart(means, sizes, sds, rules=ALL_RULES, **extra, **options)
    if kind in COUNTS:
        return COUNTS[kind](case["values"], case["n"], rules=ALL_RULES, **extra, **options)
    if kind in MEMORY:
        return MEMORY[kind](case["values"], **extra, **options)
    rules = {} if kind == "run" else {"rules": ALL_RULES}
    return VALUES[kind](case["values"], **rules, **extra, **options)


@pytest.mark.parametrize("name", list(CASES))
def test_centre_and_limits(name):
    case = CASES[name]
    chart = chart_of(case)
    table = chart.spread if case["chart"] in ("s", "mr") else chart.table
    half = 1.0
    if case["chart"] == "xmr_exact":  # SAS divides by d2 = 1.128379, we by the books' 1.128: limits 0.03 % wider
        half = 1.128 / 1.1283791671
    for column, published in case["limits"].items():
        expected = np.broadcast_to(np.array(published, dtype=float), len(table))
        got = table["center"] + half * (table[column] - table["center"])
        counts = chart.table["value"].notna() & ~chart.table["excluded"]
        if len(expected) == len(counts):
            got, expected = got[counts], expected[counts]
        np.testing.assert_allclose(got, expected, rtol=case.get("tolerance", 1e-6), atol=1e-9)


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if "signals" in c])
def test_signals(name):
    case = CASES[name]
    chart = chart_of(case)
    if case["chart"] in ("s", "mr"):
        got = (np.flatnonzero(chart.spread["beyond"]) + 1).tolist()
        assert got == case["signals"]["beyond_limits"]
        return
    excluded = case["options"].get("exclude", [])
    for rule, published in case["signals"].items():
        marks = chart.table[rule]
        if name.startswith("qcc"):  # qcc drops excluded points before it counts positions
            marks = marks[~chart.table["excluded"]].reset_index(drop=True)
        else:  # qicharts2 judges excluded points, too; here a known cause is not a signal
            published = [i for i in published if i not in excluded]  # noqa: PLW2901
        assert (np.flatnonzero(marks) + 1).tolist() == published, rule


def test_the_sums_of_a_cusum_chart_and_its_signals():
    for name, case in CASES.items():
        if case["chart"] == "cusum":
            table = chart_of(case).table
            np.testing.assert_allclose(table["up"], case["up"], atol=1e-8, err_msg=name)
            np.testing.assert_allclose(table["down"], case["down"], atol=1e-8, err_msg=name)


def test_nist_ewma_and_cusum():
    ewma, cusum = REFERENCE["nist"]["ewma"], REFERENCE["nist"]["cusum"]
    table = charts.ewma_chart(ewma["x"], weight=ewma["lambda"], standards=(ewma["ewma0"], ewma["s"])).table
    np.testing.assert_allclose(table["value"], ewma["ewma"], atol=0.006)  # NIST rounds at every step
    assert table["ucl"].iloc[-1] == pytest.approx(
        ewma["ucl"], abs=1e-4
    )  # NIST's limits are the ones in the long run
    assert table["lcl"].iloc[-1] == pytest.approx(ewma["lcl"], abs=1e-4)
    sigma = cusum["k"] / 0.5
    chart = charts.cusum_chart(
        cusum["x_printed_2dp"], standards=(cusum["target"], sigma), limit=cusum["h"] / sigma, shift=1
    )
    np.testing.assert_allclose(chart.table["up"] * sigma, cusum["s_hi_from_printed"], atol=0.006)
    assert chart.signals["period"].iloc[0] == cusum["first_signal_1based"]


def test_laney_sigma_z_of_the_nhs_accidents():
    case = CASES["qicharts2 nhs_accidents_pprime"]
    assert chart_of(case).sigma_z == pytest.approx(case["sigma_z"], rel=1e-6)
    assert chart_of(CASES["qicharts2 nhs_accidents_p"]).table["beyond_limits"].sum() == 16


def test_anhoej_finds_the_run_of_fourteen_months():
    chart = chart_of(CASES["qicharts2 cdi_run"])
    assert set(chart.signals["rule"]) == {"long_run", "few_crossings"}


def test_laney_limits_are_not_narrowed_unless_asked():
    case = CASES["qicharts2 tbl7.4_pprime"]
    chart = charts.p_prime_chart(case["values"], case["n"])
    assert chart.sigma_z == 1.0
    np.testing.assert_allclose(
        chart.table["ucl"], CASES["qicharts2 tbl7.4_p_variable_n"]["limits"]["ucl"], rtol=1e-6
    )


def test_qcc_draws_one_centre_for_standard_deviations_of_any_size_and_we_draw_one_per_size():
    case = CASES["qcc pistonrings_var_xbar_UWAVE_SD"]
    spread = chart_of(case).spread
    sigma = 0.010131648015  # qcc, UWAVE-SD
    sizes = np.array([len(g) for g in case["groups"]])
    np.testing.assert_allclose(spread["center"], sigma * limits.c4(sizes), rtol=1e-9)
    # qcc: centre 0.009295793361, upper limits for 3 and 4 values 0.023376292988 and 0.021113668001
    np.testing.assert_allclose(spread["ucl"][:2] - spread["center"][:2],
                               np.array([0.023376292988, 0.021113668001]) - 0.009295793361, rtol=1e-6)  # fmt: skip


@pytest.mark.parametrize(("n", "c4", "b3", "b4"), REFERENCE["c4"])
def test_constants(n, c4, b3, b4):
    got = float(limits.c4(n))
    half = 3 * np.sqrt(1 - got**2) / got
    np.testing.assert_allclose([got, max(1 - half, 0), 1 + half], [c4, b3, b4], rtol=1e-8)


@pytest.mark.parametrize(("name", "values", "n"), [
    ("orangejuice_binomial", "qcc orangejuice_p_phase1", 50), ("pcmanufact_poisson", "qcc pcmanufact_u", 5),
    ("circuit_poisson", "qcc circuit_c_phase1", 1),
])  # fmt: skip
def test_dispersion(name, values, n):
    case = CASES[values]
    chart = charts.p_chart if case["chart"] == "p" else charts.u_chart
    z = chart(case["values"], n).table["z"].to_numpy()
    ratio, p = limits.dispersion(z, np.ones(len(z), bool))
    expected_ratio, _, expected_p = REFERENCE["dispersion"][name]
    assert ratio == pytest.approx(expected_ratio, rel=1e-6)
    assert p == pytest.approx(expected_p, rel=1e-3)


NHS = REFERENCE["nhsr"]["cases"]


def ptd_chart(name):
    """The plot-the-dots chart of a case: moving ranges screened, better up unless said, target as its name says."""
    case = NHS[name]
    values = case["y"]
    target = {"target_above_upl_increase": 60, "target_below_lpl_increase": 40, "target_above_upl_decrease": 60,
              "fix_after_12": 60}.get(name, 52)  # fmt: skip
    metric = Metric(
        name="y", kind="mean", better="down" if "decrease" in name else "up", targets=(Target(value=target),)
    )
    groups = case["rebase_group"]
    phases = [{"start": i + 1} for i in range(1, len(groups)) if groups[i] != groups[i - 1]]
    return charts.xmr_chart(
        values, metric=metric, rules="plot_the_dots", screened=name != "screen_outliers_off", phases=phases,
        baseline=12 if name == "fix_after_12" else None,
    )  # fmt: skip


@pytest.mark.parametrize("name", list(NHS))
def test_plot_the_dots(name):
    """NHSRplotthedots 0.2.2: its mean (of each part), limits 2.66 mean moving ranges away, and special causes.

    It divides by 1.128 through 2.66 (3 / 1.128 = 2.6596), and marks every point of a pattern where we mark from the
    one that completes it.
    """
    case, chart = NHS[name], ptd_chart(name)
    last = chart.table.groupby("phase").last()
    np.testing.assert_allclose(last["center"], np.atleast_1d(case["mean"]), rtol=1e-9)
    half = np.atleast_1d(case["upl"]) - np.atleast_1d(case["mean"])
    np.testing.assert_allclose(last["ucl"] - last["center"], half / 2.66 * 3 / 1.128, rtol=1e-6)
    marked = np.zeros(len(case["y"]), dtype=bool)
    for rule, length in (
        ("beyond_limits", 1),
        ("run_of_seven", 7),
        ("trend_of_seven", 7),
        ("two_of_three_same_side", 3),
    ):
        for end in np.flatnonzero(chart.table[rule]):
            window = np.arange(end - length + 1, end + 1)
            if rule == "two_of_three_same_side":
                window = window[np.abs(chart.table["z"].iloc[window]) > 2]
            marked[window] = True
    assert marked.tolist() == [label != "" for label in case["labels"]]


def test_plot_the_dots_target_is_read_from_the_last_part():
    verdicts = {"consistent_pass": "always", "consistent_fail": "never", "inconsistent": "hit and miss"}
    for name in ("common_cause_target_inside", "target_above_upl_increase", "target_below_lpl_increase",
                 "target_above_upl_decrease", "rebased", "fix_after_12"):  # fmt: skip
        assert ptd_chart(name).assurance["verdict"] == verdicts[NHS[name]["assurance"]], name
