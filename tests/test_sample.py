"""The sample marketplace: deterministic, plausible, and stationary where nothing is planted."""

import json

import numpy as np
import pandas as pd
import pytest
from sampled import BUG, DIMENSIONS, METRICS, VENDORS, measured, of, sample
from scipy import stats

from rca.errors import InputError
from rca.sample import make_marketplace, write_marketplace


def test_frames_are_what_an_operation_has():
    cases = sample().cases
    assert len(cases) == 200_000
    assert cases["case_id"].is_unique
    assert cases["opened_at"].is_monotonic_increasing
    assert cases["opened_at"].min().normalize() == pd.Timestamp("2026-02-09")
    assert cases["opened_at"].max().normalize() == pd.Timestamp("2026-11-15")
    assert cases.drop(columns="csat").notna().all(axis=None)
    volumes = cases["vendor"].value_counts()
    assert sorted(volumes.index) == VENDORS
    assert volumes.between(19_000, 31_000).all()
    assert cases.groupby("vendor")["market"].nunique().between(3, 5).all()
    days = pd.crosstab(cases["vendor"], cases["opened_at"].dt.normalize())
    assert days.shape == (8, 280)
    assert (days > 0).all(axis=None)
    assert {column: str(dtype) for column, dtype in cases.dtypes.items()} == {
        "case_id": "str", "opened_at": "datetime64[us]", "vendor": "str", "market": "str", "channel": "str",
        "language": "str", "issue_type": "str", "issue_subtype": "str", "sop": "str", "sop_version": "str",
        "agent": "str", "tenure_days": "int32", "shift": "str", "queue_seconds": "int32",
        "handling_seconds": "int32", "first_response_in_target": "bool", "csat": "Int8", "resolved": "bool",
        "escalated": "bool", "customer": "str",
    }  # fmt: skip


def test_fields_of_a_case_agree_with_each_other():
    cases = sample().cases
    target = cases["channel"].map({"chat": 60, "email": 14_400, "phone": 120, "social": 1_800})
    assert ((cases["queue_seconds"] <= target) == cases["first_response_in_target"]).all()
    hour = cases["opened_at"].dt.hour
    assert (cases["shift"] == np.select([hour < 8, hour < 16], ["night", "day"], "evening")).all()
    one = cases.groupby("market")["language"].nunique()
    assert (one == 1).all()
    assert (cases.groupby("issue_subtype")[["issue_type", "sop"]].nunique() == 1).all(axis=None)
    hired = cases["opened_at"].dt.normalize() - pd.to_timedelta(cases["tenure_days"], "D")
    assert (hired.groupby(cases["agent"]).nunique() == 1).all()
    assert (cases.groupby("agent")["vendor"].nunique() == 1).all()
    assert (cases["customer"].str[:2] == cases["market"]).all()
    assert cases["csat"].dropna().isin(range(1, 6)).all()
    third_version = cases[cases["sop_version"] == "v3"]
    assert third_version.groupby("sop")["opened_at"].min().dt.strftime("%Y-%m-%d").to_dict() == {
        "SOP-104": "2026-09-21", "SOP-105": "2026-04-13", "SOP-110": "2026-07-13", "SOP-113": "2026-10-19",
    }  # fmt: skip


def test_nobody_is_named():
    made = sample()
    assert made.cases["agent"].str.fullmatch(r"[A-Z]{3}-\d{3}").all()
    assert made.cases["customer"].str.fullmatch(r"[A-Z]{2}-\d{6}").all()
    assert set(made.actions["owner"]) == {"Quality lead", "SOP lead", "Training lead", "Workforce planner"}


