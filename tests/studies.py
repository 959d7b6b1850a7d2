"""A study of the fixture notebook in a folder of its own, and ways to run it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

FIXTURES = Path(__file__).parent / "notebooks"
COMMAND = [sys.executable, "-c", "from rca.cli import main; main()"]
MOMENTS = int(os.environ.get("RCA_MOMENTS", "5"))  # at which each kind of process is killed
VENDORS = ["East & <West>", "North", "South", "Tiny"]


def write_study(folder: Path, name: str = "study", **changes: object) -> Path:
    """Copy the fixture notebook, its contract and cases to `folder`, and write a study of them; returns its path.

    A change of `parameters` is merged into them; None takes a key out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("fixture.ipynb", "cases.yml", "cases.csv"):
        if not (folder / file).exists():
            shutil.copy(FIXTURES / file, folder / file)
    study = {
        "title": "Fixture report",
        "notebook": "fixture.ipynb",
        "source": "cases.yml",
        "for_each": "vendor",
        "parameters": {"metrics": ["late"], "by": ["market"]},
    }
    parameters = {**study["parameters"], **changes.pop("parameters", {})}
    study |= {"parameters": parameters, **changes}
    path = folder / f"{name}.yml"
    path.write_text(yaml.safe_dump({key: value for key, value in study.items() if value is not None}))
    return path


def command(*arguments: object, **options: object) -> "subprocess.Popen[str]":
    """The `rca` command, begun. `mark` is an environment variable that everything it starts inherits."""
    mark = options.pop("mark", "")
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        env={**os.environ, "RCA_TEST_MARK": str(mark)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def marked(mark: str) -> list[int]:
    """The processes that were begun with this mark, and have not ended."""
    found = []
    for place in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"RCA_TEST_MARK={mark}\0".encode() in place.read_bytes():
                found.append(int(place.parent.name))
        except OSError:
            continue
    return found


def left(mark: str, within: float = 2.0) -> list[str]:
    """What has not ended within so many seconds, of all that was begun with this mark: pid, parent and command."""
    until = time.monotonic() + within
    while marked(mark) and time.monotonic() < until:
        time.sleep(0.05)
    found = []
    for pid in marked(mark):
        try:
            status = Path(f"/proc/{pid}/status").read_text().split("\n")
            words = [line for line in status if line.startswith(("Name", "PPid", "State"))]
            found.append(f"{pid} {words} {Path(f'/proc/{pid}/cmdline').read_text()[:80]}")
        except OSError:
            continue
    return found


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of the reports in a folder by its relative path, but those that differ between two executions."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in ("run.json", ".lock")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def reports(out: Path) -> list[Path]:
    """The folders of the reports that stand at their place."""
    return [path for path in (out / "study").glob("[!.]*") if path.is_dir()]


def assert_whole(out: Path) -> None:
    """No report lacks a file or has one that is not the one it was made with."""
    for folder in reports(out):
        outputs = json.loads((folder / "run.json").read_text())["outputs"]
        found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
        found.pop("run.json")
        assert found == outputs


def assert_finishes(study: Path, out: Path, expected: dict[str, bytes]) -> None:
    """The next call finishes the rest, and the result is that of an undisturbed batch."""
    batch = command("run", study, "--out", out, "--quiet")
    assert batch.wait(300) == 0, batch.stderr.read()
    found = contents(out)
    assert [name for name in found if "/." in name] == []
    index = "study/index.html"  # says also how many were unchanged
    assert {**found, index: b""} == {**expected, index: b""}
