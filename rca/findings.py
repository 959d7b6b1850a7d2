"""From all results of a report to a short ranked list: what happened, where, how much, how sure, whose it is.

Any kind of result may have something to tell. To add a kind, give its class

    def findings(self, evidence):
        from rca.my_findings import my_findings  # a small module: from one result to its `Finding`s

        return my_findings(self, evidence)

and it is on the list, the page and the index. `rca/mix_findings.py` is a short example; `rca.finding` has `Finding`
(what the fields mean), `measured` (effect, interval, impact and direction in numbers and words), `remedy`, and
`Evidence`, through which a result looks up others: `evidence.of(Reach, "csat")`. A test of its sentences belongs into
tests/test_findings.py (golden) and tests/test_sentences.py (a thousand random results). Nothing else is asked for: a
report needs neither a control chart nor a localization of any KPI. Control charts become cards, onsets date the
findings of their metric, kind and segment, reaches say whose they are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from rca import sentences as say
from rca import summary
from rca.control_chart import ControlChart
from rca.errors import InputError
from rca.finding import Evidence, Finding
from rca.fishbone import fishbone
from rca.kpi_card import kpi_card, rounded
from rca.localize import Localization
from rca.onset import Onset, words
from rca.period import Dates
from rca.reach import Reach
from rca.result import Many, Result, rows
from rca.source import Source

MIME = "application/vnd.rca.findings+json"
SCHEMA = 2
FALSE_ALARM = 0.05  # chance of any false finding in a whole report, over everything that was tested in it


@dataclass(frozen=True, eq=False, repr=False)
class Findings:
    """The ranked findings of one report: the scope's own first, then what is common to all.

    table   one row per finding
    record  findings, KPIs, actions and data facts as JSON (docs/findings.schema.json): page and index are built from it
    """

    table: pd.DataFrame
    record: dict[str, Any]

    @property
    def facts(self) -> dict[str, Any]:
        return {"status": self.record["status"], "findings": len(self.record["findings"]), **self.record["scope"]}

    @property
    def headline(self) -> str:
        return str(self.record["title"])

    def __repr__(self) -> str:
        return f"<Findings: {self.headline}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        items = "".join(
            f"<li><b>{escape(f['title'])}</b> ({escape('; '.join(filter(None, (f['tag'], f['impact_text']))))})<br>"
            f"{escape(' · '.join(f['details']))} {escape(f['remedy'])}</li>"
            for f in [*self.record["findings"], *self.record["common"]]
        )
        top = f"<p><b>{escape(self.headline)}</b> {escape(self.record['lead'])}</p>"
        html = f'<div class="rca-result">{top}<ol>{items}</ol></div>'
        return {MIME: self.record, "text/html": html, "text/plain": repr(self)}


def findings(*results: Many | Result, source: Source) -> Findings:
    """Rank what the analyses of one scope found, in any order.

    A finding stays when its adjusted p-value, times the number of analyses that looked for one, is at most 5 %: a
    quiet scope has a false finding in at most one report in twenty. Findings are ranked by their impact as far as it
    is certain (the end of the 95 % interval that is nearer to nothing), in sigmas of the KPI's own chart; what is
    common to all scopes goes into a list of its own.
    """
    flat = tuple(r for item in results for r in (item.values() if isinstance(item, Many) else [item]))
    if not flat:
        raise InputError("findings needs the result of at least one analysis, got none.")
    evidence = Evidence(flat, source)
    for reach in (r for r in flat if isinstance(r, Reach)):
        if evidence.of(Localization, reach.metric.name) is None:
            raise InputError(f"findings has the reach of {reach.metric.name}, but not the localization it is of.")
    before, after = _windows(flat, source)
    found = [_weighed(f, evidence) for f in _sure(flat, evidence)]
    found = [summary.followed(_dated(f, flat), source, after) for f in found]
    found.sort(key=_order)
    # where the whole KPI moved likewise everywhere, a part that others show too, or cannot be compared, is no one's own
    everywhere = {(f.metric, f.direction) for f in found if f.reach == "common" and not f.where}
    own = _told_once(
        f
        for f in found
        if f.reach != "common"
        and (f.kind != "rate" or f.reach == "own" or (f.metric, f.direction) not in everywhere)
    )
    common = _one_per_metric(found)
    changes = {r.metric.name: r for r in flat if isinstance(r, Localization)}
    shared = {f.metric for f in common if f.kind == "rate"} - {f.metric for f in own}  # a level is no change
    cards = [
        kpi_card(r, changes.get(r.metric.name), r.metric.name in shared)
        for r in flat
        if isinstance(r, ControlChart)
    ] + [r.card for r in flat if r.card]
    actions = [summary.action(row, after) for row in rows(source.actions)]
    quiet = summary.quiet(changes.values())
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "title": (own or common)[0].headline if own or common else "No change beyond noise.",
        "lead": summary.lead(own, common, changes.values(), source),
        "summary": summary.lines(own, common, cards, actions, quiet, source),
        "fishbone": fishbone([*own, *common], changes, source.families),
        "looked": len([r for r in flat if looks(r)]),
        "scope": dict(source.scope),
        "before": None if before is None else _iso(before),
        "after": _iso(after),
        "status": summary.status(own),
        "kpis": cards,
        "findings": [_json(f, i) for i, f in enumerate(own, start=1)],
        "common": [_json(f, i) for i, f in enumerate(common, start=1)],
        "actions": actions,
        "quiet_text": quiet,
        "definitions": [summary.definition(m, source) for m in {r.metric.name: r.metric for r in flat}.values()],
        "data": [{"label": say.capital(name), "text": text} for name, text in source.facts.items()],
    }
    return Findings(pd.DataFrame(record["findings"] + record["common"]), record)


def _windows(results: Sequence[Result], source: Source) -> tuple[Dates | None, Dates]:
    """What the report compares; without a comparison, all that the source has."""
    compared = [r.compared for r in results if r.compared]
    return compared[0] if compared else (None, source.extent)


def looks(result: Result) -> bool:
    """Whether a result looked for findings."""
    return type(result).findings is not Result.findings


def _sure(results: Sequence[Result], evidence: Evidence) -> list[Finding]:
    """The findings that remain when all that looked for one is counted; what was not tested stays."""
    looked = [r for r in results if looks(r)]
    level = FALSE_ALARM / max(len(looked), 1)
    return [f for r in looked for f in r.findings(evidence) if not f.p_adj > level]


def _weighed(finding: Finding, evidence: Evidence) -> Finding:
    """Its weight: the impact that is certain, in sigmas of the KPI's chart, or else of its own interval."""
    if finding.weight is not None:
        return finding
    ends = np.array([finding.conf_low, finding.conf_high])
    half = float(np.diff(ends)[0]) / 2
    certain = 1.0
    if finding.effect and np.isfinite(half):
        certain = max(float(np.min(ends * np.sign(finding.effect))) / abs(finding.effect), 0.0)
    sigma = _sigma(evidence.of(ControlChart, finding.metric), half / 2)
    size = abs(finding.impact) * min(certain, 1.0) / (sigma or 1e-9)  # a KPI that never moved before comes first
    return replace(finding, weight=size if np.isfinite(size) else 0.0)


