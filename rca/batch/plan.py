"""A plan: every run of the studies. All that is wrong with any of them is said before the first kernel starts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rca.batch.folders import safe_names
from rca.batch.parameters import Parameter, read_parameters, wrong_parameters
from rca.batch.study import Study, read_study
from rca.contract import AUDIENCES
from rca.cube import MISSING
from rca.errors import InputError, hint
from rca.files import find_file
from rca.scope import ACTION
from rca.source import Source, open_source

ALL = "all"  # the name of the one report of a study that is not for each of something


@dataclass(frozen=True)
class Run:
    """One report to make: a notebook for one scope. `folder` is its final place."""

    study: Study
    notebook: Path
    scope: dict[str, str]
    parameters: dict[str, Any]
    folder: Path

    @property
    def name(self) -> str:
        """The scope in words: `Andes`."""
        return ", ".join(self.scope.values()) or ALL

    @property
    def pack(self) -> Path | None:
        """The folder in it that the vendor receives, where the report is for the vendor."""
        return self.folder / f"pack-{self.folder.name}" if self.parameters.get("audience") == "partner" else None


@dataclass(frozen=True)
class Plan:
    """The runs of one study and the source they read."""

    study: Study
    source: Source
    runs: list[Run]
    folder: Path


def plan(paths: Sequence[Path], out: Path) -> list[Plan]:
    """The plans of the studies, in the order of the files; InputError has a line for each mistake in them."""
    plans: list[Plan] = []
    stems = [path.stem for path in paths]
    problems = [
        f"two studies are called {s!r}: they would share a folder."
        for s in sorted(set(stems))
        if stems.count(s) > 1
    ]
    for path in paths:
        try:
            plans.append(_plan(read_study(path), out))
        except InputError as error:
            problems += str(error).splitlines()
    if problems:
        raise InputError("\n".join(problems))
    return plans


def only_named(runs: Sequence[Run], names: Sequence[str]) -> list[Run]:
    """The runs whose scope is one of the names (all runs when there are no names)."""
    known = sorted({run.name for run in runs})
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError("\n".join(f"--only: no study has {name!r}. {hint(name, known)}" for name in unknown))
    return [run for run in runs if not names or run.name in names]


def _plan(study: Study, out: Path) -> Plan:
    """The plan of one study; what is wrong with notebook, parameters, contract and data is collected first."""

    problems: list[str] = []

    def attempt(step: Any, *arguments: Any) -> Any:
        try:
            return step(*arguments)
        except InputError as error:
            problems.extend(str(error).splitlines())
            return None

    notebook = attempt(find_file, study.notebook, study.path.parent)
    contract = attempt(find_file, study.source, study.path.parent)
    takes = attempt(read_parameters, notebook) if notebook else None
    audience = "partner" if study.parameters.get("audience") == "partner" else "internal"
    source = attempt(lambda: open_source(contract, audience=audience)) if contract else None
    if takes is not None:
        problems += _wrong(study, takes)
    if source is not None:
        problems += _unknown(study, source)
        for records in ("events", "actions"):
            attempt(getattr, source, records)
    known = source is not None and study.for_each in ("", *_kinds(source))
    scopes = attempt(_scopes, study, source) if known else []
    if not problems and not scopes:
        none = "no action is in effect on a KPI" if study.for_each == ACTION else f"no case has a {study.for_each}"
        problems.append(f"{none}.")
    if problems:
        raise InputError("\n".join(f"{study.path}: {problem}" for problem in problems))
    assert isinstance(source, Source)
    folder = out / study.name
    runs = [
        Run(
            study=study,
            notebook=notebook,
            scope=scope,
            parameters={"source": study.source, "scope": scope, **study.parameters},
            folder=folder / name,
        )
        for value, name in zip(scopes, safe_names(scopes), strict=True)
        for scope in [{study.for_each: value} if study.for_each else {}]
    ]
    return Plan(study, source, runs, folder)


def _wrong(study: Study, takes: Mapping[str, Parameter]) -> Iterator[str]:
    """Parameters that the notebook does not take, or not of this type."""
    for name in ("source", "scope"):
        if name in study.parameters:
            yield f"parameter {name!r} comes from the study itself, take it out of 'parameters'."
        if name not in takes:
            each = f"for each {study.for_each}" if study.for_each else "by a study"
            yield f"{study.notebook} has no parameter {name!r}, so it cannot be run {each}."
    yield from wrong_parameters(takes, study.parameters)
    given = {"source", "scope", *study.parameters}
    yield from (f"parameter {n!r} has no value." for n, p in takes.items() if p.required and n not in given)


def _unknown(study: Study, source: Any) -> Iterator[str]:
    """Names of metrics, dimensions and periods that there are not, and windows that are none."""
    from rca.period import PERIODS

    if not study.for_each:
        if study.parameters.get("audience") == "partner":
            yield "for_each: a report on all is for no partner; name the dimension of the partners."
    elif study.for_each not in (kinds := _kinds(source)):
        yield f"for_each: unknown dimension {study.for_each!r}. {hint(study.for_each, kinds)}"
    for parameter, what, known in (
        ("metric", "metric", source.metrics),
        ("metrics", "metric", source.metrics),
        ("by", "dimension", source.dimensions),
        ("period", "period", PERIODS),
        ("audience", "audience", AUDIENCES),
    ):
        given = study.parameters.get(parameter, [])
        for name in given if isinstance(given, list) else [given]:
            if name not in known:
                yield f"{parameter}: unknown {what} {name!r}. {hint(name, known)}"


def _kinds(source: Source) -> list[str]:
    """What there can be a report for each of; one about an action tells of all vendors, and is for no partner."""
    return [*source.dimensions, *[ACTION] * bool(source.contract.actions and source.audience == "internal")]


def _scopes(study: Study, source: Any) -> list[str]:
    """The values to make a report for: all of them by name, or those with most cases; or the actions in effect."""
    if not study.for_each:
        return [ALL]
    if study.for_each in source.dimensions:
        known = list(source.values(study.for_each).drop(MISSING, errors="ignore").index)
    else:
        from rca.action import reviewable

        known = reviewable(source)
    found = known[: study.largest]
    if study.only is not None:
        wanted = [str(value) for value in study.only]
        unknown = [value for value in wanted if value not in known]
        if unknown:
            raise InputError("\n".join(f"only: unknown {study.for_each} {v!r}. {hint(v, known)}" for v in unknown))
        found = [value for value in found if value in wanted]
    return found if study.largest else sorted(found)
