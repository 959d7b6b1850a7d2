"""Capability indices against R's qcc and the NIST handbook; withheld where they would mislead."""

import json
from pathlib import Path

import numpy as np
import pytest

from rca.capability import capability, indices
from rca.charts import xmr_chart
from rca.errors import InputError

REFERENCE = json.loads((Path(__file__).parent / "reference" / "control_charts.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", list(REFERENCE["capability"]))
def test_indices_and_intervals_are_those_of_qcc(name):
    case = REFERENCE["capability"][name]
    lower, upper = case["limits"]
    found = indices(case["center"], case["sigma"], case["overall"], case["n"], lower, upper).set_index("index")
    checked = 0
    for index, expected in case["indices"].items():
        if index in ("Cpm", "Ppm") or expected[0] is None:  # Cpm needs a target value, which is another question
            continue
        np.testing.assert_allclose(found.loc[index.replace("_", "")], expected, rtol=1e-8)
        checked += 1
    assert checked == len(found) == (4 if lower is None else 8)


def test_nist_handbook():
    case = REFERENCE["nist"]["capability"]
    found = indices(case["mean"], case["s"], case["s"], 100, case["lsl"], case["usl"]).set_index("index")["value"]
    np.testing.assert_allclose(
        found[["Cp", "Cpk", "Cpu", "Cpl"]], [case[k] for k in ("cp", "cpk", "cpu", "cpl")], atol=1e-4
    )


def steady(count=80):
    return np.random.default_rng(6).normal(50, 2, count)


def test_from_a_chart():
    values = steady()
    result = capability(xmr_chart(values), upper=58)
    cpk = (58 - values.mean()) / (3 * np.abs(np.diff(values)).mean() / 1.128)
    assert result.facts["cpk"] == pytest.approx(cpk)
    assert result.facts["cp"] is None
    assert "below 58.0; Cpk" in result.headline


def test_withheld_while_the_process_is_not_steady():
    values = steady()
    values[40:] += 8
    result = capability(xmr_chart(values), upper=70)
    assert result.table.empty
    assert "not stated, since the process is not steady" in result.headline


def test_withheld_for_few_values_and_for_constant_ones():
    assert "30 values are too few (at least 50)" in capability(xmr_chart(steady(30)), upper=70).headline
    assert "the values do not vary" in capability(xmr_chart([5.0] * 60), upper=70).headline


@pytest.mark.parametrize(
    ("limits", "message"), [({}, "needs a limit"), ({"lower": 5, "upper": 5}, "must be below upper")]
)
def test_limits_that_make_no_sense(limits, message):
    with pytest.raises(InputError, match=message):
        capability(xmr_chart(steady()), **limits)
