"""The partner pack: this vendor's rows and report, nothing of another vendor, no personal value, nothing that runs."""

import dataclasses
import datetime as dt
import json
import os

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packs import notebook_of, png, record_of, run_of, source_of, texts
from studies import write_study

from rca.batch import pack
from rca.batch.batch import Options, reason, run_studies, tasks_of
from rca.batch.key import data_of, inputs_of
from rca.batch.pack import bare_png, fill, raw_data
from rca.batch.plan import plan
from rca.batch.progress import Quiet
from rca.batch.pseudonym import SECRET, secret
from rca.batch.record import read_findings
from rca.batch.workbook import write_workbook
from rca.errors import InputError

EXAMPLES = int(os.environ.get("RCA_EXAMPLES", "10"))  # marketplaces whose packs are searched
HOSTILE = [
    "",
    "../",
    "CON ",
    "=cmd|' /C calc'!A0 ",
    "<script>alert(1)</script>",
    "--><!-- ",
    '"><img src=x>',
    "{{7*7}}",
]
HOSTILE += [
    "\u202e",
    "😀",
    "'; drop table cases; --",
    "&amp;",
    "\t@SUM(1)",
    'a, "b"\n',
    "\x07",
    "\uffff",
    "x" * 300,
]


def filled(folder, everyone, vendor, hidden, issue="refund", **study):
    """The pack of a vendor; its notebook holds the hidden texts wherever a partner must not see them."""
    run = run_of(folder, vendor, **study)
    record = record_of(everyone.only({"vendor": vendor}), issue)
    folder.mkdir(exist_ok=True)
    fill(run.pack, run, everyone, notebook_of(everyone, vendor, hidden, record), read_findings(record))
    return run.pack


def cells(path):
    return {sheet.title: [list(row) for row in sheet.iter_rows()] for sheet in openpyxl.load_workbook(path)}


@st.composite
def marketplaces(draw):
    """A few cases of a few vendors. Each value is a hostile text with a number that occurs nowhere else."""
    number = iter(range(1000, 9999))

    def names(count):
        return [
            f"{draw(st.sampled_from(HOSTILE))}{draw(st.text(max_size=6))}zq{next(number)}" for _ in range(count)
        ]

    vendors, agents, customers, issues = names(draw(st.integers(2, 4))), names(4), names(4), names(3)
    size = draw(st.integers(len(vendors), 12))
    pick = lambda values: [*values, *(draw(st.sampled_from(values)) for _ in range(size))][:size]  # noqa: E731
    vendor = pick(vendors)
    return pd.DataFrame(
        {
            "case_id": [f"{v} {i}" for i, v in enumerate(vendor)],
            "opened_at": pd.date_range("2026-01-05", periods=size),
            "vendor": vendor,
            "issue": [f"{issue} of {v}" for issue, v in zip(pick(issues), vendor, strict=True)],
            "agent": pick(agents),
            "customer": pick(customers),
            "note": names(size),
            "late": draw(st.lists(st.integers(0, 1), min_size=size, max_size=size)),
        }
    )


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(frame=marketplaces(), keyed=st.booleans())
def test_a_pack_holds_no_value_of_another_vendor_and_no_personal_one(frame, keyed, tmp_path_factory):
    """Every file, sheet, attribute, comment and picture is searched for the numbers of what must not be there."""
    folder, vendor = tmp_path_factory.mktemp("pack"), frame["vendor"].iloc[0]
    own = frame[frame["vendor"] == vendor]
    others = frame[frame["vendor"] != vendor]
    hidden = {*others["vendor"], *frame["agent"], *frame["customer"], *frame["note"], "contract-folder"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SECRET, "sixteen letters!" if keyed else "")
        made = filled(folder, source_of(frame), vendor, sorted(hidden), issue=own["issue"].iloc[0])
    marks = [text[-6:].encode() for text in hidden]
    for place, content in texts(made):
        assert not [mark for mark in marks if mark in content], place
    assert sum(vendor[-6:].encode() in content for _, content in texts(made)) >= 3  # its own are there
    data = cells(made / "data.xlsx")["Data"]
    assert len(data) == len(own) + 1
    assert ("agent" in [cell.value for cell in data[0]]) is keyed
    assert not [
        c for sheet in cells(made / "data.xlsx").values() for row in sheet for c in row if c.data_type == "f"
    ]


FRAME = pd.DataFrame(
    {
        "case_id": ["C1", "C2", "C3", "C4"],
        "opened_at": pd.to_datetime(["2026-01-06", "2026-01-05", "2026-01-07", "2026-01-08"]),
        "vendor": ["Andes", "Andes", "Baltic Bay", "R&D"],
        "issue": ["refund", "=1+1", "refund", "refund"],
        "agent": ["Bo", "Ann", "Bo", "Bo"],
        "customer": [11, 12, 11, 13],
        "note": "internal",
        "late": [1, 0, 1, 0],
    }
)