def _sigma(chart: ControlChart | None, without: float) -> float | None:
    """How much the KPI varies from period to period: what a change of it is measured by."""
    if chart is None:
        return without
    return chart.facts["sigma"] if chart.whole is None else float(chart.whole["value"].std())


def _dated(finding: Finding, results: Iterable[Result]) -> Finding:
    """The finding with its start, if an onset has it, and the events that coincide with it."""
    for onset in results:
        if isinstance(onset, Onset) and (onset.metric.name, onset.of) == (finding.metric, finding.kind):
            for row in rows(onset.table[onset.table["segment"] == finding.segment]):
                until = "" if pd.isna(row.until) else row.until.date().isoformat()
                dated = replace(
                    finding, since=row.since.date().isoformat(), until=until, events=row.events, when=words(row)
                )
                said = (words(row), *[f"coincides with {row.events}"] * bool(row.events))
                return replace(dated, details=(*said, *finding.details))
    return finding


def _order(finding: Finding) -> tuple[float, str, str]:
    return (-(finding.weight or 0.0), finding.metric, finding.segment)


def _told_once(found: Iterable[Finding]) -> list[Finding]:
    """One finding per topic, the heaviest, which names what it did to other KPIs and what others say of it."""
    topics: dict[str, list[Finding]] = {}
    for i, finding in enumerate(found):
        topics.setdefault(finding.topic or str(i), []).append(finding)
    told = []
    for first, *rest in topics.values():
        others = {f.metric: f"also {say.inner(f.label)} {f.impact_text}" for f in rest if f.metric != first.metric}
        others |= {f.kind: say.inner(f.title) for f in rest if f.kind != first.kind}
        dated = next((f for f in (first, *rest) if f.when), first)
        when = {name: getattr(dated, name) for name in ("when", "since", "until", "events")}
        told.append(replace(first, details=(*others.values(), *first.details), **when))
    return told


def _one_per_metric(found: Sequence[Finding]) -> list[Finding]:
    """What is common to all is said once per KPI: of all cases, or of the largest part where only parts moved."""
    common = sorted((f for f in found if f.reach == "common"), key=lambda f: (bool(f.where), *_order(f)))
    return list({f.metric: f for f in reversed(common)}.values())[::-1]


def _json(finding: Finding, rank: int) -> dict[str, Any]:
    plain = asdict(replace(finding, rank=rank))
    del plain["topic"]
    return {
        k: rounded(v) if isinstance(v, float) else list(v) if isinstance(v, tuple) else v for k, v in plain.items()
    }


def _iso(dates: Dates) -> list[str]:
    return [d.date().isoformat() for d in dates]
