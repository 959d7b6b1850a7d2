"""What a fix check has to tell: the verdict, always; of a KPI that the action was not for, only a change of it."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from rca import fix_words as words
from rca import sentences as say
from rca.action import action
from rca.finding import Evidence, Finding, measured
from rca.fix_check import FixCheck
from rca.kpi_card import rounded
from rca.period import day

FIRST = 1000.0  # weight of the verdict on the KPI that the action was for


def fix_findings(check: FixCheck, evidence: Evidence) -> Iterator[Finding]:
    """The verdict as a finding; a side effect where the action was for another KPI."""
    metric, verdict = check.metric, check.verdict
    done = action(evidence.source) if evidence.source.about_action else None
    aside = done is not None and done.metric != metric.name
    moved = verdict in ("worked", "got worse")
    if aside and not moved:
        return
    name, label = done.title if done else "The fix", say.inner(metric.label)
    with_fix, without = check.levels
    levels = f"{label} {metric.text(without)} → {metric.text(with_fix)}"
    size = f"{label} {say.moved(check.effect)} by {metric.change(check.effect, signed=False)}"
    if aside:
        title, headline = f"Side effect: {levels}", f"{name} had a side effect: {size}."
    elif moved:
        word = "worked" if verdict == "worked" else "made it worse"
        title, headline = f"{name} {word}: {levels}", f"{name} {word}: {size}."
    elif verdict == "no effect":
        most = words.bound(metric, max(check.excluded, key=abs))
        title = f"{name} had no effect: {label} changed by less than {most}"
        headline = f"{title}."
    else:
        title = f"Whether “{name}” worked cannot be told yet" + ("" if np.isnan(check.effect) else f": {levels}")
        headline = f"Whether “{name}” worked cannot be told yet."
    told = measured(metric, check.effect, check.conf_low, check.conf_high, check.p_value, check.effect)
    told |= {} if aside else {"p_adj": np.nan}
    told |= {} if moved else {"direction": "neutral", "impact": np.nan}
    told |= {"impact_text": ""} if np.isnan(check.effect) else {}
    without_it = f"Without it, {label} would be {metric.text(without)} there."
    yield Finding(
        **told,
        kind="fix",
        where=check.where,
        reach="",
        title=title,
        headline=headline,
        tag=("side effect, " if aside else "") + verdict,
        cases=check.cases[0],
        cases_text=words.cases(check),
        remedy=without_it if moved else say.capital(words.outlook(check) or words.excluded(check)) + ".",
        since=check.change_at.date().isoformat(),
        actions=(done.action_id,) if done else (),
        details=tuple(filter(None, (f"in effect since {day(check.change_at)}", words.size(check), *check.caveats))),
        weight=None if aside else FIRST,
    )


def fix_card(check: FixCheck) -> dict[str, Any]:
    """The KPI where the fix was made: its level since, and the verdict."""
    metric, moved = check.metric, check.verdict in ("worked", "got worse")
    known = not np.isnan(check.effect)
    value = check.levels[0] if known else float(check.table["value"].dropna().iloc[-1])
    judged = metric.judge(check.effect) if moved else "steady"
    target = metric.target(check.compared[1][1])
    return {
        "metric": metric.name,
        "label": metric.label,
        "value": rounded(value),
        "text": metric.text(value),
        "target_text": "" if target is None or check.where else f"target {metric.text(target)}",
        "change_text": f"{metric.change(check.effect)} with the fix" if known else "",
        "status": judged,
        "trend": "flat" if not moved else "up" if check.effect > 0 else "down",
        "status_text": check.verdict if check.expected is not None or moved else "no effect shown",
        "spark": [rounded(v) for v in check.table["value"]],
        "signals": np.flatnonzero(check.table["phase"] == "after").tolist() if moved else [],
    }