def test_the_workbook_has_a_summary_definitions_and_the_rows_in_order(tmp_path, monkeypatch):
    monkeypatch.delenv(SECRET, raising=False)
    sheets = cells(filled(tmp_path / "Andes", source_of(FRAME), "Andes", []) / "data.xlsx")
    values = {name: [[c.value for c in row] for row in rows] for name, rows in sheets.items()}
    assert list(values) == ["Summary", "Definitions", "Data"]
    assert values["Data"] == [
        ["case_id", "opened_at", "vendor", "issue", "late"],
        ["C2", dt.datetime(2026, 1, 5), "Andes", "=1+1", 0],
        ["C1", dt.datetime(2026, 1, 6), "Andes", "refund", 1],
    ]
    assert ["Late", "KPI", "share of cases that were late"] in values["Definitions"]
    assert ["Result", "Late cases rose by 2 points."] in [row[:2] for row in values["Summary"]]
    assert ["Late", "9.0 %", "target 5 %", "2.0 points higher"] in [row[:4] for row in values["Summary"]]
    formula = sheets["Data"][1][3]
    assert (formula.data_type, formula.quotePrefix) == ("s", True)  # stays text also when somebody edits it


def test_the_same_inputs_give_the_same_bytes(tmp_path):
    first, second = (filled(tmp_path / name, source_of(FRAME), "Andes", []) for name in ("one", "two"))
    for name in ("report.html", "data.xlsx"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_pseudonyms_tell_persons_apart_within_a_vendor_and_not_across(monkeypatch):
    monkeypatch.setenv(SECRET, "short")
    with pytest.raises(InputError, match="16 characters or more"):
        secret()
    everyone, found = source_of(FRAME), {}
    for vendor in ("Andes", "Baltic Bay", "R&D"):
        columns, rows = raw_data(everyone.only({"vendor": vendor}), b"sixteen letters!")
        found[vendor] = pd.DataFrame(rows, columns=columns)
    assert found["Andes"]["agent"].nunique() == found["Andes"]["customer"].nunique() == 2
    bo = [found["Andes"]["agent"][1], found["Baltic Bay"]["agent"][0], found["R&D"]["agent"][0]]
    assert len(set(bo)) == 3
    assert found["Baltic Bay"]["agent"][0] != found["Baltic Bay"]["customer"][0]
    columns, rows = raw_data(everyone.only({"vendor": "Andes"}), b"another secret!!")
    assert pd.DataFrame(rows, columns=columns)["agent"][1] != bo[0]


def test_a_pack_that_would_name_another_vendor_is_refused(tmp_path):
    for changed, says in (
        ({"issue": ["Moved to Baltic-Bay", "x", "x", "x"]}, "column issue would name another vendor .'Moved to"),
        ({"issue": ["r&d", "x", "x", "x"]}, "column issue"),
    ):
        with pytest.raises(InputError, match=says):
            filled(tmp_path / "Andes", source_of(FRAME.assign(**changed)), "Andes", [])
    with pytest.raises(InputError, match="the study would name another vendor"):
        filled(tmp_path / "Andes", source_of(FRAME), "Andes", [], title="Andes beside Baltic Bay")
    assert not list(tmp_path.glob("Andes/*"))
    frame = FRAME.assign(vendor=["North Star", "North Star", "North", "R&D"], issue="asked by North Star")
    assert filled(tmp_path / "North-Star", source_of(frame), "North Star", []).exists()  # its own name, not North's
    closed = source_of(FRAME.assign(issue="Baltic Bay"), dimensions=["vendor"], internal=["note", "issue"])
    columns, _ = raw_data(closed.only({"vendor": "Andes"}), None)
    assert "issue" not in columns


def test_a_report_about_an_action_is_for_no_partner(tmp_path):
    """Its scope limits no cases: a pack would hold those of all vendors."""
    run = dataclasses.replace(run_of(tmp_path, "Andes"), scope={"action": "A-1"})
    with pytest.raises(InputError, match="no pack: a report about an action"):
        fill(tmp_path / "pack", run, source_of(FRAME), {}, read_findings(record_of(source_of(FRAME), "refund")))
    assert not (tmp_path / "pack").exists()


def test_the_median_of_others_is_told_only_where_they_are_many(tmp_path):
    """Shares of late cases are 0, .1, .2, .3, .4 at five others, the vendor's own is 1."""
    rows = [(f"V{v}", i, i < 10 * (v - 1)) for v in range(1, 6) for i in range(100)] + [
        ("Own", i, True) for i in range(100)
    ]
    frame = pd.DataFrame(rows, columns=["vendor", "case_id", "late"])
    frame = frame.assign(
        opened_at=pd.Timestamp("2026-10-05"), issue="x", agent="a", customer=1, note="", late=frame["late"] * 1
    )
    for vendors, shown in (
        (["Own", "V1", "V2", "V3", "V4", "V5"], "20.0 %"),
        (["Own", "V1", "V2", "V3", "V4"], None),
    ):
        part = frame[frame["vendor"].isin(vendors)]
        made = filled(tmp_path / str(len(vendors)), source_of(part), "Own", [], issue="x", peer_median=True)
        summary = [[c.value for c in row] for row in cells(made / "data.xlsx")["Summary"]]
        (late,) = (row for row in summary if row[:2] == ["Late", "9.0 %"])
        assert (late[5] or None) == shown
        assert any("Median of others" in row for row in summary) is (shown is not None)


def test_more_rows_than_a_sheet_holds_go_into_a_csv_file(tmp_path, monkeypatch):
    monkeypatch.setattr(pack, "MOST_ROWS", 1)
    made = filled(tmp_path / "Andes", source_of(FRAME), "Andes", [])
    lines = (made / "data.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines == [
        "case_id,opened_at,vendor,issue,late",
        "C2,2026-01-05 00:00:00,Andes,'=1+1,0",
        "C1,2026-01-06 00:00:00,Andes,refund,1",
    ]
    assert cells(made / "data.xlsx")["Data"][1][0].value == "2 cases are more than a sheet holds: see data.csv."


def test_cells_that_excel_cannot_hold_become_text_or_stay_empty(tmp_path):
    row = [
        2**60,
        float("nan"),
        float("inf"),
        dt.date(1815, 6, 18),
        dt.datetime(2026, 1, 5, tzinfo=dt.UTC),
        None,
        True,
    ]
    write_workbook(tmp_path / "book.xlsx", {"Data": (list("abcdefg"), [row])})
    found = [cell.value for cell in cells(tmp_path / "book.xlsx")["Data"][1]]
    assert found == [str(2**60), None, None, "1815-06-18", dt.datetime(2026, 1, 5), None, True]


def test_a_picture_keeps_its_pixels_and_loses_its_texts():
    with_text = png(Author="Baltic Bay")
    import base64
    import io

    from PIL import Image

    before, after = (Image.open(io.BytesIO(base64.b64decode(text))) for text in (with_text, bare_png(with_text)))
    assert before.text["Author"] == "Baltic Bay"
    assert after.text == {}
    assert before.tobytes() == after.tobytes()


def partner_study(folder):
    """The fixture study for partners: its notebook takes an audience, and all cells but one result are tagged."""
    study = write_study(folder, only=["East & <West>", "North"], parameters={"audience": "partner"})
    notebook = json.loads((folder / "fixture.ipynb").read_text())
    for cell in notebook["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            cell["source"] = ['audience: str = "internal"  # who reads it\n', *cell["source"]]
        elif "steady" not in "".join(cell["source"]):
            cell["metadata"]["tags"] = ["partner"]
    (folder / "fixture.ipynb").write_text(json.dumps(notebook))
    return study


def test_a_whole_run_leaves_a_pack_that_is_kept_while_nothing_changes(tmp_path, monkeypatch):
    monkeypatch.delenv(SECRET, raising=False)
    study, show = partner_study(tmp_path), Quiet()
    assert run_studies([study], tmp_path / "out", Options(), show) == 0
    place = tmp_path / "out" / "study" / "North"
    made = place / "pack-North"
    assert sorted(path.name for path in made.iterdir()) == ["data.xlsx", "report.html"]
    held = b"".join(content for _, content in texts(made))
    assert b"Late cases of North rose 2 points." in held
    for secret_text in (
        "West",
        "steady",
        "cases.yml",
        "fixture",
        "metrics",
        str(tmp_path),
        "matplotlib",
        "papermill",
    ):
        assert secret_text.encode() not in held, secret_text
    assert len(cells(made / "data.xlsx")["Data"]) == 1 + 60
    (one,) = plan([study], tmp_path / "out")
    task = next(task for task in tasks_of(one, Options()) if task.run.name == "North")
    assert task.because == ""
    monkeypatch.setenv(SECRET, "sixteen letters!")
    assert reason(place, inputs_of(task.run, one.source, data_of(one.source, "vendor"))) == "secret changed"
    (made / "data.xlsx").write_bytes(b"edited")
    assert reason(place, task.inputs) == "its files were changed"


def test_the_study_is_checked_for_its_audience(tmp_path):
    with pytest.raises(InputError, match="unknown audience 'partners'"):
        plan([write_study(tmp_path, parameters={"audience": "partners"})], tmp_path)
    contract = tmp_path / "cases.yml"
    contract.write_text(contract.read_text() + "personal: [vendor]\n")
    with pytest.raises(InputError, match="for_each: unknown dimension 'vendor'"):
        plan([partner_study(tmp_path)], tmp_path)
