"""What a fix check has to tell: the verdict, always; of a KPI that the action was not for, only a change of it."""

from collections.abc import Iterator

import numpy as np

from rca import fix_words as words
from rca import sentences as say
from rca.action import action
from rca.finding import Evidence, Finding, measured
from rca.fix_check import FixCheck
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
        title, headline = f"{say.capital(word)}: {levels}", f"{name} {word}: {size}."
    elif verdict == "no effect":
        most = metric.change(max(check.excluded, key=abs), signed=False)
        title = f"No effect: {label} changed by less than {most}"
        headline = f"{name} had no effect: {label} changed by less than {most}."
    else:
        title = f"Cannot be told yet: {label}" + ("" if np.isnan(check.effect) else levels.removeprefix(label))
        headline = f"Whether {name} worked cannot be told yet."
    told = measured(metric, check.effect, check.conf_low, check.conf_high, check.p_value, check.effect)
    told |= {} if aside else {"p_adj": np.nan}
    told |= {} if moved else {"direction": "neutral"}
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
