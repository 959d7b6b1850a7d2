"""The one query: from the cases of a source to cubes, in the engine that holds them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import pandas as pd

from rca.cache import cached
from rca.cube import MISSING, OTHER, Cube
from rca.engines import asking
from rca.errors import InputError, known
from rca.metric import Metric
from rca.period import FINE, PERIODS, Dates, Window, floor, last_day, resolve, span
from rca.source import Source

MOST = 1_000_000  # rows of a cube
KEPT = (1000, 300, 100, 30, 10)  # values of a dimension, where there are too many rows


def cube(
    source: Source, metric: str, *, by: str | Iterable[str] = (), period: str = "W", within: Window = "all"
) -> Cube:
    """Counts of one metric per period and combination of the dimensions `by`, in one query.

    Periods are the source's local days (D), weeks from Monday (W) or months (M); for incidents also 10min, 15min,
    30min or h of the local clock. `within` limits the cases to a window; a period that the data or the window covers
    in part is `partial`. A dimension that a case does not have is "(missing)". Of a cube that would have more than a
    million rows the dimensions keep as many of their largest values as fit, and the others are together "(other)".

    proportion  n: cases where `out_of` is true; total: those where `counts` is true as well. Of repeats n leaves
                out who could still come again; a period with such cases is partial
    mean        n: cases whose `value` is known (and `out_of` is true); total, total_sq: sum of values, of squares
    rate        n: sum of `out_of`; total: sum of `counts`, both over the cases where both are known
    """
    return cubes(source, [metric], by=by, period=period, within=within)[metric]


def cubes(
    source: Source,
    metrics: Iterable[str],
    *,
    by: str | Iterable[str] = (),
    period: str = "W",
    within: Window = "all",
) -> Mapping[str, Cube]:
    """The cubes of several metrics by the same dimensions, still in one query: name -> Cube."""
    names = [known(name, source.metrics, "metric") for name in ([metrics] if isinstance(metrics, str) else metrics)]
    by = [
        known(name, source.dimensions, "dimension") for name in dict.fromkeys([by] if isinstance(by, str) else by)
    ]
    finest, steps = source.contract.time.each, FINE | PERIODS
    if list(steps).index(known(period, steps, "period")) < list(steps).index(finest):
        raise InputError(f"period {period!r} is too fine: each time stands for a whole {steps[finest]}.")
    wanted = [source.metrics[name] for name in names]
    covered = _covered(source, period, within, min((_known(source, m) for m in wanted), default=source.extent[1]))
    frame = _query(source, wanted, by, period, covered)
    first, end = floor(covered[0], period), floor(covered[1], period)
    common: dict[str, Any] = {"by": tuple(by), "period": period, "scope": source.scope}
    common |= {"zone": source.zone, "mediators": source.contract.mediators}
    found = {}
    for name in names:
        measures = {f"{name}:{measure}": measure for measure in ("n", "total", "total_sq")}
        rows = frame[["period", *by, *(c for c in measures if c in frame)]].rename(columns=measures)
        rows = rows[(rows["n"] != 0) | (rows["total"] != 0)]
        last = min(covered[1], _known(source, source.metrics[name]))
        doubtful = dict.fromkeys([first, *span(floor(last, period), end, period)])
        partial = [p for p in doubtful if p < covered[0] or last_day(p, period) > last]
        found[name] = Cube.of_clean(
            frame=rows.reset_index(drop=True), metric=source.metrics[name], partial=tuple(partial), **common
        )
    return found


def _known(source: Source, metric: Metric) -> pd.Timestamp:
    """The last day of which all cases are known: of repeats the last after which the time to come again is over."""
    return source.extent[1] - (pd.Timedelta(metric.repeat.within).ceil("D") if metric.repeat else pd.Timedelta(0))


def _covered(source: Source, period: str, within: Window, known_to: pd.Timestamp) -> Dates:
    """The days that a cube covers; words such as `last 4` count back from the last period that is known whole."""
    first, last = source.extent
    if within == "all":
        return first, last
    period = "D" if period in FINE else period
    periods = span(floor(first, period), floor(last, period), period)
    whole = periods[[p >= first and last_day(p, period) <= known_to for p in periods]]
    start, end = resolve(within, whole, period, "within")
    if end < first or start > last:
        raise InputError(
            f"within {start:%Y-%m-%d} to {end:%Y-%m-%d} lies outside the data: {first:%Y-%m-%d} to {last:%Y-%m-%d}."
        )
    return max(start, first), min(end, last)


def _query(source: Source, metrics: list[Metric], by: list[str], period: str, covered: Dates) -> pd.DataFrame:
    """`period`, the dimensions as text, and the measures of each metric as `name:n`, `name:total`, ...; sorted."""
    import ibis

    from rca.cases import expressions
    from rca.columns import local

    table = source.measured(*metrics)
    when = local(table, source.contract)
    parts = {metric.name: expressions(table, metric) for metric in metrics}
    values = {f"{name}:{part}": value for name, found in parts.items() for part, value in found.items()}
    cases = table.select(period=when, **{name: table[name] for name in by}, **values)
    if covered != source.extent:
        start, end = covered[0], covered[1] + pd.Timedelta(days=1)
        cases = cases.filter(cases.period >= ibis.literal(start), cases.period < ibis.literal(end))
    measures: dict[str, Any] = {}
    for metric in metrics:
        columns = {part: cases[f"{metric.name}:{part}"] for part in parts[metric.name]}
        measures |= {
            f"{metric.name}:{name}": sums for name, sums in _measures(metric.kind, cases, **columns).items()
        }
    fractions = any(value.type().is_floating() or value.type().is_decimal() for value in values.values())
    one_by_one = fractions and cases.get_backend().name == "duckdb"

    def ask() -> pd.DataFrame:
        with asking(f"source {source.name}"), _in_order(cases.get_backend()) if one_by_one else nullcontext():
            return _groups(cases, by, period, measures)

    frame = cached(source, [list(measures), by, period, covered], ask).copy()
    for name in measures:
        if not np.isfinite(frame[name]).all():
            raise InputError(f"metric {name.rpartition(':')[0]}: a value is infinite or too large to sum.")
    frame["period"] = pd.to_datetime(frame["period"]).astype("datetime64[us]")
    frame = frame.sort_values(["period", *by], ignore_index=True)
    keys = frame[["period", *by]]
    if keys.eq(keys.shift()).all(axis=1).any():  # what is missing can have been written in several ways
        return frame.groupby(["period", *by], as_index=False).sum()
    return frame


def _groups(cases: Any, by: list[str], period: str, measures: Mapping[str, Any]) -> pd.DataFrame:
    """The measures of each group. Where there would be too many, small values of the dimensions are put together."""
    for kept in (None, *KEPT):
        kinds = {name: cases[name] if kept is None else _largest(cases, name, kept) for name in by}
        grouped = cases.group_by(period=_bucket(cases.period, period), **kinds).aggregate(**measures)
        # labels are made of the few groups, not of every case
        labels = {name: grouped[name].cast("string").nullif("").fill_null(MISSING) for name in by}
        frame = grouped.mutate(**labels).limit(MOST + 1).execute()
        if len(frame) <= MOST:
            return frame
    raise InputError(f"a cube by {', '.join(by)} and {PERIODS.get(period, period)} has too many rows: take fewer.")


def _largest(cases: Any, name: str, kept: int) -> Any:
    """A dimension whose largest values keep their names."""
    text = cases[name].cast("string").nullif("").fill_null(MISSING)
    counts = cases.group_by(value=text).agg(cases=cases.count())
    first = counts.order_by(counts.cases.desc(), counts.value).limit(kept + 1).execute()["value"]
    return text.isin(first[:kept].tolist()).ifelse(text, OTHER) if len(first) > kept else text


def _bucket(time: Any, period: str) -> Any:
    """The beginning of the period that holds a time."""
    if not period.endswith("min"):
        return time.truncate(period)
    return time.truncate("m") - (time.minute() % int(period[:2])).as_interval("m")  # Spark has no other way


@contextmanager
def _in_order(backend: Any) -> Iterator[None]:
    """One thread sums fractions: with more, the last digit of a sum depends on which of them is first."""
    backend.raw_sql("SET threads = 1")
    try:
        yield
    finally:
        backend.raw_sql("RESET threads")


def _measures(kind: str, cases: Any, counts: Any = None, out_of: Any = None, value: Any = None) -> dict[str, Any]:
    """What a metric sums up, from its expressions as columns of the cases."""
    if kind == "proportion":
        counted = counts if out_of is None else counts & out_of
        found = {"n": cases.count(where=out_of), "total": cases.count(where=counted)}
        return {name: count.fill_null(0) for name, count in found.items()}  # Spark counts no missing conditions
    if kind == "mean":
        number = _number(value) if out_of is None else out_of.ifelse(_number(value), None)
        sums = {"total": number.sum(), "total_sq": (number * number).sum()}
        return {"n": number.count(), **{name: each.fill_null(0) for name, each in sums.items()}}
    events, exposure = _number(counts), _number(out_of)
    both = events.notnull() & exposure.notnull()
    return {"n": exposure.sum(where=both).fill_null(0), "total": events.sum(where=both).fill_null(0)}


def _number(value: Any) -> Any:
    return value.cast("float64").nullif(float("nan"))
