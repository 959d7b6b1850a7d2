"""The top of a report: its title, what it means, a card per KPI, the actions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rca import sentences as say
from rca.control_chart import ControlChart
from rca.finding import Finding
from rca.localize import Localization
from rca.metric import Metric
from rca.period import Dates, day
from rca.result import rows
from rca.source import Source

NEARLY_ALL = 0.9  # a part that explains this much of a change, within noise, explains it all


def title(own: Sequence[Finding], common: Sequence[Finding], changes: Mapping[str, Localization]) -> str:
    """The report in one sentence."""
    if not own and not common:
        return "No change beyond noise."
    top = (own or common)[0]
    change = changes[top.metric]
    whole = change.value_after - change.value_before
    what, part = say.inner(top.label), say.segment_words(top.where)
    total, effect, impact = (change.metric.change(v, signed=False) for v in (whole, top.effect, top.impact))
    if not own:
        return f"No change of its own; {what} {say.moved(top.impact)} by {impact}, common to all."
    if top.kind == "mix":
        return f"{top.title.rpartition(': ')[0]}: {what} {say.moved(top.impact)} by {impact} through mix alone."
    if not top.where:
        return f"{top.label} {say.moved(top.effect)} by {effect} in all cases alike."
    explained = top.impact / whole if whole else 0.0
    if 0 < explained < NEARLY_ALL:
        return f"{top.label} {say.moved(whole)} by {total}; {part} explains {impact} of it."
    if NEARLY_ALL <= explained <= 1 / NEARLY_ALL:
        return f"{top.label} {say.moved(whole)} by {total}; {part} explains it all."
    return f"{say.capital(part)}: {what} {say.moved(top.effect)} by {effect}."


def lead(
    own: Sequence[Finding], common: Sequence[Finding], changes: Mapping[str, Localization], source: Source
) -> str:
    """What it means, and what setting it right would bring."""
    if not own:
        return quiet(changes)
    top = own[0]
    change, metric = changes[top.metric], changes[top.metric].metric
    sentences = []
    if top.reach == "own" and top.kind == "rate":
        dimension = " ".join(source.scope).replace("_", " ")
        sentences.append(f"No other {dimension} shows it for the same {metric.cases}.")
    if top.direction == "worse" and top.kind == "rate":
        back = change.value_after - top.impact
        target = metric.target(change.after[1])
        gap = "" if target is None else _gap(metric, back, target)
        sentences.append(f"At the former level there, {say.inner(metric.label)} would be {metric.text(back)}{gap}.")
    if common:
        shared = [f"{say.inner(f.label)} {f.impact_text}" for f in common]
        sentences.append(f"Common to all and not counted against it: {say.several(shared)}.")
    return " ".join(sentences)


def _gap(metric: Metric, value: float, target: float) -> str:
    if (value - target) * metric.sign >= 0:
        return ", on target"
    missed = "short of" if metric.better == "up" else "above"
    return f", {metric.change(value - target, signed=False)} {missed} the target of {metric.text(target)}"


def status(own: Sequence[Finding]) -> str:
    if any(f.direction == "worse" for f in own):
        return "attention"
    return "better" if own else "quiet"


def quiet(changes: Mapping[str, Localization]) -> str:
    """How large a change could have been missed."""
    sizes = [
        f"{c.metric.change(c.detectable[1.0], signed=False)} of {say.inner(c.metric.label)}"
        for c in changes.values()
    ]
    return f"A change of the whole of {say.several(sizes, 'or')} would have been seen."


def kpi(chart: ControlChart, change: Localization, common: bool) -> dict[str, Any]:
    """One card: value, target, change, and whether chance explains it or everyone shows it."""
    metric, table = change.metric, chart.table
    effect, target = change.value_after - change.value_before, metric.target(change.after[1])
    status = "common" if common and chart.status != "steady" else chart.status
    texts = {"steady": "common cause", "common": "common to all"}
    size = metric.change(effect, signed=False)
    return {
        "metric": metric.name,
        "label": metric.label,
        "value": rounded(change.value_after),
        "text": metric.text(change.value_after),
        "target_text": "" if target is None else f"target {metric.text(target)}",
        "change_text": "steady" if status == "steady" else f"{size} {'higher' if effect > 0 else 'lower'}",
        "status": status,
        "status_text": texts.get(status, f"special cause, {status}"),
        "trend": "flat" if status == "steady" else "up" if effect > 0 else "down",
        "spark": [rounded(v) for v in table["value"]],
        "signals": np.flatnonzero(table["period"].isin(chart.signals["period"])).tolist(),
    }


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


def follow_up(finding: Finding, source: Source, after: Dates) -> Iterator[str]:
    """The actions on a finding's metric and segment, each with its state."""
    for row in rows(source.actions):
        if row.metric == finding.metric and row.segment == finding.segment:
            known = action(row, after)
            done = row.status == "done" and pd.notna(row.effective)
            due = f", due {known['due']}" * bool(known["due"])
            state = f"in effect since {day(row.effective)}" if done else f"{known['state']}{due}"
            yield f"action {row.action_id} {row.title}: {state} ({row.owner})"


def rounded(value: float) -> float | None:
    """Six significant digits: enough for any reader, and the same on every machine."""
    return float(f"{value:.6g}") if np.isfinite(value) else None
