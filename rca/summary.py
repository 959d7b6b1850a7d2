"""The top of a report: what its title means, a card per KPI, the actions."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rca import sentences as say
from rca.control_chart import ControlChart
from rca.finding import Finding
from rca.localize import Localization
from rca.period import Dates, day
from rca.result import rows
from rca.source import Source


def lead(own: Sequence[Finding], common: Sequence[Finding], changes: Iterable[Localization], source: Source) -> str:
    """What it means, and what setting it right would bring."""
    if not own:
        return quiet(changes)
    top = own[0]
    dimension = " ".join(source.scope).replace("_", " ")
    alone = f"No other {dimension} shows it for the same cases." * (top.reach == "own" and top.kind == "rate")
    shared = [f"{say.inner(f.label)} {f.impact_text}" for f in common]
    apart = f"Common to all and not counted against it: {say.several(shared)}." * bool(shared)
    return " ".join(filter(None, [alone, top.remedy, apart]))


def status(own: Sequence[Finding]) -> str:
    directions = {f.direction for f in own}
    return "attention" if "worse" in directions else "better" if "better" in directions else "quiet"


def quiet(changes: Iterable[Localization]) -> str:
    """How large a change could have been missed; empty where no KPI was searched for one."""
    sizes = [f"{c.metric.change(c.detectable[1.0], signed=False)} of {say.inner(c.metric.label)}" for c in changes]
    return f"A change of the whole of {say.several(sizes, 'or')} would have been seen." if sizes else ""


def kpi(chart: ControlChart, change: Localization | None, common: bool) -> dict[str, Any]:
    """One card: value, target, change, and whether chance explains it or everyone shows it.

    With a localization, the value is that of its window after and the change the one that it explains; else the value
    is that of the last period that the chart judges, and the change its suggested change of level.
    """
    if change is None:
        metric, value, target = chart.metric, float(chart.judged["value"].iloc[-1]), chart.target
        effect = (
            chart.level_change["size"] if chart.level_change else value - float(chart.judged["center"].iloc[-1])
        )
    else:
        metric, value, effect = change.metric, change.value_after, change.value_after - change.value_before
        target = metric.target(change.after[1])
    drawn = chart.table if change is None or chart.whole is None else chart.whole
    status = "common" if common and chart.status != "steady" else chart.status
    texts = {"steady": "common cause", "common": "common to all"}
    size = metric.change(effect, signed=False)
    return {
        "metric": metric.name,
        "label": metric.label,
        "value": rounded(value),
        "text": metric.text(value),
        "target_text": "" if target is None else f"target {metric.text(target)}",
        "change_text": "steady" if status == "steady" else f"{size} {'higher' if effect > 0 else 'lower'}",
        "status": status,
        "status_text": texts.get(status, f"special cause, {status}"),
        "trend": "flat" if status == "steady" else "up" if effect > 0 else "down",
        "spark": [rounded(v) for v in drawn["value"]],
        "signals": np.flatnonzero(drawn["period"].isin(chart.signals["period"])).tolist(),
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


def followed(finding: Finding, source: Source, after: Dates) -> Finding:
    """The finding with the actions on its metric and segment, each with its state; not with those it is about."""
    for row in rows(source.actions):
        if (
            row.action_id not in finding.actions
            and row.metric == finding.metric
            and row.segment in (finding.segment, "" if not finding.where else None)
        ):
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


def rounded(value: float) -> float | None:
    """Six significant digits: enough for any reader, and the same on every machine."""
    return float(f"{value:.6g}") if np.isfinite(value) else None
