"""From all results of a report to a short ranked list: what happened, where, how much, how sure, whose it is."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from html import escape
from typing import Any, TypeVar

import pandas as pd

from rca import sentences as say
from rca import summary
from rca.control_chart import ControlChart
from rca.errors import InputError
from rca.finding import Finding, dated, moves, segments, whole
from rca.localize import Localization
from rca.mix import Mix
from rca.onset import Onset
from rca.period import Dates
from rca.reach import Reach
from rca.result import Many, Result, rows
from rca.source import Source

R = TypeVar("R", bound=Result)
MIME = "application/vnd.rca.findings+json"
SCHEMA = 1
STEADY = 1e-9  # sigma of a chart whose KPI never moved: any change of it comes first
FALSE_ALARM = 0.05  # chance of any false finding in a whole report, over everything that was tested in it


@dataclass(frozen=True, eq=False, repr=False)
class Findings:
    """The ranked findings of one report: the scope's own first, then what is common to all.

    table   one row per finding
    record  findings, KPIs, actions and data facts as JSON (`schema` 1): the page and the index are built from it
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
            f"<li><b>{escape(f['title'])}</b> ({escape(f['tag'])}; {escape(f['impact_text'])})<br>"
            f"{escape(' · '.join(f['details']))}</li>"
            for f in [*self.record["findings"], *self.record["common"]]
        )
        top = f"<p><b>{escape(self.headline)}</b> {escape(self.record['lead'])}</p>"
        html = f'<div class="rca-result">{top}<ol>{items}</ol></div>'
        return {MIME: self.record, "text/html": html, "text/plain": repr(self)}


def findings(*results: Many | Result, source: Source) -> Findings:
    """Rank what the analyses of one scope found: charts, localizations, mixes, reaches, onsets, in any order.

    A finding stays when its adjusted p-value, times the number of analyses that searched for one, is at most 5 %:
    a quiet scope has a false finding in at most one report in twenty. Findings of different KPIs are ranked by
    impact in sigmas of the KPI's own chart; what is common to all scopes goes into a list of its own.
    """
    flat = [r for item in results for r in (item.values() if isinstance(item, Many) else [item])]
    charts, changes = _by_metric(flat, ControlChart), _by_metric(flat, Localization)
    mixes, reaches = _by_metric(flat, Mix), _by_metric(flat, Reach)
    level = FALSE_ALARM / max(len(changes) + len(mixes), 1)
    if not changes or not {*mixes, *reaches} <= set(changes) == set(charts):
        names = {"charts": [*charts], "localizations": [*changes], "mixes": [*mixes], "reaches": [*reaches]}
        given = "; ".join(f"{kind} of {say.several(of) or 'none'}" for kind, of in names.items())
        raise InputError(f"findings needs a control chart and a localization of each KPI; got {given}.")
    sigma = {name: chart.facts["sigma"] or STEADY for name, chart in charts.items()}
    starts = {(r.metric.name, row.segment): row for r in flat if isinstance(r, Onset) for row in rows(r.table)}
    found = [f for name, c in changes.items() for f in segments(c, reaches.get(name), source)]
    found += [f for name, r in reaches.items() for f in whole(changes[name], r)]
    found += [f for mix in mixes.values() for f in moves(mix)]
    found = [replace(f, weight=abs(f.impact) / sigma[f.metric]) for f in found if f.p_adj <= level]
    found = [dated(f, starts.get((f.metric, f.segment))) for f in found]
    found.sort(key=lambda f: (-f.weight, f.metric, f.segment))
    # where the whole KPI moved likewise everywhere, a part that others show too, or cannot be compared, is no one's own
    everywhere = {(f.metric, f.direction) for f in found if f.reach == "common" and not f.where}
    alone = [f for f in found if f.reach == "own" or (f.metric, f.direction) not in everywhere]
    own = [*(f for f in alone if f.kind == "rate" and f.reach != "common"), *_one_per_dimension(found)]
    own.sort(key=lambda f: (-f.weight, f.metric, f.segment))
    common = _one_per_metric(found)
    shared = {f.metric for f in common} - {f.metric for f in own}
    after = next(iter(changes.values())).after
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "title": summary.title(own, common, changes),
        "lead": summary.lead(own, common, changes, source),
        "scope": dict(source.scope),
        "before": _iso(next(iter(changes.values())).before),
        "after": _iso(after),
        "status": summary.status(own),
        "kpis": [summary.kpi(chart, changes[name], name in shared) for name, chart in charts.items()],
        "findings": [_json(f, i, source, after) for i, f in enumerate(own, start=1)],
        "common": [_json(f, i, source, after) for i, f in enumerate(common, start=1)],
        "actions": [summary.action(row, after) for row in rows(source.actions)],
        "quiet_text": summary.quiet(changes),
        "data": [{"label": say.capital(name), "text": text} for name, text in source.facts.items()],
    }
    return Findings(pd.DataFrame(record["findings"] + record["common"]), record)


def _by_metric(results: Sequence[Result], kind: type[R]) -> dict[str, R]:
    return {r.metric.name: r for r in results if isinstance(r, kind)}


def _one_per_dimension(found: Sequence[Finding]) -> Iterator[Finding]:
    """A shift of volume moves several KPIs: one finding, on the KPI it moves most, names the others."""
    shifts = [f for f in found if f.kind == "mix"]
    for dimension in dict.fromkeys(next(iter(f.where)) for f in shifts):
        first, *rest = [f for f in shifts if dimension in f.where]
        others = {f.metric: f"also {say.inner(f.label)} {f.impact_text}" for f in rest if f.metric != first.metric}
        yield replace(first, details=(*others.values(), *first.details))


def _one_per_metric(found: Sequence[Finding]) -> list[Finding]:
    """What is common to all is said once per KPI: of all cases, or of the largest part where only parts moved."""
    common = sorted((f for f in found if f.reach == "common"), key=lambda f: (bool(f.where), -f.weight))
    return list({f.metric: f for f in reversed(common)}.values())[::-1]


def _json(finding: Finding, rank: int, source: Source, after: Dates) -> dict[str, Any]:
    details = (*finding.details, *summary.follow_up(finding, source, after))
    plain = asdict(replace(finding, rank=rank, details=details))
    return {
        k: summary.rounded(v) if isinstance(v, float) else list(v) if isinstance(v, tuple) else v
        for k, v in plain.items()
    }


def _iso(dates: Dates) -> list[str]:
    return [d.date().isoformat() for d in dates]
