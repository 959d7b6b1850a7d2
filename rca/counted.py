"""What goes wrong, counted and in words: the quantity that a Pareto ranks."""

import pandas as pd

from rca.cube import MISSING, OTHER
from rca.errors import InputError
from rca.metric import THIN, Metric
from rca.sentences import inner, singular

CATCH_ALL = ("other", "others", OTHER, MISSING)  # a source's own buckets: nobody can act on them


def counts(rows: pd.DataFrame, metric: Metric) -> pd.Series:
    """What goes wrong per row of `n` and `total`.

    proportion  the cases on its bad side: those that do not count where more is better, else those that do
    rate        the events
    mean        the sum of the value (seconds, cost, impact)
    """
    count = rows["n"] - rows["total"] if metric.kind == "proportion" and metric.better == "up" else rows["total"]
    if (count < 0).any():
        raise InputError(f"a Pareto adds up amounts of 0 or more; {metric.name} has one of {count.min():g}.")
    return count.astype(float)


def counting(metric: Metric, one: bool = False) -> str:
    """What is counted, without the number; `one`: in the singular.

    >>> counting(Metric(name="csat", kind="proportion", better="up", cases="answers", label="CSAT"))
    'answers that lower CSAT'
    >>> counting(Metric(name="escalation_rate", kind="proportion", better="down"), one=True)
    'case that raises escalation rate'
    >>> counting(Metric(name="handling_time", kind="mean", better="down", unit="s"))
    'sum of handling time'
    """
    if metric.kind == "mean":
        return f"sum of {inner(metric.label)}"
    if metric.kind == "rate":
        return f"event{'s' * (not one)} of {inner(metric.label)}"
    verb = "lower" if metric.better == "up" else "raise"
    what = f"{singular(metric.cases)} that {verb}s" if one else f"{metric.cases} that {verb}"
    return f"{what} {inner(metric.label)}"


def counted(metric: Metric, count: float) -> str:
    """The whole that shares refer to.

    >>> counted(Metric(name="csat", kind="proportion", better="up", cases="answers", label="CSAT"), 1140)
    '1,140 answers that lower CSAT'
    >>> counted(Metric(name="handling_time", kind="mean", better="down", unit="s"), 1_123_200)
    '312 h of handling time'
    """
    if metric.kind == "mean":
        return f"{amounts(metric, pd.Series([count]))[0]} of {inner(metric.label)}"
    return f"{count:,.0f} {counting(metric, one=count == 1)}"


def amounts(metric: Metric, count: pd.Series) -> list[str]:
    """Counts as text, all in one unit: seconds become hours where the largest is ten hours or more."""
    if metric.kind != "mean":
        return [f"{c:,.0f}" for c in count]
    hours = metric.unit == "s" and count.max() >= 36_000
    unit = "h" if hours else metric.unit
    return [f"{c / (3600 if hours else 1):,.0f}{THIN + unit if unit else ''}" for c in count]


def catch_all(segment: pd.Series) -> pd.Series:
    """Which segments are only a bucket."""
    return segment.str.casefold().isin(CATCH_ALL)


def ordered(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of `segment, count, n` with the largest first; ties by more cases, then by name; catch-alls last."""
    rows = rows.assign(last=catch_all(rows["segment"]))
    rows = rows.sort_values(["last", "count", "n", "segment"], ascending=[True, False, False, True])
    return rows.drop(columns="last").reset_index(drop=True)
