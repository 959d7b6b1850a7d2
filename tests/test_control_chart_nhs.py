"""Real data with a real season: accident and emergency attendances in England, 2016 to 2019 (NHS England, OGL v3).

The default chart was chosen with these data among others, so this checks the code, not the method.
"""

from pathlib import Path

import pandas as pd
import pytest

from rca.charts import xmr_chart
from rca.control_chart import control_chart
from rca.cube import Cube
from rca.metric import Metric
from rca.screen import screen

DATA = Path(__file__).parents[2] / "shared" / "data" / "nhs_ae_attendances.csv.gz"
BREACHES = Metric(name="breaches", kind="proportion", better="down", cases="attendances")
KNOWN = {"RNA": "worse", "RBZ": "worse", "RJ6": "worse", "RXC": "better"}


@pytest.fixture(scope="module")
def attendances():
    if not DATA.exists():
        pytest.skip("the NHS attendances are not beside the checkout (shared/data)")
    return pd.read_csv(DATA, dtype={"type": str}).rename(columns={"attendances": "n", "breaches": "total"})


@pytest.fixture(scope="module")
def major(attendances):
    """Type 1 departments that report all 36 months."""
    rows = attendances[attendances["type"] == "1"]
    return Cube(
        rows[rows.groupby("org_code")["period"].transform("size") == 36], BREACHES, by=["org_code"], period="M"
    )


@pytest.fixture(scope="module")
def total(attendances):
    return Cube(attendances[attendances["type"] == "1"], BREACHES, period="M")


def test_no_month_of_england_is_special_once_winter_is_known(attendances):
    england = Cube(attendances, BREACHES, period="M")
    chart = control_chart(england)
    assert (chart.season, len(chart.signals), chart.level_change) == ("yearly", 0, None)
    table = xmr_chart(england).table
    winters = table.loc[table["beyond_limits"], "period"].dt.strftime("%Y-%m").tolist()
    assert winters == ["2017-01", "2017-12", "2018-01", "2018-02", "2018-03", "2019-01", "2019-02"]


@pytest.mark.parametrize("provider", list(KNOWN))
def test_the_level_test_names_the_providers_that_changed(major, total, provider):
    chart = control_chart(major.where({"org_code": provider}), season=total)
    assert chart.status == KNOWN[provider]
    assert chart.level_change is not None


def test_limits_of_the_first_year_flag_those_four_and_few_others(major, total):
    """Months 13 to 36 against limits of months 1 to 12, the national season taken off."""
    year = ["2016-04-01", "2017-03-31"]
    flagged, plain = {}, set()
    for provider in major.frame["org_code"].unique():
        cube = major.where({"org_code": provider})
        chart = control_chart(cube, baseline=year, season=total, rules="beyond_limits")
        if len(chart.signals):
            flagged[provider] = set(chart.signals["judgement"])
        if len(xmr_chart(cube, baseline=year, rules="beyond_limits").signals):
            plain.add(provider)
    providers = major.frame["org_code"].nunique()
    assert providers == 130
    assert {p: flagged[p] for p in KNOWN} == {p: {judgement} for p, judgement in KNOWN.items()}
    assert len(flagged) / providers <= 0.20
    assert len(plain) / providers >= 0.75


def test_the_screen_names_at_most_a_fifth(major):
    table = screen(major, "org_code", season="total").table.set_index("org_code")
    named = table[table["variation"].isin(["worse", "better"])]
    assert len(named) / len(table) <= 0.20
    assert named["variation"][["RNA", "RJ6", "RXC"]].tolist() == ["worse", "worse", "better"]
