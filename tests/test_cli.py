"""The command line: what it says, where, and with which exit code."""

import json
import subprocess
import sys

import pytest
from studies import VENDORS, command, write_study

from rca.sample import write_marketplace


def said(*arguments, **options):
    """Exit code, standard output and standard error of the command."""
    process = command(*arguments, **options)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_help_imports_nothing_heavy():
    lines = [
        "import sys; from rca.cli import main; sys.argv = ['rca', '--help']",
        "try: main()",
        "finally: print(*sys.modules)",
    ]
    code = "\n".join(lines)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    modules = done.stdout.splitlines()[-1].split()
    assert "typer" in modules
    heavy = {"pandas", "numpy", "ibis", "duckdb", "matplotlib", "papermill", "pydantic", "nbformat", "rich", "yaml"}
    assert heavy & set(modules) == set()
    for name in ("run", "check", "actions", "verify", "sample"):
        assert name in done.stdout


def test_check_says_all_mistakes_without_a_traceback(tmp_path):
    study = write_study(tmp_path, only=["Nort"], parameters={"metrics": ["lat"], "metrcs": []})
    code, out, err = said("check", study, tmp_path / "no.yml")
    assert code == 2
    assert out == ""
    assert len(err.splitlines()) == 4
    assert "Traceback" not in err


def test_check_counts_the_reports(tmp_path):
    assert said("check", write_study(tmp_path)) == (0, "4 reports to make, nothing wrong.\n", "")


def test_run_leaves_a_line_per_report_and_ends_with_the_index(tmp_path):
    study = write_study(tmp_path, parameters={"behave": {"South": "fail", "Tiny": "few"}})
    code, out, _ = said("run", "study.yml", cwd=tmp_path)
    assert code == 1
    lines = out.splitlines()
    assert sorted(line.split()[0] for line in lines[:4]) == ["done", "done", "failed", "skipped"]
    (failed,) = (line for line in lines if line.startswith("failed"))
    assert "South: Cell [7]: ValueError: cannot divide <b>South</b> (outputs/study/South/report.ipynb)" in failed
    assert lines[-2:] == ["2 done, 1 skipped, 1 failed.", "Index: outputs/study/index.html"]
    assert (tmp_path / lines[-1].removeprefix("Index: ")).exists()
    # Again, from elsewhere and with the study's full path: only what failed.
    code, out, _ = said("run", study, "--out", tmp_path / "outputs", cwd=tmp_path.parent)
    assert code == 1
    assert "South (failed before): Cell [7]" in out
    assert "3 unchanged, 1 failed." in out
    # A run that shows nothing but what failed, on standard error.
    code, out, err = said("run", study, "--out", tmp_path / "outputs", "--quiet")
    assert (code, out) == (1, "")
    assert err.startswith("failed")
    assert len(err.splitlines()) == 1


def test_json_lines_are_for_programs(tmp_path):
    code, out, err = said("run", write_study(tmp_path), "--out", tmp_path / "outputs", "--json-lines")
    events = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (0, "")
    assert events[0] == {"event": "start", "runs": 4}
    assert sorted(one["name"] for one in events if one["event"] == "begun") == VENDORS
    assert {one["status"] for one in events if one["event"] == "ended"} == {"done"}
    assert events[-1]["event"] == "finish"
    assert (events[-1]["done"], events[-1]["failed"]) == (4, 0)


def test_verify_says_which_runs_give_the_same_bytes(tmp_path):
    study = write_study(tmp_path, only=["North"])
    assert said("run", study, "--out", tmp_path / "outputs", "--quiet")[0] == 0
    folder = tmp_path / "outputs" / "study" / "North"
    assert said("verify", folder, "--cold")[:2] == (0, f"{folder}: the same bytes\n")
    (folder / "report.html").write_text("edited")
    assert said("verify", tmp_path / "outputs" / "study")[:2] == (1, f"{folder}: report.html\n")


def test_only_and_mistakes_in_it(tmp_path):
    code, _, err = said("run", write_study(tmp_path), "--out", tmp_path / "outputs", "--only", "Nort")
    assert (code, err) == (2, "--only: no study has 'Nort'. Did you mean 'North'?\n")


def test_sample_writes_the_marketplace_of_a_seed(tmp_path):
    assert said("sample", "--to", tmp_path / "new", "--seed", 3)[0] == 0
    write_marketplace(tmp_path / "again", seed=3)
    for name in ("cases.parquet", "events.csv", "actions.csv", "truth.json"):
        assert (tmp_path / "new" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


@pytest.mark.parametrize("arguments", [["run"], ["run", "x.yml", "--jobs", "-1"], ["no-such-command"]])
def test_a_wrong_call_exits_2(arguments, tmp_path):
    assert said(*arguments, cwd=tmp_path)[0] == 2


def test_an_unchanged_batch_loads_nothing_that_only_executing_needs(tmp_path):
    study = write_study(tmp_path)
    assert said("run", study, "--out", tmp_path / "outputs", "--quiet")[0] == 0
    lines = [
        f"import sys; from rca.cli import main; sys.argv = ['rca', 'run', {str(study)!r}, '--out', 'outputs']",
        "try: main()",
        "finally: print(*sys.modules)",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "4 unchanged." in done.stdout
    assert {"papermill", "nbformat", "nbconvert", "matplotlib"} & set(done.stdout.splitlines()[-1].split()) == set()
