"""A batch: plan the studies, run what is planned, show how it goes, write an index for each study."""

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from rca.batch.plan import Run, only_named, plan
from rca.batch.pool import perform_all
from rca.batch.run import Outcome
from rca.batch.site import write_index


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_studies(paths: Sequence[Path], *, out: Path, jobs: int, only: Sequence[str] = ()) -> int:
    """Make all reports; returns the exit code: 0 when none failed, else 1."""
    runs = plan(paths, out)
    console = Console(highlight=False, soft_wrap=True)
    outcomes = _with_progress(only_named(runs, only), jobs, console)
    for folder in dict.fromkeys(outcome.folder.parent for outcome in outcomes):
        index = write_index([run for run in runs if run.folder.parent == folder])
        console.print(
            f"{_summary([o for o in outcomes if o.folder.parent == folder])} Index: {index}", markup=False
        )
    return 1 if any(outcome.status == "failed" for outcome in outcomes) else 0


def _with_progress(runs: Sequence[Run], jobs: int, console: Console) -> list[Outcome]:
    """Run with a live bar; one line is left for each run."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("time left"),
        TimeRemainingColumn(),
    )
    outcomes: list[Outcome] = []
    running: list[str] = []
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("starting", total=len(runs))

        def begun(run: Run) -> None:
            running.append(run.name)
            progress.update(bar, description=", ".join(running))

        for outcome in perform_all(runs, jobs, begun):
            outcomes.append(outcome)
            running.remove(outcome.name)
            progress.update(bar, advance=1, description=", ".join(running))
            progress.console.print(_line(outcome), markup=False)
    return outcomes


def _line(outcome: Outcome) -> str:
    text = f"{outcome.status:<8} {outcome.seconds:6.1f} s  {outcome.name}"
    if outcome.sentence:
        text += f": {outcome.sentence}"
    return f"{text} ({outcome.folder / 'report.ipynb'})" if outcome.status == "failed" else text


def _summary(outcomes: Sequence[Outcome]) -> str:
    counts = {s: sum(o.status == s for o in outcomes) for s in ("done", "skipped", "failed")}
    return ", ".join(f"{count} {status}" for status, count in counts.items()) + "."
