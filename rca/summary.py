"""The top of a report: what its title means, five lines, the actions."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from rca import sentences as say
from rca.finding import Finding
from rca.localize import Localization
from rca.metric import Metric
from rca.period import Dates, day
from rca.result import rows
from rca.source import Source


def lead(own: Sequence[Finding], common: Sequence[Finding], changes: Iterable[Localization], source: Source) -> str:
    """What it means, and what setting it right would bring; a partner is not told who else shows it."""
    if not own:
        return quiet(changes)
    top = own[0]
    dimension = " ".join(source.scope).replace("_", " ")
    own_alone = bool(dimension) and top.reach == "own" and top.kind == "rate" and source.audience != "partner"
    alone = f"No other {dimension} shows it for the same cases." * own_alone
    shared = [f"{say.inner(f.label)} {f.impact_text}" for f in common]
    apart = f"Common to all and not counted against it: {say.several(shared)}." * bool(shared)
    return " ".join(filter(None, [alone, top.remedy, apart]))


def status(own: Sequence[Finding]) -> str:
    directions = {f.direction for f in own}
    return "attention" if "worse" in directions else "better" if "better" in directions else "quiet"


def quiet(changes: Iterable[Localization]) -> str:
    """How large a change could have been missed; empty where no KPI was searched for one."""
    sizes = [
        f"of {say.inner(c.metric.label)} by {c.metric.change(c.detectable[1.0], signed=False)}" for c in changes
    ]
    return f"A change {say.several(sizes, 'or')} over all cases would have been seen." if sizes else ""


def lines(
    own: Sequence[Finding],
    common: Sequence[Finding],
    cards: Sequence[Mapping[str, Any]],
    actions: Sequence[Mapping[str, Any]],
    quiet_text: str,
    source: Source,
) -> list[dict[str, str]]:
    """The report in at most five lines, each with a label: what, where, when and why, whose, next.

    A partner sees few events and actions, or none: that none is known, or open, is not said to it.
    """
    partner = source.audience == "partner"
    shared = say.several([f"{say.inner(f.label)} {f.impact_text}" for f in common])
    look = "not counted against you" if partner else "look at the clock, the policy or the tool"
    everyone = f"Common to all: {shared}; {look}." if shared else ""
    todo = "" if partner and not actions else _todo(actions, bool(own))
    if not own:
        quiet_line = f"No change{' of its own' * bool(common)} beyond noise."
        given = {"What": quiet_line, "Whose": everyone, "How sure": quiet_text, "Next": todo}
    else:
        top = own[0]
        card = next((c for c in cards if c["metric"] == top.metric), None)
        first = f"{top.label} {top.impact_text}." if card is None else _card(card)
        more = len(own) - 1
        others = f"; {say.count(more, 'more finding')} below" if more else ""
        where = ", ".join(
            filter(None, [top.title, " ".join(filter(None, [top.impact_text, _paren(top.cases_text)]))])
        )
        given = {
            "What": first,
            "Where": f"{where}{others}.",
            "When and why": _when(top, "" if partner else "no known event began then"),
            "Whose": " ".join(
                filter(None, [f"{say.capital(top.tag)}." * bool(top.kind == "rate" and top.tag), everyone])
            ),
            "Next": " ".join(filter(None, [todo if not top.actions else _followed(top), top.remedy])),
        }
    return [{"label": label, "text": text} for label, text in given.items() if text]


def _paren(text: str) -> str:
    return f"({text})" if text.startswith("≈") else text


def _card(card: Mapping[str, Any]) -> str:
    value = f"{card['label']} {', '.join(filter(None, (card['text'], card['change_text'])))}"
    return f"{'; '.join(filter(None, (value, card['target_text'])))}."


def _when(finding: Finding, unknown: str) -> str:
    """Since when, and what began then."""
    if not finding.when:
        return "No start could be dated." if finding.kind in ("rate", "mix") else ""
    tied = [d for d in finding.details if d.startswith("coincides") or " in effect since " in d]
    return f"{'; '.join(filter(None, (say.capital(finding.when), say.several(tied) or unknown)))}."


def _followed(finding: Finding) -> str:
    """The actions on a finding, as its details have them."""
    return " ".join(f"{say.capital(d)}." for d in finding.details if d.startswith("action "))


def _todo(actions: Sequence[Mapping[str, Any]], found: bool) -> str:
    """How many actions are open and late."""
    still = [a for a in actions if a["state"] != "done"]
    late = sum(a["late"] for a in still)
    if not still:
        return "No action is open."
    overdue = f", {late} overdue" if late else ""
    return f"{say.count(len(still), 'action')} open{overdue}{'; none on this finding' * found}."


def definition(metric: Metric, source: Source) -> dict[str, str]:
    """What a KPI means, in the words of its contract; to a partner without expressions over columns closed to it."""
    if source.audience == "partner" and _reads_closed(metric, source):
        metric = metric.model_copy(update={"counts": None, "out_of": None, "value": "a value that is not shown"})
    repeat = " that the same customer follows with another" * bool(metric.repeat)
    where = f" where {metric.counts}" if metric.counts else repeat
    what = {
        "proportion": f"share of {metric.cases}{where}",
        "mean": f"mean of {metric.value} over {metric.cases}",
        "rate": f"{metric.counts or 'events'} per {metric.out_of or 'unit'}",
    }[metric.kind]
    asked = f", of those where {metric.out_of}" * bool(metric.out_of and metric.kind != "rate")
    since = [
        f"{metric.text(t.value)}{f' since {day(pd.Timestamp(t.since), year=True)}' * (t.since > dt.date.min)}"
        for t in metric.targets
    ]
    target = f"; target {', '.join(since)}" * bool(since)
    way = "more" if metric.better == "up" else "less"
    return {"label": metric.label, "text": f"{what}{asked}; {way} is better{target}"}


def _reads_closed(metric: Metric, source: Source) -> bool:
    from rca.expression import columns_of

    read = set().union(*(columns_of(text) for text in (metric.counts, metric.out_of, metric.value) if text))
    contract = source.contract
    return not read.isdisjoint(contract.closed | (set(contract.dimensions) - set(source.dimensions)))


def action(row: Any, after: Dates) -> dict[str, Any]:
    """An action with its state on the last day of the report."""
    late = row.status != "done" and pd.notna(row.due) and row.due < after[1]
    state = f"{say.count((after[1] - row.due).days, 'day')} overdue" if late else row.status
    return {
        "action_id": row.action_id,
        "title": row.title,
        "owner": row.owner,
        "due": day(row.due) if pd.notna(row.due) else "",
        "state": state,
        "late": bool(late),
    }


def followed(finding: Finding, source: Source, after: Dates) -> Finding:
    """The finding with the actions on its metric and segment, each with its state; not with those it is about."""
    for row in rows(source.actions):
        if row.action_id not in finding.actions and covers(row, finding):
            known = action(row, after)
            done = row.status == "done" and pd.notna(row.effective)
            due = f", due {known['due']}" * bool(known["due"])
            state = f"in effect since {day(row.effective)}" if done else f"{known['state']}{due}"
            owner = f" ({row.owner})" * bool(row.owner)
            finding = replace(
                finding,
                actions=(*finding.actions, row.action_id),
                details=(*finding.details, f"action {row.action_id} {row.title}: {state}{owner}"),
            )
    return finding


def covers(row: Any, finding: Any) -> bool:
    """Whether an action is about what a finding found; one without a segment is about all cases."""
    return row.metric == finding.metric and row.segment in (finding.segment, "" if not finding.where else None)
