"""A batch: plan the studies, run what is new or changed, write an index for each study."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from rca.batch.execute import Limits
from rca.batch.fork import start_server
from rca.batch.key import Inputs, data_of, inputs_of
from rca.batch.lock import Lock
from rca.batch.pdf import print_reports
from rca.batch.plan import Plan, only_named, plan
from rca.batch.pool import cluster, outcomes, threads
from rca.batch.progress import Show
from rca.batch.record import read_record
from rca.batch.run import WORK, Outcome, Task
from rca.batch.site import write_home, write_index
from rca.digest import digest, file_hash


@dataclass(frozen=True)
class Options:
    """How to run, whatever is run.

    jobs    reports made at the same time on this machine
    only    names of scopes; empty for all
    force   run also what has not changed
    warm    fork the kernels (they start cold where that is not possible)
    pdf     print the reports as PDF too
    dask    address of a Dask scheduler, to run on its workers
    """

    jobs: int = 0
    only: Sequence[str] = ()
    force: bool = False
    warm: bool = True
    pdf: bool = False
    limits: Limits = field(default_factory=Limits)
    dask: str = ""


def run_studies(paths: Sequence[Path], out: Path, options: Options, show: Show) -> int:
    """Make the reports of the studies; returns the exit code: 0, or 1 when a run failed."""
    if options.warm and not options.dask:
        start_server()  # its imports go on while the studies are checked
    plans = plan(paths, out.absolute())
    wanted = {run.folder for run in only_named([run for one in plans for run in one.runs], options.only)}
    sites = {one.folder: (one.study, one.runs) for one in plans}
    ended: list[Outcome] = []
    with ExitStack() as stack:
        tokens = {folder: stack.enter_context(Lock(folder)) for folder in sites}
        for folder in tokens:
            sweep(folder)
        tasks = [task for one in plans for task in tasks_of(one, options) if task.run.folder in wanted]
        del plans  # and with them the data that they hold open
        show.start(len(tasks))
        try:
            for outcome in _perform_all(tasks, options, tokens, show):
                ended.append(outcome)
                show.ended(outcome)
        finally:  # also when the batch is interrupted: what is done stays
            for folder in tokens:
                sweep(folder)
            show.finish(ended, [write_index(study, folder, runs, ended) for folder, (study, runs) in sites.items()])
            write_home(out.absolute())
    if options.pdf and (trouble := print_reports(o.folder for o in ended if o.status == "done")):
        print(trouble, file=sys.stderr)
    return 1 if any(outcome.status == "failed" for outcome in ended) else 0


def tasks_of(one: Plan, options: Options) -> list[Task]:
    """The tasks of a plan, with the hash of everything that each report is made from, and why each must run."""
    data = data_of(one.source, one.study.for_each)
    tasks = []
    for run in one.runs:
        inputs = inputs_of(run, one.source, data)
        because = reason(run.folder, inputs) or ("forced" if options.force else "")
        tasks.append(Task(run, inputs, digest(data), options.limits, options.warm, because))
    return tasks


def reason(folder: Path, inputs: Inputs) -> str:
    """Why a run must be made, in words; empty when its inputs and the files it left are those of last time."""
    record = read_record(folder)
    if record is None:
        return "new"
    changed = [name for name, value in inputs.items() if record.inputs.get(name) != value]
    if changed:
        return f"{', '.join(changed)} changed"
    if record.status == "failed":
        return "failed before"
    same = all((folder / name).is_file() and file_hash(folder / name) == h for name, h in record.outputs.items())
    return "" if same else "its files were changed"


def _perform_all(tasks: Sequence[Task], options: Options, tokens: dict[Path, str], show: Show) -> Iterator[Outcome]:
    """The outcomes: first of what has not changed, then of the others as they end."""
    todo = []
    for task in tasks:
        record = None if task.because else read_record(task.run.folder)
        if record is None:
            todo.append(task)
        else:
            yield Outcome(task.run.name, task.run.folder, record.status, record.sentence, 0.0, "unchanged")
    if todo and options.dask:
        with cluster(options.dask, tokens) as submit:
            yield from outcomes(todo, submit)
    elif todo:
        with threads(options.jobs or cores(), lambda task: show.begun(task.run.name)) as submit:
            yield from outcomes(todo, submit)


def sweep(folder: Path) -> None:
    """Remove what is half done. It loses its name at once, so that nobody can still move it to its place."""
    for place in folder.glob(f"{WORK}*"):
        gone = place.with_name(f".gone{place.name}")
        with suppress(FileNotFoundError):
            place.rename(gone)
    for gone in folder.glob(f".gone{WORK}*"):
        shutil.rmtree(gone, ignore_errors=True)


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
