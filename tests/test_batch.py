"""The batch: status from evidence, nothing run twice, the same bytes every time, limits, locks."""

import errno
import json
import os
import shutil
import signal
import time
from pathlib import Path

import nbformat
import papermill
import pytest
import yaml
from browser import CHROMIUM
from studies import VENDORS, command, contents, left, write_study

from rca.batch import run as run_module
from rca.batch.batch import Options, run_studies
from rca.batch.execute import Limits
from rca.batch.lock import Lock, Over
from rca.batch.progress import Quiet
from rca.batch.verify import verify
from rca.errors import InputError


class Listing(Quiet):
    """Collects what a batch says."""

    def __init__(self):
        self.because = {}
        self.status = {}

    def ended(self, outcome):
        super().ended(outcome)
        self.because[outcome.name] = outcome.because
        self.status[outcome.name] = outcome.status


def run(*studies: Path, **options) -> Listing:
    listing = Listing()
    listing.code = run_studies(list(studies), studies[0].parent / "outputs", Options(**options), listing)
    return listing


def record(study: Path, name: str) -> dict:
    return json.loads((study.parent / "outputs" / study.stem / name / "run.json").read_text())


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A study that went well."""
    study = write_study(tmp_path_factory.mktemp("done"))
    assert run(study).status == dict.fromkeys(VENDORS, "done")
    return study


def test_a_run_leaves_whole_readable_files(done):
    folder = done.parent / "outputs" / "study" / "North"
    assert sorted(path.name for path in folder.iterdir()) == [
        "findings.json",
        "parameters.yml",
        "report.html",
        "report.ipynb",
        "run.json",
    ]
    notebook = nbformat.read(folder / "report.ipynb", as_version=4)
    assert notebook.cells[-1].outputs[0].data["application/vnd.rca.findings+json"] == json.loads(
        (folder / "findings.json").read_text()
    )
    assert folder.stat().st_mode & 0o777 == 0o777 & ~_umask()  # others may read a report


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_the_parameter_file_works_with_plain_papermill(done, tmp_path):
    given = yaml.safe_load((done.parent / "outputs" / "study" / "North" / "parameters.yml").read_text())
    out = papermill.execute_notebook(
        done.parent / "fixture.ipynb", tmp_path / "out.ipynb", given, cwd=done.parent, progress_bar=False
    )
    assert out.cells[-1].outputs[0].data["application/vnd.rca.findings+json"]["scope"] == {"vendor": "North"}


def test_nothing_changed_nothing_runs(done):
    before = contents(done.parent / "outputs")
    os.utime(done.parent / "cases.csv")  # a file's date is no change
    assert run(done).because == dict.fromkeys(VENDORS, "unchanged")
    after = contents(done.parent / "outputs")
    assert "4 unchanged" in after.pop("study/index.html").decode()
    before.pop("study/index.html")
    assert after == before


def test_each_input_runs_what_it_touches(tmp_path):
    study = write_study(tmp_path, only=["North", "South"])
    assert run(study).because == {"North": "new", "South": "new"}
    cases, notebook, contract = (tmp_path / name for name in ("cases.csv", "fixture.ipynb", "cases.yml"))

    rows = cases.read_text().splitlines(keepends=True)
    one = next(position for position, row in enumerate(rows) if ",North," in row)
    flipped = "0" if rows[one].endswith("1\n") else "1"
    cases.write_text("".join([*rows[:one], f"{rows[one][:-2]}{flipped}\n", *rows[one + 1 :]]))
    assert run(study).because == {"North": "data changed", "South": "unchanged"}
    cases.write_text("".join([rows[0], *reversed(rows[1:])]))
    assert run(study).because == {"North": "data changed", "South": "unchanged"}  # as at first, in another order
    assert run(study).because == dict.fromkeys(["North", "South"], "unchanged")

    nb = nbformat.read(notebook, as_version=4)
    nb.cells[0].source += " One more sentence."
    nbformat.write(nb, notebook)
    assert set(run(study).because.values()) == {"notebook changed"}
    nb.cells[2].outputs = [nbformat.v4.new_output("stream", text="left by a person")]
    nb.cells[2].execution_count = 3
    nbformat.write(nb, notebook)
    assert set(run(study).because.values()) == {"unchanged"}  # outputs are not source

    contract.write_text(contract.read_text().replace("better: down", "better: up"))
    assert set(run(study).because.values()) == {"contract changed"}
    contract.write_text("# a comment\n" + contract.read_text())
    assert set(run(study).because.values()) == {"unchanged"}

    write_study(tmp_path, only=["North", "South"], parameters={"period": "D"})
    assert set(run(study).because.values()) == {"parameters changed"}
    (tmp_path / "outputs" / "study" / "South" / "report.html").write_text("edited")
    assert run(study).because == {"North": "unchanged", "South": "its files were changed"}
    assert set(run(study, force=True).because.values()) == {"forced"}
    assert set(run(study, only=["North"], force=True).because) == {"North"}


def test_a_study_may_read_the_rows_of_others(tmp_path):
    study = write_study(tmp_path, only=["North", "South"], reads="all")
    run(study)
    cases = tmp_path / "cases.csv"
    cases.write_text(cases.read_text().replace(",Tiny,MX,", ",Tiny,BR,").replace(",Tiny,BR,0", ",Tiny,BR,1"))
    assert set(run(study).because.values()) == {"data of others changed"}


def test_a_new_day_of_another_scope_is_a_change(tmp_path):
    study = write_study(tmp_path, only=["North"])
    run(study)
    with (tmp_path / "cases.csv").open("a") as file:
        file.write("C9999,2026-12-24 10:00:00,South,MX,0\n")
    assert run(study).because == {"North": "data of others changed"}


def test_status_comes_from_evidence(tmp_path, capfd):
    one = write_study(
        tmp_path,
        "one",
        parameters={"behave": {"North": "fail", "South": "few", "Tiny": "silent", "East & <West>": "die"}},
    )
    two = write_study(
        tmp_path, "two", parameters={"behave": {"North": "invalid", "South": "other", "Tiny": "die once"}}
    )
    listing = run(one, two)
    assert listing.code == 1
    said = {(s.stem, n): record(s, n) for s in (one, two) for n in ("North", "South", "Tiny")}
    assert {place: found["status"] for place, found in said.items()} == {
        ("one", "North"): "failed",
        ("one", "South"): "skipped",
        ("one", "Tiny"): "failed",
        ("two", "North"): "failed",
        ("two", "South"): "failed",
        ("two", "Tiny"): "done",
    }
    assert said["one", "North"]["sentence"] == "Cell [7]: ValueError: cannot divide <b>North</b>"
    assert said["one", "South"]["sentence"] == "Only 3 cases, 20 are needed."
    assert said["one", "Tiny"]["sentence"] == "The notebook ran, but its last cell has no findings."
    assert "kpis: Field required" in said["two", "North"]["sentence"]
    assert "findings are about {'vendor': 'nobody'}" in said["two", "South"]["sentence"]
    assert said["two", "Tiny"]["tries"] == 2
    (west,) = (tmp_path / "outputs" / "one").glob("East*")
    died = json.loads((west / "run.json").read_text())
    assert (died["status"], died["tries"]) == ("failed", 2)
    assert died["sentence"].startswith("The kernel died")
    assert (west / "report.html").exists()
    page = (tmp_path / "outputs" / "one" / "North" / "report.html").read_text()
    assert "cannot divide &lt;b&gt;North&lt;/b&gt;" in page
    assert "cannot divide <b>" not in page
    err = capfd.readouterr().err
    assert str(Path("one") / "North" / "report.ipynb") in err
    # What failed is tried again, what was skipped is not.
    assert run(one, only=["North", "South"]).because == {"North": "failed before", "South": "unchanged"}


def test_time_and_memory_are_limited(tmp_path):
    study = write_study(
        tmp_path, only=["North", "South", "Tiny"], parameters={"behave": {"North": "sleep", "South": "eat"}}
    )
    begun = time.monotonic()
    run(study, limits=Limits(seconds=8, megabytes=1500))
    assert time.monotonic() - begun < 60
    assert record(study, "North")["sentence"] == "Ended by the batch: it took longer than 8 seconds."
    assert record(study, "South")["sentence"] == "Ended by the batch: it took more than 1500 MB of memory."
    assert record(study, "South")["tries"] == 1
    assert record(study, "Tiny")["status"] == "done"


def test_the_same_bytes_cold_and_warm_in_any_folder_and_order(done, tmp_path):
    study = write_study(tmp_path / "a folder with spaces")
    run(study, jobs=1, warm=False)
    assert contents(study.parent / "outputs" / "study") == {
        name: content if name != "index.html" else (study.parent / "outputs" / "study" / name).read_bytes()
        for name, content in contents(done.parent / "outputs" / "study").items()
    }


def test_verify_says_where_a_notebook_differs(done, tmp_path):
    folder = done.parent / "outputs" / "study"
    assert [one.difference for one in verify([folder], Options())] == [""] * 4

    study = write_study(tmp_path, only=["North"])
    notebook = nbformat.read(tmp_path / "fixture.ipynb", as_version=4)
    notebook.cells[8].source += "\nimport random\n\nprint(random.random())"
    nbformat.write(notebook, tmp_path / "fixture.ipynb")
    run(study)
    (found,) = verify([tmp_path / "outputs" / "study" / "North"], Options())
    assert found.difference == "report.ipynb: cell 10 (import os): its stream output"
    shutil.copy(done.parent / "fixture.ipynb", tmp_path / "fixture.ipynb")
    with pytest.raises(InputError, match="cannot be compared, since then notebook changed"):
        list(verify([tmp_path / "outputs" / "study"], Options()))
    with pytest.raises(InputError, match="has no run in it"):
        list(verify([tmp_path], Options()))


def test_one_batch_at_a_time_in_a_folder(done):
    with Lock(done.parent / "outputs" / "study") as token:
        over = Over(done.parent / "outputs" / "study", token)
        assert not over()
        with pytest.raises(InputError, match="another batch is writing"):
            run(done)
    assert over()
    with Lock(done.parent / "outputs" / "study"):
        assert over()  # that is another batch


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path):
    study = write_study(tmp_path)
    (tmp_path / "outputs").write_text("a file stands here")
    with pytest.raises(InputError, match="cannot write to"):
        run(study)


def test_a_full_disk_is_a_sentence_and_ends_the_batch(tmp_path, monkeypatch):
    study = write_study(tmp_path)

    def full(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(run_module, "write_json", full)
    with pytest.raises(InputError, match="No space left on device"):
        run(study, jobs=1)
    assert not [path for path in (tmp_path / "outputs" / "study").iterdir() if path.is_dir()]


def test_an_error_of_our_own_fails_one_run_and_keeps_its_traceback(tmp_path, monkeypatch, capfd):
    study = write_study(tmp_path, only=["North", "South"])
    render = run_module.render_page

    def broken(notebook, **options):
        if options["name"] == "North":
            raise KeyError("a bug")
        return render(notebook, **options)

    monkeypatch.setattr(run_module, "render_page", broken)
    listing = run(study)
    assert listing.status == {"North": "failed", "South": "done"}
    assert "KeyError: 'a bug'" in capfd.readouterr().err
    index = (tmp_path / "outputs" / "study" / "index.html").read_text()
    assert "an error of the batch itself" in index
    assert 'href="North/report.html"' not in index


def test_a_batch_that_is_interrupted_ends_and_keeps_what_is_done(tmp_path):
    names = {"North": "sleep", "South": "sleep"}
    study = write_study(tmp_path, parameters={"behave": names, "spawn": True})
    batch = command("run", study, "--out", tmp_path / "outputs", "--jobs", 2, "--json-lines", mark=tmp_path)
    for line in batch.stdout:  # East & <West> is done, the two that sleep are being run
        if [json.loads(line).get(key) for key in ("event", "name")] == ["begun", "South"]:
            break
    time.sleep(1)
    batch.send_signal(signal.SIGINT)
    assert batch.wait(20) == 130
    assert left(str(tmp_path)) == []
    kept = sorted(path.name for path in (tmp_path / "outputs" / "study").iterdir())
    assert [name.partition("-")[0] for name in kept] == [
        ".lock",
        "East",
        "findings.csv",
        "findings.json",
        "index.html",
    ]
    assert "1 done" in (tmp_path / "outputs" / "study" / "index.html").read_text()


def test_a_kernel_and_all_it_started_end_with_its_run(tmp_path):
    study = write_study(tmp_path, only=["North"], parameters={"spawn": True})
    batch = command("run", study, "--out", tmp_path / "outputs", "--quiet", mark=tmp_path)
    assert batch.wait(60) == 0
    assert left(str(tmp_path)) == []


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed, so that nothing can be printed.")
def test_a_later_report_is_printed_and_keeps_the_one_before_it(tmp_path):
    study = write_study(tmp_path, only=["North"])
    folder = tmp_path / "outputs" / "study"
    run(study)
    notebook = tmp_path / "fixture.ipynb"
    notebook.write_text(notebook.read_text().replace("2026-11-15", "2026-11-22"))
    run(study, pdf=True)
    before = folder / "_earlier" / "2026-11-15"
    assert '<a href="_earlier/2026-11-15/index.html">to 15 Nov 2026</a>' in (folder / "index.html").read_text()
    assert '<a href="North/report.html">North</a>' in (before / "index.html").read_text()
    assert "21 Sep to 15 Nov 2026" in (before / "North" / "report.html").read_text()
    assert "21 Sep to 22 Nov 2026" in (folder / "North" / "report.html").read_text()
    assert (folder / "North" / "report.pdf").read_bytes().startswith(b"%PDF-")
