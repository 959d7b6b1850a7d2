"""One run: execute the notebook, judge it by the evidence, write its folder, move it to its place when whole."""

import datetime as dt
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rca.batch.page import render_page
from rca.batch.plan import Run
from rca.batch.record import MIME, Findings, Record, Status, read_findings, write_json
from rca.errors import InputError


@dataclass(frozen=True)
class Outcome:
    """How a run went; `sentence` says why it is not done."""

    name: str
    folder: Path
    status: Status
    sentence: str
    seconds: float


@dataclass(frozen=True)
class Verdict:
    """What an executed notebook proves."""

    status: Status
    sentence: str = ""
    findings: Findings | None = None


def perform(run: Run) -> Outcome:
    """Make one report. Only a whole folder ever stands at `run.folder`."""
    started, clock = dt.datetime.now(dt.UTC), time.monotonic()
    run.folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{run.folder.name}-", dir=run.folder.parent))
    try:
        (work / "parameters.yml").write_text(
            yaml.safe_dump(run.parameters, sort_keys=False, allow_unicode=True), encoding="utf-8"
        )
        notebook, trouble = execute(run, work / "report.ipynb")
        verdict = Verdict("failed", trouble) if trouble else judge(notebook, run.scope)
        page = render_page(
            notebook,
            title=run.study.title,
            name=run.name,
            parameters=run.parameters,
            status=verdict.status,
            sentence=verdict.sentence,
            findings=verdict.findings,
        )
        (work / "report.html").write_text(page, encoding="utf-8")
        if verdict.findings:
            write_json(work / "findings.json", verdict.findings.model_dump(mode="json", by_alias=True))
        seconds = round(time.monotonic() - clock, 3)
        record = Record(
            title=run.study.title,
            scope=run.scope,
            status=verdict.status,
            sentence=verdict.sentence,
            started=started.isoformat(timespec="seconds"),
            seconds=seconds,
        )
        write_json(work / "run.json", record.model_dump(mode="json", by_alias=True))
        _move(work, run.folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Outcome(run.name, run.folder, verdict.status, verdict.sentence, seconds)


def execute(run: Run, target: Path) -> tuple[Any, str]:
    """The executed notebook, and what went wrong with its kernel (empty when it ran, with or without an error)."""
    import nbformat
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill import PapermillExecutionError, execute_notebook
    from traitlets.config import Config

    trouble = ""
    try:
        execute_notebook(
            str(run.notebook),
            str(target),
            parameters=run.parameters,
            kernel_name="python3",
            progress_bar=False,
            record_timing=False,
            shutdown_kernel="immediate",
            resources={"metadata": {"path": str(run.notebook.parent)}},
            config=Config(KernelManager={"transport_encryption": "auto"}),
        )
    except PapermillExecutionError:
        pass  # the notebook holds the error
    except (DeadKernelError, CellTimeoutError, RuntimeError) as error:
        trouble = f"The kernel died ({' '.join(str(error).split()) or type(error).__name__})."
    return nbformat.read(target, as_version=4), trouble


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


def _move(work: Path, final: Path) -> None:
    """Put a whole folder in its place; the one before it makes room first, under a name that is swept away."""
    old = work.with_name(f"{work.name}-old")
    if final.exists():
        final.rename(old)
    work.rename(final)
    shutil.rmtree(old, ignore_errors=True)
