"""A draft from an extract: it can be opened as it is, and says what it guessed."""

from pathlib import Path

import pytest
import yaml
from studies import command

from rca.check import check_source
from rca.draft import contract_text, guess, study_text

SHARED = Path(__file__).parents[2] / "shared" / "data"


def drafted(folder: Path, file: Path):
    """What was guessed, the draft and the source that it opens."""
    found = guess(file)
    (folder / "draft.yml").write_text(contract_text(file, found), encoding="utf-8")
    check = check_source(folder / "draft.yml")
    assert check.errors == ()
    return found, yaml.safe_load((folder / "draft.yml").read_text(encoding="utf-8")), check.source


def test_a_small_extract_becomes_a_source_and_a_study(tmp_path):
    rows = "".join(
        f"00{i},{1 + i % 28}/{1 + i // 28}/2026,{'AB'[i % 2]},{i * 0.5},{'yes' if i % 3 else '?'},Ann\n"
        for i in range(100)
    )
    (tmp_path / "extract.csv").write_text("no,opened,vendor,cost,solved,agent\n" + rows)
    found, fields, source = drafted(tmp_path, tmp_path / "extract.csv")
    assert (found.key, found.time, found.missing) == (["no"], "opened", ["?"])
    assert fields["types"] == {"cost": "number"} or fields["types"] == {"cost": "number", "solved": "boolean"}
    assert fields["personal"] == ["agent"]
    assert "vendor" in fields["dimensions"]
    assert source.cases == 100
    study = yaml.safe_load(study_text("extract", found, 112))
    assert study["for_each"] == "vendor"


@pytest.mark.parametrize(
    ("name", "key", "each", "first", "cases"),
    [
        ("uci_incident_events", ["number"], None, "made_sla up", 24_918),
        ("nhs_ae_attendances", ["org_code", "period", "type"], "M", "breaches down", 12_765),
        ("pwc_call_center", ["Call Id"], None, "speed_of_answer_in_seconds down", 5_000),
    ],
)
def test_real_extracts_need_no_edited_line(tmp_path, name, key, each, first, cases):
    file = SHARED / f"{name}.csv.gz"
    if not file.exists():
        pytest.skip(f"{name} is not beside this checkout")
    found, fields, source = drafted(tmp_path, file)
    assert (sorted(found.key), fields["time"].get("each"), source.cases) == (key, each, cases)
    metric, says = next(iter(fields["metrics"].items()))
    assert f"{metric} {says['better']}" == first
    assert not {"year", "month", *found.key} & set(found.dimensions) - {"org_code", "type"}


def test_init_writes_no_file_twice_and_refuses_what_is_no_extract(tmp_path):
    (tmp_path / "x.csv").write_text("id,at,vendor\n1,2026-01-13,A\n2,2026-01-14,B\n")
    for says, code in (("DECIDE", 0), ("is there already", 2)):
        process = command("init", tmp_path / "x.csv", cwd=tmp_path)
        out, err = process.communicate(timeout=120)
        assert process.returncode == code
        assert says in out + err
        assert "Traceback" not in err
