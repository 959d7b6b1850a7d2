"""`rca actions`: what is open and overdue by owner, and drafts for findings that nobody acts on yet."""

import csv
import io

import pandas as pd
import pytest
from studies import write_study
from test_cli import said
from test_site import COMMON, FINDING, RECORD

from rca.batch.actions import actions
from rca.batch.plan import plan
from rca.batch.record import write_json
from rca.errors import InputError

ACTIONS = """action_id,title,owner,vendor,metric,segment,due,status,effective,expected_effect
A-1,Coach MX,Quality lead,South,late,market=MX,2026-11-06,open,,-0.02
A-2,New roster,Planner,,,,2026-12-01,open,,
A-3,Old fix,Planner,North,late,market=MX,2026-03-01,done,2026-03-02,
"""
ON = "2026-11-15"


@pytest.fixture
def study(tmp_path):
    """The fixture study with a table of actions, and findings in the folders of all its runs."""
    path = write_study(tmp_path)
    with (tmp_path / "cases.yml").open("a") as contract:
        contract.write("actions: actions.csv\n")
    (tmp_path / "actions.csv").write_text(ACTIONS)
    (one,) = plan([path], tmp_path / "outputs")
    for run in one.runs:
        run.folder.mkdir(parents=True)
        better = {**FINDING, "segment": "market=BR", "where": {"market": "BR"}, "direction": "better"}
        record = {**RECORD, "scope": run.scope, "findings": [FINDING, better], "common": [COMMON]}
        write_json(run.folder / "findings.json", record)
    return path


def drafted(text):
    return list(csv.DictReader(io.StringIO(text.partition("table of actions.\n")[2])))


def test_open_actions_are_listed_by_owner_with_what_is_overdue(study):
    lines = actions(study, study.parent / "outputs", ON, None).splitlines()
    assert lines[:5] == [
        "Planner",
        "  A-2  New roster: open, due 1 Dec 2026",
        "Quality lead",
        "  A-1  Coach MX (vendor South): 9 days overdue, due 6 Nov 2026",
        "2 open actions, 1 overdue on 15 Nov 2026.",
    ]


def test_a_draft_for_each_finding_that_nobody_acts_on(study):
    """South has an open action on it, North's was done long before; what is common is drafted once, for all."""
    found = drafted(actions(study, study.parent / "outputs", ON, None))
    assert [(row["vendor"], row["segment"]) for row in found] == [
        ("East & <West>", "market=MX"),
        ("", ""),
        ("North", "market=MX"),
        ("Tiny", "market=MX"),
    ]
    assert found[0]["title"] == "Find and set right: Market MX: late 5.0 % → 9.0 %"
    assert found[1]["title"] == "Find and set right: All cases: late, common to all"
    assert {(row["owner"], row["due"]) for row in found} == {("", "")}  # left to a person
    assert list(found[0]) == ACTIONS.splitlines()[0].split(",")
    assert found[0]["expected_effect"] == "-0.04"


def test_a_draft_with_owner_and_date_is_a_valid_action_and_is_not_drafted_again(study):
    where = study.parent / "drafts.csv"
    actions(study, study.parent / "outputs", ON, where)
    frame = pd.read_csv(where, dtype=str, keep_default_na=False).assign(owner="Planner", due="2026-12-11")
    old = pd.read_csv(study.parent / "actions.csv", dtype=str, keep_default_na=False)
    pd.concat([old, frame]).to_csv(study.parent / "actions.csv", index=False)
    text = actions(study, study.parent / "outputs", ON, None)
    assert "6 open actions" in text
    assert "draft" not in text
    (study.parent / "actions.csv").write_text(ACTIONS)
    with pytest.raises(InputError, match="drafts go to a new file"):  # never into a table that is there
        actions(study, study.parent / "outputs", ON, study.parent / "actions.csv")
    assert (study.parent / "actions.csv").read_text() == ACTIONS


def test_the_command_takes_a_study_or_a_source_and_names_mistakes(study):
    contract = study.with_name("cases.yml")
    code, out, _ = said("actions", contract, "--on", ON)
    assert (code, out.splitlines()[-1]) == (0, "2 open actions, 1 overdue on 15 Nov 2026.")
    (study.parent / "actions.csv").write_text(ACTIONS.replace("Quality lead", ""))
    code, _, err = said("actions", study, "--on", ON)
    assert code == 2
    assert err.endswith("actions.csv, row 1 of the data: owner is empty.\n")
    assert said("check", study)[2] == err  # before anything runs
    with pytest.raises(InputError, match="'Sunday' is no day"):
        actions(study, study.parent, "Sunday", None)
    with pytest.raises(InputError, match=r"no study or source.*Did you mean 'study.yml'"):
        actions(study.with_name("studi.yml"), study.parent, ON, None)
