"""What is to be done: the open actions of a source, and drafts for the findings of a study that nobody acts on yet."""

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from rca.batch.plan import plan
from rca.batch.record import Finding, Findings, findings_of
from rca.batch.workbook import defused
from rca.errors import InputError, hint
from rca.period import day
from rca.records import ACTIONS, concerning
from rca.result import rows
from rca.sentences import capital, count, inner, segment_words
from rca.source import Source, open_source
from rca.summary import covers


def actions(path: Path, out: Path, on: str, file: Path | None) -> str:
    """The open actions by owner, and drafts: rows for the table of actions that lack an owner and a date.

    path  a study, or the contract of a source, which has no reports to draft from
    out   where the study's reports are
    on    the day by which an action is overdue; today where it is empty
    file  a new file for the drafts; None to have them in the text
    """
    try:
        when = pd.Timestamp(dt.date.fromisoformat(on) if on else dt.date.today())
    except ValueError:
        raise InputError(f"--on: {on!r} is no day; give one such as 2026-11-15.") from None
    if not path.is_file():
        names = (p.name for p in path.parent.glob("*.yml"))
        raise InputError(f"no study or source {str(path)!r}. {hint(path.name, names)}")
    if not _is_study(path):
        return listed(open_source(path), when)
    (one,) = plan([path], out)
    drafted = drafts(one.source, [found for run in one.runs if (found := findings_of(run.folder))])
    return listed(one.source, when) + (_saved(drafted, file) if len(drafted) else "")


def _saved(drafted: pd.DataFrame, file: Path | None) -> str:
    """Where the drafts are. Never the analyst's own table: a person gives each an owner and a date first."""
    many = (
        f"{count(len(drafted), 'draft')}: give each an owner and a due date, and add them to the table of actions."
    )
    if file is None:
        return f"\n\n{many}\n{drafted.to_csv(index=False).rstrip()}"
    try:
        with file.open("x", encoding="utf-8", newline="") as new:
            drafted.to_csv(new, index=False)
    except OSError as error:
        raise InputError(f"{file}: drafts go to a new file, this one cannot be made ({error.strerror}).") from None
    return f"\n\n{many}\nDrafts: {file}"


def _is_study(path: Path) -> bool:
    """Whether a file names a notebook; what is wrong with it is said by whoever reads it."""
    try:
        return "notebook" in yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError, TypeError):
        return True


def listed(source: Source, on: pd.Timestamp) -> str:
    """The open actions, those of an owner below each other, the first due first."""
    found = source.actions[source.actions["status"] == "open"].sort_values(["owner", "due", "action_id"])
    scoping = [name for name in found if name in source.contract.dimensions]
    lines = []
    for owner, own in found.groupby("owner"):
        lines.append(str(owner))
        for row in own.to_dict("records"):
            limits = ", ".join(f"{name.replace('_', ' ')} {row[name]}" for name in scoping if row[name])
            state = f"{count((on - row['due']).days, 'day')} overdue" if row["due"] < on else "open"
            what = f"{row['title']} ({limits})" if limits else row["title"]
            lines.append(f"  {row['action_id']}  {what}: {state}, due {day(row['due'], year=True)}")
    late = int((found["due"] < on).sum())
    lines.append(f"{count(len(found), 'open action')}, {late} overdue on {day(on, year=True)}.")
    return "\n".join(lines)


def drafts(source: Source, reports: Sequence[Findings]) -> pd.DataFrame:
    """A row for each change for the worse that no action covers; what is common to all gets one row for all."""
    taken = set(source.actions["action_id"])
    numbers = (name for i in itertools.count(1) if (name := f"NEW-{i}") not in taken)
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for report in reports:
        for scope, finding in _uncovered(source, report):
            everywhere = f"{capital(segment_words(finding.where))}: {inner(finding.label)}, common to all"
            place = (*scope.values(), finding.metric, finding.segment)
            found[place] = {
                **scope,
                "title": f"Find and set right: {finding.title if scope else everywhere}",
                "metric": finding.metric,
                "segment": finding.segment if finding.where else "",
                "status": "open",
                "expected_effect": "" if finding.effect is None else float(f"{-finding.effect:.2g}"),
            }
    columns = list(map(str, source.actions)) if source.contract.actions else list(ACTIONS)
    columns += sorted({name for report in reports for name in report.scope} - set(columns))
    drafted = [{"action_id": number} | row for row, number in zip(found.values(), numbers, strict=False)]
    frame = pd.DataFrame(drafted, columns=columns)
    return frame.map(lambda cell: defused(cell) if isinstance(cell, str) else cell)


def _uncovered(source: Source, report: Findings) -> Iterator[tuple[dict[str, str], Finding]]:
    """Findings with the scope that must act: the report's own, or none where the cause is common.

    Covered is what has an open action, or one so fresh that the report cannot show yet what it brought.
    """
    own = concerning(source.actions, report.scope)
    acted = own[(own["status"] == "open") | (own["effective"] >= pd.Timestamp(report.after[0]))]
    for scope, findings in ((report.scope, report.findings), ({}, report.common)):
        for finding in findings:
            if finding.direction == "worse" and not any(covers(row, finding) for row in rows(acted)):
                yield scope, finding
