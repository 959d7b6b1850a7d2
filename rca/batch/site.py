"""The index of a study: scopes by KPI with value, trend, status and first finding, linking to the reports."""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args
from urllib.parse import quote

from rca.batch.html import environment, numeral
from rca.batch.plan import Run
from rca.batch.record import Findings, Kpi, Record, Status, read_findings


@dataclass(frozen=True)
class Row:
    """One scope of the index."""

    name: str
    link: str
    record: Record
    findings: Findings | None

    def kpi(self, metric: str) -> Kpi | None:
        found = [kpi for kpi in self.findings.kpis if kpi.metric == metric] if self.findings else []
        return found[0] if found else None


def write_index(runs: Sequence[Run]) -> Path:
    """Write `index.html` beside the runs of one study and return its path."""
    study, folder = runs[0].study, runs[0].folder.parent
    rows = [row for run in runs if (row := _row(run))]
    reports = [row.findings for row in rows if row.findings]
    labels = {kpi.metric: kpi.label for report in reports for kpi in report.kpis}
    counts = {status: sum(row.record.status == status for row in rows) for status in get_args(Status)}
    page = (
        environment()
        .get_template("index.html.j2")
        .render(
            study=study,
            noun=study.for_each.replace("_", " "),
            sentence=_sentence(reports, _plural(study.for_each)),
            after=max((report.after for report in reports), default=None),
            labels=labels,
            rows=rows,
            common=_common(reports),
            counts=counts,
        )
    )
    target, draft = folder / "index.html", folder / ".index.html"
    draft.write_text(page, encoding="utf-8")
    os.replace(draft, target)
    return target


def _row(run: Run) -> Row | None:
    """What the run's folder holds; None where there is none yet."""
    if not (run.folder / "run.json").exists():
        return None
    record = Record.model_validate_json((run.folder / "run.json").read_text(encoding="utf-8"))
    findings = None
    if record.status == "done":
        findings = read_findings(json.loads((run.folder / "findings.json").read_text(encoding="utf-8")))
    return Row(run.name, f"{quote(run.folder.name)}/report.html", record, findings)


def _sentence(reports: Sequence[Findings], nouns: str) -> str:
    """The finding of the whole batch: `2 of 8 vendors need attention; one change is common to all.`"""
    needy = sum(report.status == "attention" for report in reports)
    verb = "needs" if needy == 1 else "need"
    text = f"{needy or 'None'} of {len(reports)} {nouns} {verb} attention"
    common = len(_common(reports))
    if common:
        text += f"; {numeral(common)} {'change is' if common == 1 else 'changes are'} common to all"
    return f"{text}." if reports else "No report could be made."


def _common(reports: Iterable[Findings]) -> list[str]:
    """What is common to all, each change once: the same KPI, segment and direction."""
    found = {(f.metric, f.segment, f.direction): f.title for report in reports for f in report.common}
    return [found[key] for key in sorted(found)]


def _plural(dimension: str) -> str:
    """A dimension in the plural, in words.

    >>> _plural("vendor"), _plural("assignment_group"), _plural("category")
    ('vendors', 'assignment groups', 'categories')
    """
    noun = dimension.replace("_", " ")
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"
