"""The index of a study: scopes by KPI with value, trend, status and first finding, linking to the reports."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from rca.batch.alarms import q_values, read_table, stands, write_findings
from rca.batch.earlier import periods
from rca.batch.html import environment, numeral, script
from rca.batch.plan import Run
from rca.batch.record import Finding, Findings, Kpi, findings_of, read_record
from rca.batch.run import Outcome
from rca.batch.study import Study

ORDER = ("failed", "attention", "better", "quiet", "skipped")


@dataclass(frozen=True)
class Row:
    """One scope of the index; `link` is empty where there is no report."""

    name: str
    link: str
    status: str
    sentence: str = ""
    findings: Findings | None = None
    q_values: Sequence[float | None] = ()

    @property
    def standing(self) -> list[Finding]:
        """The findings that stand in the whole batch."""
        found = self.findings.findings if self.findings else []
        return [f for f, q in zip(found, self.q_values, strict=True) if stands(q)]

    @property
    def need(self) -> str:
        """What a reader should do: failed, attention, better, quiet, skipped."""
        if not self.findings:
            return "failed" if self.status == "failed" else "skipped"
        if any(f.direction == "worse" for f in self.standing):
            return "attention"
        return "better" if any(f.direction == "better" for f in self.standing) else "quiet"

    @property
    def weight(self) -> float:
        """How heavy its first finding is: what rows of one need are ordered by."""
        return max((f.weight for f in self.standing), default=0.0)

    def kpi(self, metric: str) -> Kpi | None:
        """The KPI of that metric, where the report has it."""
        found = [kpi for kpi in self.findings.kpis if kpi.metric == metric] if self.findings else []
        return found[0] if found else None


def write_index(study: Study, folder: Path, runs: Sequence[Run], outcomes: Sequence[Outcome]) -> Path:
    """Write the index of a study, and its findings as one table, into its folder; returns the path of `index.html`.

    outcomes   of the batch that has just ended; other runs are shown as they were left
    """
    now = {outcome.folder: outcome for outcome in outcomes}
    before = periods(folder)
    for period in before:
        if not (period / "index.html").exists():
            rows = [_left(run, period / run.folder.name) for run in runs if (period / run.folder.name).is_dir()]
            _write(study, period, rows, current="../../index.html")
    rows = [row for run in runs if (row := _row(run, now.get(run.folder)))]
    links = [(f"{period.parent.name}/{period.name}/index.html", period.name) for period in before]
    return _write(study, folder, rows, earlier=links)


def _write(
    study: Study, folder: Path, rows: Sequence[Row], current: str = "", earlier: Sequence[tuple[str, str]] = ()
) -> Path:
    rows = _corrected(rows)
    done = [row for row in rows if row.findings]
    reports = [row.findings for row in rows if row.findings]
    labels: dict[str, str] = {}  # in the order of the reports; the first to name a KPI names it for all
    for kpi in (kpi for report in reports for kpi in report.kpis):
        labels.setdefault(kpi.metric, kpi.label)
    after = max((report.after for report in reports), default=None)
    sentence = _sentence(done, _plural(study.for_each)) if study.for_each or not done else reports[0].title
    counts = Counter(row.status for row in rows)
    page = environment().get_template("index.html.j2")
    text = page.render(
        title=study.title,
        noun=(study.for_each or "report").replace("_", " "),
        nouns=_plural(study.for_each or "report"),
        sentence=sentence,
        after=after,
        labels=labels,
        rows=sorted(rows, key=lambda row: (ORDER.index(row.need), -row.weight)),
        common=_common(reports),
        counts=counts,
        earlier=earlier,
        current=current,
        script=script("index.js"),
    )
    kept = Counter("done" if row.findings else row.need for row in rows)  # whether made now or before
    about = {"title": study.title, "sentence": sentence, "for_each": study.for_each, "counts": kept}
    about["to"] = after[1].isoformat() if after else ""
    write_findings(folder, about, [(row.link, row.findings, row.q_values) for row in rows if row.findings])
    return _replace(folder / "index.html", text)


def write_home(out: Path) -> Path:
    """Write `index.html` of all studies in a folder, each with the sentence of its own index."""
    found = [(path.parent.name, read_table(path.parent)) for path in sorted(out.glob("*/findings.json"))]
    studies = [{**table, "link": f"{quote(name)}/index.html"} for name, table in found if table]
    return _replace(out / "index.html", environment().get_template("home.html.j2").render(studies=studies))


def _replace(target: Path, text: str) -> Path:
    draft = target.with_name(f".{target.name}")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, target)
    return target


def _corrected(rows: Sequence[Row]) -> list[Row]:
    """The rows with the q-values of their findings over the whole batch."""
    every = iter(q_values([row.findings for row in rows if row.findings]))
    return [replace(row, q_values=next(every)) if row.findings else row for row in rows]


def _row(run: Run, outcome: Outcome | None) -> Row | None:
    """What the run's folder holds, or what this batch says of it; None where it was never run."""
    record = read_record(run.folder)
    if record is None or (outcome and outcome.status != record.status):  # it failed before it could leave anything
        return Row(run.name, "", outcome.status, outcome.sentence) if outcome else None
    row = _left(run, run.folder)
    return replace(row, status="unchanged") if outcome and outcome.because == "unchanged" and row.link else row


def _left(run: Run, folder: Path) -> Row:
    """What a run left in a folder."""
    record, findings = read_record(folder), None
    if record is None:
        return Row(run.name, "", "outdated", "Made by an earlier version; run the study again.")
    if record.status == "done":
        findings = findings_of(folder)
        if findings is None:
            return Row(run.name, "", "outdated", "Made by an earlier version; run the study again.")
    return Row(run.name, f"{quote(folder.name)}/report.html", record.status, record.sentence, findings)


def _sentence(rows: Sequence[Row], nouns: str) -> str:
    """The finding of the whole batch: `2 of 8 vendors need attention; one change is common to all.`"""
    needy = sum(row.need == "attention" for row in rows)
    verb = "needs" if needy == 1 else "need"
    text = f"{needy or 'None'} of {len(rows)} {nouns} {verb} attention"
    common = len(_common(row.findings for row in rows if row.findings))
    if common:
        text += f"; {numeral(common)} {'change is' if common == 1 else 'changes are'} common to all"
    return f"{text}." if rows else "No report could be made."


def _common(reports: Iterable[Findings]) -> list[str]:
    """What is common to all, each change once, with its smallest and largest size."""
    found: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in (f for report in reports for f in report.common):
        found.setdefault((finding.label, finding.segment, finding.direction), []).append(finding)
    texts = []
    for (label, segment, _), same in sorted(found.items()):
        low, high = (end(same, key=lambda f: abs(f.impact or 0.0)).impact_text for end in (min, max))
        number, _, unit = low.partition(" ")
        least = number if high.endswith(f" {unit}") else low  # −2.7 to −4.6 points
        texts.append(f"{label}, {segment}: {high if low == high else f'{least} to {high}'}")
    return texts


def _plural(dimension: str) -> str:
    """A dimension in the plural, in words.

    >>> _plural("vendor"), _plural("assignment_group"), _plural("category")
    ('vendors', 'assignment groups', 'categories')
    """
    noun = dimension.replace("_", " ")
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"
