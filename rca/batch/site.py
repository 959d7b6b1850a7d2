"""The index of a study: scopes by KPI with value, trend, status and first finding, linking to the reports."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from rca.batch.html import environment, numeral
from rca.batch.plan import Run
from rca.batch.record import Finding, Findings, Kpi, read_findings, read_record
from rca.batch.run import Outcome
from rca.batch.study import Study
from rca.errors import InputError


@dataclass(frozen=True)
class Row:
    """One scope of the index; `link` is empty where there is no report."""

    name: str
    link: str
    status: str
    sentence: str = ""
    findings: Findings | None = None

    def kpi(self, metric: str) -> Kpi | None:
        """The KPI of that metric, where the report has it."""
        found = [kpi for kpi in self.findings.kpis if kpi.metric == metric] if self.findings else []
        return found[0] if found else None


def write_index(study: Study, folder: Path, runs: Sequence[Run], outcomes: Sequence[Outcome]) -> Path:
    """Write `index.html` of a study into its folder and return its path.

    outcomes   of the batch that has just ended; other runs are shown as they were left
    """
    now = {outcome.folder: outcome for outcome in outcomes}
    rows = [row for run in runs if (row := _row(run, now.get(run.folder)))]
    reports = [row.findings for row in rows if row.findings]
    labels: dict[str, str] = {}  # in the order of the reports; the first to name a KPI names it for all
    for kpi in (kpi for report in reports for kpi in report.kpis):
        labels.setdefault(kpi.metric, kpi.label)
    page = (
        environment()
        .get_template("index.html.j2")
        .render(
            title=study.title,
            noun=study.for_each.replace("_", " "),
            sentence=_sentence(reports, _plural(study.for_each)),
            after=max((report.after for report in reports), default=None),
            labels=labels,
            rows=rows,
            common=_common(reports),
            counts=Counter(row.status for row in rows),
        )
    )
    target, draft = folder / "index.html", folder / ".index.html"
    draft.write_text(page, encoding="utf-8")
    os.replace(draft, target)
    return target


def _row(run: Run, outcome: Outcome | None) -> Row | None:
    """What the run's folder holds, or what this batch says of it; None where it was never run."""
    record = read_record(run.folder)
    if record is None or (outcome and outcome.status != record.status):  # it failed before it could leave anything
        return Row(run.name, "", outcome.status, outcome.sentence) if outcome else None
    status = "unchanged" if outcome and outcome.because == "unchanged" else record.status
    findings = None
    if record.status == "done":
        try:
            findings = read_findings(json.loads((run.folder / "findings.json").read_text(encoding="utf-8")))
        except InputError:
            return Row(run.name, "", "outdated", "Made by an earlier version; run the study again.")
    return Row(run.name, f"{quote(run.folder.name)}/report.html", status, record.sentence, findings)


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
    """What is common to all, each change once, with its smallest and largest size."""
    found: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in (f for report in reports for f in report.common):
        found.setdefault((finding.label, finding.segment, finding.direction), []).append(finding)
    texts = []
    for (label, segment, _), same in sorted(found.items()):
        ends = [end(same, key=lambda f: abs(f.impact or 0.0)).impact_text for end in (min, max)]
        texts.append(f"{label}, {segment}: {' to '.join(dict.fromkeys(ends))}")
    return texts


def _plural(dimension: str) -> str:
    """A dimension in the plural, in words.

    >>> _plural("vendor"), _plural("assignment_group"), _plural("category")
    ('vendors', 'assignment groups', 'categories')
    """
    noun = dimension.replace("_", " ")
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"
