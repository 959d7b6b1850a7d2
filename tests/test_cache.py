"""What an engine was asked before is not asked again, unless the data or the question has changed."""

import os

import pandas as pd
import pytest
import yaml

from rca import cache, cases, cube_query, remarks
from rca.source import open_source

CASES = pd.DataFrame(
    {"id": range(60), "at": pd.date_range("2026-01-05", periods=60), "vendor": ["Andes", "Óbidos", None] * 20}
)
CASES["score"] = CASES["id"] / 7
METRICS = {"score": {"kind": "mean", "better": "up", "value": "score"}}


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """How often the engine was asked, as a list that grows."""
    monkeypatch.setenv("RCA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "SLOW", 0)
    times = []
    groups = cube_query._groups
    monkeypatch.setattr(cube_query, "_groups", lambda *given: times.append(1) or groups(*given))
    return times


def source(folder, frame=CASES, **fields):
    frame.to_csv(folder / "cases.csv", index=False)
    contract = {"table": "cases.csv", "key": "id", "time": {"column": "at"}, "types": {"score": "number"}}
    contract |= {"dimensions": ["vendor"], "metrics": METRICS, **fields}
    (folder / "cases.yml").write_text(yaml.safe_dump(contract))
    return open_source(folder / "cases.yml")


def test_a_question_is_asked_once_also_by_another_process(tmp_path, asked):
    one = source(tmp_path)
    first = cube_query.cube(one, "score", by="vendor")
    for again in (one, source(tmp_path)):
        found = cube_query.cube(again, "score", by="vendor")
        pd.testing.assert_frame_equal(found.frame, first.frame, check_exact=True)
    assert len(asked) == 1
    cube_query.cube(one, "score", by="vendor", period="D")
    cube_query.cube(one, "score", by="vendor", within="last 2")
    cube_query.cube(one, "score")
    assert len(asked) == 4


def test_other_data_or_another_contract_is_asked(tmp_path, asked):
    first = cube_query.cube(source(tmp_path), "score").frame["total"].sum()
    file = tmp_path / "cases.csv"
    before = file.stat()
    changed = source(tmp_path, CASES.assign(score=CASES["score"][::-1].to_numpy()).iloc[:-1])
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))  # its time does not tell
    assert cube_query.cube(changed, "score").frame["total"].sum() != first
    cube_query.cube(source(tmp_path, metrics={"score": {**METRICS["score"], "value": "score + 1"}}), "score")
    cube_query.cube(open_source(tmp_path / "cases.yml", scope={"vendor": "Andes"}), "score")
    assert len(asked) == 4


def test_a_file_that_changed_since_it_was_opened_is_not_taken_for_what_was_read(tmp_path, asked):
    old = source(tmp_path)
    source(tmp_path, CASES.iloc[:30])
    assert cube_query.cube(old, "score").frame["n"].sum() == 60
    assert cube_query.cube(source(tmp_path, CASES.iloc[:30]), "score").frame["n"].sum() == 30


def test_a_broken_file_of_the_cache_is_asked_again_and_the_folder_stays_small(tmp_path, asked, monkeypatch):
    cube_query.cube(source(tmp_path), "score")
    (file,) = (tmp_path / "cache").glob("*.parquet")
    size = file.stat().st_size
    file.write_bytes(b"PAR1")
    assert cube_query.cube(source(tmp_path), "score").frame["n"].sum() == 60
    assert len(asked) == 2
    monkeypatch.setattr(cache, "ROOM", 3 * size)
    for last in range(2, 9):
        cube_query.cube(source(tmp_path), "score", within=f"last {last}", by="vendor")
    assert sum(kept.stat().st_size for kept in (tmp_path / "cache").iterdir()) <= 3 * size
    monkeypatch.setattr(cache, "MOST", 2)
    source(tmp_path, CASES.iloc[:-1])
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_what_opening_found_is_remembered_until_the_data_changes(tmp_path, monkeypatch):
    monkeypatch.setenv("RCA_CACHE", str(tmp_path / "cache"))
    first = source(tmp_path)
    found = first.remarks
    asked = []
    monkeypatch.setattr(cases, "check_unique", lambda *given: asked.append(given))
    monkeypatch.setattr(remarks, "profile", lambda *given: asked.append(given))
    again = source(tmp_path)
    assert again.remarks == found
    assert not asked
    assert (again.cases, again.extent, again.ends) == (first.cases, first.extent, first.ends)
    source(tmp_path, CASES.iloc[:-1])
    assert len(asked) == 1
