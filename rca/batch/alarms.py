"""The findings of a whole batch as one table, and which of them stand when everything that was looked at is counted."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scipy.stats import false_discovery_control

from rca.batch.record import Findings, write_json

FALSE_SHARE = 0.05  # of the findings that stand, at most so many are expected to be false
NUMBERS = ("effect", "conf_low", "conf_high", "p_adj", "q_value", "impact", "cases", "weight")
TEXTS = ("metric", "kind", "segment", "direction", "reach", "title", "since", "until", "events", "remedy")


def q_values(reports: Sequence[Findings]) -> list[list[float | None]]:
    """For each report the q-value of each of its own findings, over the whole batch; None where nothing was tested.

    Benjamini & Hochberg (1995, J. R. Stat. Soc. B 57): every analysis that looked for findings is a test; those that
    found nothing count with p = 1. p is corrected already for all that its analysis looked at.
    """
    found = [f.p_adj for report in reports for f in report.findings if f.p_adj is not None]
    tests = sum(max(report.looked, len(report.findings)) for report in reports)
    padded = [*found, *[1.0] * max(tests - len(found), 0)]
    adjusted = iter(false_discovery_control(padded).tolist() if padded else [])
    return [[None if f.p_adj is None else next(adjusted) for f in report.findings] for report in reports]


def stands(q_value: float | None) -> bool:
    """Whether a finding counts in a batch."""
    return q_value is None or q_value <= FALSE_SHARE


def write_findings(
    folder: Path, about: dict[str, Any], rows: Sequence[tuple[str, Findings, Sequence[float | None]]]
) -> None:
    """`findings.csv` and `findings.json` beside the index: a row per finding of every report.

    rows   for each report its address, its findings and the q-values of its own ones
    """
    table = [
        row
        for link, report, q_of in rows
        for found, qs in ((report.findings, q_of), (report.common, [None] * len(report.common)))
        for finding, q in zip(found, qs, strict=True)
        for row in [_row(link, report, finding.model_dump(mode="json"), q)]
    ]
    write_json(folder / "findings.json", {"schema": 1, **about, "findings": table})
    names = [*(about["for_each"].split()), "report", "to", "rank", "stands", *TEXTS, "actions", *NUMBERS]
    with (folder / "findings.csv").open("w", encoding="utf-8", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(names)
        sheet.writerows([[_cell(row.get(name, "")) for name in names] for row in table])


def _row(link: str, report: Findings, finding: dict[str, Any], q: float | None) -> dict[str, Any]:
    known = {**finding, "q_value": None if q is None else float(f"{q:.6g}")}
    row = {**report.scope, "report": link, "to": report.after[1].isoformat(), "rank": finding["rank"]}
    row |= {"stands": stands(q), **{name: known[name] for name in (*TEXTS, *NUMBERS)}}
    return {**row, "actions": ", ".join(finding["actions"]), "details": finding["details"]}


def _cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    risky = isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{value}" if risky else value


def read_table(folder: Path) -> dict[str, Any] | None:
    """What `write_findings` left in a folder, or None."""
    try:
        return dict(json.loads((folder / "findings.json").read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