def test_levels_are_those_of_a_usual_operation():
    cases = measured(sample(planted=False).cases)
    levels = cases[METRICS].mean()
    assert levels["csat"] == pytest.approx(0.85, abs=0.01)
    assert levels["service_level"] == pytest.approx(0.82, abs=0.01)
    assert levels["handling_time"] == pytest.approx(545, rel=0.03)
    assert levels["escalation_rate"] == pytest.approx(0.05, abs=0.005)
    assert cases["resolved"].mean() == pytest.approx(0.92, abs=0.01)
    answered = cases["satisfied"].notna()
    assert answered.mean() == pytest.approx(1 / 3, abs=4 * np.sqrt(2 / 9 / len(cases)))
    assert stats.chi2_contingency(pd.crosstab(cases["week"], answered)).pvalue > 0.001
    assert stats.chi2_contingency(pd.crosstab(cases["escalated"], answered)).pvalue > 0.001
    tenure = cases.groupby("vendor")["tenure"].value_counts(normalize=True).unstack()
    assert tenure["0-29"].between(0.07, 0.09).all()
    assert tenure["30-89"].between(0.14, 0.17).all()
    slow = cases.groupby("tenure")["handling_time"].mean()
    assert 1.2 < slow["0-29"] / slow["90+"] < 1.35
    assert cases.groupby(["vendor", "week"])["agent"].nunique().between(30, 75).all()
    repeats = cases["customer"].duplicated().mean()
    assert 0.1 < repeats < 0.4


def test_without_causes_nothing_moves():
    """80 p-values, of volume, shares and metrics of 8 vendors over 40 weeks, should be uniform."""
    p_values = []
    for vendor in VENDORS:
        cases = of(vendor, planted=False)
        p_values.append(stats.chisquare(cases["week"].value_counts()).pvalue)
        p_values += [stats.chi2_contingency(pd.crosstab(cases["week"], cases[d])).pvalue for d in DIMENSIONS]
        for metric in METRICS:
            weeks = [values.dropna() for _, values in cases.groupby("week")[metric]]
            p_values.append(stats.f_oneway(*weeks).pvalue)
    assert len(p_values) == 80
    assert min(p_values) > 0.05 / 80 / 5
    assert stats.kstest(p_values, "uniform").pvalue > 0.01


def test_the_same_seed_gives_the_same_frames_and_bytes(tmp_path):
    small = {"cases": 3_000, "weeks": 12}
    one, two, other = make_marketplace(1, **small), make_marketplace(1, **small), make_marketplace(2, **small)
    pd.testing.assert_frame_equal(one.cases, two.cases)
    assert not one.cases.drop(columns="case_id").equals(other.cases.drop(columns="case_id"))
    folders = [write_marketplace(tmp_path / name, seed, **small) for name, seed in (("a", 1), ("b", 1), ("c", 2))]
    files = ["actions.csv", "cases.parquet", "events.csv", "truth.json"]
    a, b, c = ({f.name: f.read_bytes() for f in sorted(folder.iterdir())} for folder in folders)
    assert list(a) == files
    assert a == b
    assert a["cases.parquet"] != c["cases.parquet"]


def test_files_read_back(tmp_path):
    made = make_marketplace(cases=500)
    folder = write_marketplace(tmp_path / "deep" / "sample", cases=500)
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "cases.parquet"), made.cases)
    assert json.loads((folder / "truth.json").read_text()) == made.truth
    events = pd.read_csv(folder / "events.csv", parse_dates=["start", "end"])
    bug = events.set_index("event_id").loc["INC-552"]
    assert (bug["kind"], bug["start"], bug["end"]) == ("tool_bug", *map(pd.Timestamp, BUG))
    assert events["kind"].isin(["sop_update", "tool_bug", "release", "campaign"]).all()
    actions = pd.read_csv(folder / "actions.csv", parse_dates=["due", "effective"]).set_index("action_id")
    overdue = actions[(actions["status"] == "open") & (actions["due"] <= "2026-11-15")]
    assert overdue["vendor"].tolist() == ["Cedar"]
    assert actions.loc[["A-19", "A-22"], "effective"].tolist() == [
        pd.Timestamp("2026-09-21"),
        pd.Timestamp("2026-10-12"),
    ]


def test_fewer_weeks_end_on_the_same_day():
    cases = make_marketplace(causes=[], cases=2_000, weeks=4).cases
    days = cases["opened_at"].dt.normalize()
    assert (days.min(), days.max()) == (pd.Timestamp("2026-10-19"), pd.Timestamp("2026-11-15"))


def test_an_empty_sample_is_refused():
    with pytest.raises(InputError, match="at least 1 case and 1 week, got cases=0"):
        make_marketplace(cases=0)
