"""Make reports again, elsewhere, and compare them with those that are there, byte by byte."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rca.batch.batch import Options, cores, tasks_of
from rca.batch.fork import start_server
from rca.batch.plan import plan
from rca.batch.pool import outcomes, threads
from rca.batch.record import Record, read_record
from rca.batch.repeatable import differences
from rca.batch.run import Task, files
from rca.errors import InputError


@dataclass(frozen=True)
class Comparison:
    """A run made again; `difference` is empty when it gave the same bytes."""

    folder: Path
    difference: str


def verify(folders: Sequence[Path], options: Options) -> Iterator[Comparison]:
    """Execute runs again and compare; InputError where a run's inputs are not those of then any more.

    folders   of runs, or of studies for all runs of them
    """
    os.environ["RCA_CACHE"] = ""  # nothing is believed that was answered before
    if options.warm:
        start_server()
    places = [place for folder in folders for place in _runs_in(folder)]
    with tempfile.TemporaryDirectory(prefix="rca-verify-") as elsewhere:
        tasks = _tasks(places, Path(elsewhere), options)
        with threads(options.jobs or cores(), lambda task: None) as submit:
            for outcome in outcomes([task for _, task in tasks], submit):
                (place,) = (place for place, task in tasks if task.run.folder == outcome.folder)
                yield Comparison(place, compare(place, outcome.folder))


def compare(place: Path, again: Path) -> str:
    """The first difference between two folders of the same run, in words."""
    if not again.exists():
        return "it could not be made again"
    import nbformat

    before, now = (nbformat.read(folder / "report.ipynb", as_version=4) for folder in (place, again))
    found = differences(before, now)
    if found:
        return f"report.ipynb: {found}"
    names = {str(path.relative_to(folder)) for folder in (place, again) for path in files(folder)} - {"run.json"}
    for name in sorted(names):
        one, other = place / name, again / name
        if not one.exists() or not other.exists() or one.read_bytes() != other.read_bytes():
            return name
    return ""


def _runs_in(folder: Path) -> list[Path]:
    found = [path.parent for path in sorted([*folder.glob("run.json"), *folder.glob("*/run.json")])]
    if not found:
        raise InputError(f"{folder} has no run in it; give the folder of a run, such as outputs/STUDY/SCOPE.")
    return found


def _tasks(places: Sequence[Path], elsewhere: Path, options: Options) -> list[tuple[Path, Task]]:
    """A task for each run, to be performed in another folder."""
    records = {place.resolve(): record for place in places if (record := read_record(place))}
    tasks: list[tuple[Path, Task]] = []
    problems: list[str] = []
    for number, study in enumerate(dict.fromkeys(record.study for record in records.values())):
        (one,) = plan([Path(study)], elsewhere / str(number))
        one.folder.mkdir(parents=True)
        found = {tuple(run.scope.items()): run for run in one.runs}
        mine = {place: record for place, record in records.items() if record.study == study}
        gone = [place for place, record in mine.items() if tuple(record.scope.items()) not in found]
        problems += [f"{place}: {study} has no such run any more." for place in gone]
        runs = [found[tuple(record.scope.items())] for place, record in mine.items() if place not in gone]
        again = tasks_of(replace(one, runs=runs), options)
        tasks += zip([place for place in mine if place not in gone], again, strict=True)
    for place, task in tasks:
        changed = _changed(records[place], task)
        if changed:
            problems.append(f"{place}: cannot be compared, since then {changed} changed.")
    if problems:
        raise InputError("\n".join(problems))
    return tasks


def _changed(record: Record, task: Task) -> str:
    changed = [name for name, value in task.inputs.items() if record.inputs.get(name) != value]
    if not changed and record.everything != task.everything:
        changed = ["data of others"]
    return ", ".join(changed)
