"""One run: execute the notebook, judge it by the evidence, write its folder, move it to its place when whole."""

import datetime as dt
import errno
import itertools
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml

from rca.batch.earlier import keep
from rca.batch.execute import Execution, Limits, execute
from rca.batch.key import Inputs, named_versions, versions
from rca.batch.page import render_page
from rca.batch.plan import Run
from rca.batch.record import MIME, Findings, Record, Status, read_findings, write_json
from rca.batch.repeatable import steady
from rca.digest import digest, file_hash, program
from rca.errors import InputError

WORK = ".work-"  # begins the names of folders that are being written
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)  # no run could be written any more
TRIES = 2  # of a run whose kernel died; an error in the notebook would come again


@dataclass(frozen=True)
class Task:
    """A run with all that it takes to perform it, here or on another machine."""

    run: Run
    inputs: Inputs
    everything: str
    limits: Limits
    warm: bool = True
    because: str = ""  # why it must be made; empty when nothing has changed


@dataclass(frozen=True)
class Outcome:
    """How a run went; `sentence` says why it is not done."""

    name: str
    folder: Path
    status: Status
    sentence: str
    seconds: float
    because: str = ""  # why it was made, or "unchanged"


@dataclass(frozen=True)
class Verdict:
    """What an executed notebook proves."""

    status: Status
    sentence: str = ""
    findings: Findings | None = None


def perform(task: Task, stopped: Callable[[], bool]) -> Outcome:
    """Make one report. Only a whole folder ever stands at its final place; `stopped` may end it early."""
    if (program(), versions()) != (task.inputs["program"], task.inputs["versions"]):
        raise InputError("a worker has another version of rca or of its libraries: restart the workers.")
    try:
        work = task.run.folder.with_name(f"{WORK}{uuid4().hex}")
        work.mkdir()
        try:
            return _perform(task, work, stopped)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        if error.errno in FULL:
            raise InputError(f"cannot write to {task.run.folder.parent} ({error.strerror}).") from error
        raise


def _perform(task: Task, work: Path, stopped: Callable[[], bool]) -> Outcome:
    run, started, clock = task.run, dt.datetime.now(dt.UTC), time.monotonic()
    parameters = yaml.safe_dump(run.parameters, sort_keys=False, allow_unicode=True)
    (work / "parameters.yml").write_text(parameters, encoding="utf-8")
    for tries in itertools.count(1):
        went = execute(run.notebook, work / "report.ipynb", run.parameters, task.limits, stopped, task.warm)
        if not went.died or tries == TRIES:
            break
    verdict = Verdict("failed", went.trouble) if went.trouble else judge(went.notebook, run.scope)
    verdict = _write_report(work, run, went, verdict)
    seconds = round(time.monotonic() - clock, 3)
    record = Record(
        title=run.study.title,
        scope=run.scope,
        study=str(run.study.path),
        status=verdict.status,
        sentence=verdict.sentence,
        key=digest(dict(task.inputs)),
        inputs=dict(task.inputs),
        everything=task.everything,
        outputs={path.relative_to(work).as_posix(): file_hash(path) for path in files(work)},
        versions=named_versions(),
        started=started.isoformat(timespec="seconds"),
        seconds=seconds,
        cell_seconds=went.cell_seconds,
        megabytes=went.megabytes,
        tries=tries,
    )
    write_json(work / "run.json", record.model_dump(mode="json", by_alias=True))
    _move(work, run.folder)
    return Outcome(run.name, run.folder, verdict.status, verdict.sentence, seconds, task.because)


def _write_report(work: Path, run: Run, went: Execution, verdict: Verdict) -> Verdict:
    """Write what the run leaves; a pack that cannot be written fails it."""
    import nbformat

    notebook = steady(went.notebook)
    nbformat.write(notebook, work / "report.ipynb")
    if run.pack and verdict.findings:
        from rca.batch.pack import write_pack

        try:
            write_pack(work / run.pack.name, run, notebook, verdict.findings)
        except InputError as error:
            verdict = Verdict("failed", f"The notebook ran, but {error}")
    page = render_page(
        notebook,
        title=run.study.title,
        name=run.name,
        parameters=run.parameters,
        status=verdict.status,
        sentence=verdict.sentence,
        findings=verdict.findings,
        versions=named_versions(),
    )
    (work / "report.html").write_text(page, encoding="utf-8")
    if verdict.findings:
        content = verdict.findings.model_dump(mode="json", by_alias=True, exclude_unset=True)
        write_json(work / "findings.json", content)
    return verdict


def judge(notebook: Any, scope: dict[str, str]) -> Verdict:
    """The status that the outputs prove: an error, no findings or those of another scope are never `done`."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for cell in cells:
        for output in cell["outputs"]:
            if output["output_type"] == "error" and output["ename"] == "TooLittleData":
                return Verdict("skipped", output["evalue"])
            if output["output_type"] == "error":
                first = output["evalue"].splitlines()[0] if output["evalue"] else "no message"
                return Verdict("failed", f"Cell [{cell['execution_count']}]: {output['ename']}: {first}")
    found = [o["data"][MIME] for o in (cells[-1]["outputs"] if cells else []) if MIME in o.get("data", {})]
    if len(found) != 1:
        return Verdict("failed", "The notebook ran, but its last cell has no findings.")
    try:
        findings = read_findings(found[0])
    except InputError as error:
        return Verdict("failed", f"The notebook ran, but {error}")
    if findings.scope != scope:
        return Verdict("failed", f"The notebook ran, but its findings are about {findings.scope}.")
    return Verdict("done", findings=findings)


def files(folder: Path) -> list[Path]:
    """All files of a run, those of its pack among them."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _move(work: Path, final: Path) -> None:
    """Put a whole folder in its place; the one before it makes room first, under a name that is swept away."""
    old = work.with_name(f"{work.name}-old")
    if final.exists():
        final.rename(old)
    work.rename(final)
    keep(old, final)
    shutil.rmtree(old, ignore_errors=True)
