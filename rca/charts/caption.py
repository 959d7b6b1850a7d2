"""The sentence under the picture: the chart, its baseline, what was adjusted, what to be careful with."""

from typing import Any

import numpy as np
import pandas as pd

from rca.charts.found import Found
from rca.charts.limits import SHORT
from rca.charts.phases import Plan
from rca.charts.series import Series
from rca.period import Dates, day, last_day, words

LABEL = {
    "xmr": "XmR chart", "xbar_s": "Xbar-S chart", "p": "p chart", "np": "np chart", "u": "u chart", "c": "c chart",
    "p'": "p' chart (Laney)", "u'": "u' chart (Laney)", "g": "g chart", "t": "t chart", "ewma": "EWMA chart",
    "cusum": "CUSUM chart", "run": "Run chart",
}  # fmt: skip


def caption(s: Series, plan: Plan, found: Found, expected: float) -> str:
    """All clauses, `; ` between them."""
    base, unit = plan.bases[-1], s.unit
    source = f"limits from {base.sum()} {unit}s"
    if s.step:
        source += f" ({words(dates_of(s, base))})"
    name = LABEL[found.chart]
    parts = [f"{name}, {found.reason}" if found.reason else name, found.source or source, *found.notes]
    for phase in plan.phases[1:]:
        parts.append(f"set anew {_since(phase.start, s)}" + f" ({phase.reason})" * bool(phase.reason))
    for phase in plan.pending:
        parts.append(f"too few {unit}s since {_since(phase.start, s)} for limits of their own")
    if plan.excluded.any():
        count, why = int(plan.excluded.sum()), ", ".join(sorted({n for n in plan.notes if n}))
        parts.append(f"{count} {unit}{'s' * (count > 1)} with a known cause excluded" + f" ({why})" * bool(why))
    parts += [caveat(s, plan, found)] * bool(caveat(s, plan, found))
    number = "fewer than 0.1" if expected < 0.1 else f"about {expected:.1f}"
    parts.append(f"noise alone shows {number} signals on such a chart")
    return "; ".join(parts) + "."


def caveat(s: Series, plan: Plan, found: Found) -> str:
    """What a reader of the headline must know about the limits of the current phase, or ""."""
    base = plan.bases[-1]
    if not np.nan_to_num(found.limits.sigma[base]).any():
        return "the baseline does not vary, so any other value is a signal"
    if base.sum() < SHORT and not found.source:
        return f"limits are provisional, from {base.sum()} {s.unit}s"
    return ""


def _since(start: Any, s: Series) -> str:
    return day(pd.Timestamp(start), year=True) if s.step else f"point {start}"


def dates_of(s: Series, base: np.ndarray) -> Dates:
    """First and last day of a baseline."""
    return s.period[base][0], last_day(s.period[base][-1], s.step)
