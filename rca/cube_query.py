"""The one query: from the cases of a source to cubes, in the engine that holds them."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from rca.cube import MISSING, Cube
from rca.errors import InputError, known
from rca.files import engine_errors
from rca.metric import Metric
from rca.period import PERIODS, Dates, Window, floor, last_day, resolve, span
from rca.source import Source


def cube(
    source: Source, metric: str, *, by: str | Iterable[str] = (), period: str = "W", within: Window | None = None
) -> Cube:
    """Counts of one metric per period and combination of the dimensions `by`, in one query.

    Periods are the source's local days (D), weeks from Monday (W) or months (M). `within` limits the cases to a
    window; a period that the data or the window covers in part is `partial`. A dimension that a case does not have
    is "(missing)".

    proportion  n: cases where `out_of` is true; total: those where `counts` is true as well
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
    within: Window | None = None,
) -> Mapping[str, Cube]:
    """The cubes of several metrics by the same dimensions, still in one query: name -> Cube."""
    names = [known(name, source.metrics, "metric") for name in ([metrics] if isinstance(metrics, str) else metrics)]
    by = [known(name, source.dimensions, "dimension") for name in ([by] if isinstance(by, str) else by)]
    known(period, PERIODS, "period")
    covered = _covered(source, period, within)
    frame = _query(source, [source.metrics[name] for name in names], by, period, covered)
    first, last = floor(covered[0], period), floor(covered[1], period)
    partial = [p for p in dict.fromkeys((first, last)) if p < covered[0] or last_day(p, period) > covered[1]]
    found = {}
    for name in names:
        measures = {f"{name}:{measure}": measure for measure in ("n", "total", "total_sq")}
        rows = frame[["period", *by, *(c for c in measures if c in frame)]].rename(columns=measures)
        rows = rows[(rows["n"] != 0) | (rows["total"] != 0)]
        found[name] = Cube(rows, source.metrics[name], by, period, partial, source.scope)
    return found


def _covered(source: Source, period: str, within: Window | None) -> Dates:
    """The days that a cube covers."""
    first, last = source.extent
    if within is None:
        return first, last
    periods = span(floor(first, period), floor(last, period), period)
    whole = periods[[p >= first and last_day(p, period) <= last for p in periods]]
    start, end = resolve(within, whole, period, "within")
    if end < first or start > last:
        raise InputError(
            f"within {start:%Y-%m-%d} to {end:%Y-%m-%d} lies outside the data: {first:%Y-%m-%d} to {last:%Y-%m-%d}."
        )
    return max(start, first), min(end, last)


def _query(source: Source, metrics: list[Metric], by: list[str], period: str, covered: Dates) -> pd.DataFrame:
    import ibis

    from rca.columns import local

    table = source.table
    when = local(table[source.time], source.contract)
    if covered != source.extent:
        end = covered[1] + pd.Timedelta(days=1)
        inside = (when >= ibis.literal(covered[0].to_pydatetime())) & (when < ibis.literal(end.to_pydatetime()))
        table = table.filter(inside)
        when = local(table[source.time], source.contract)
    measures = {f"{m.name}:{name}": value for m in metrics for name, value in _measures(table, m).items()}
    keys = {"period": when.truncate(period), **{name: table[name] for name in by}}
    grouped = table.group_by(**keys).aggregate(**measures)
    # labels are made of the few groups, not of every case
    labels = {name: grouped[name].cast("string").nullif("").fill_null(MISSING) for name in by}
    with engine_errors([source.folder / source.name]):
        return grouped.mutate(**labels).execute()


def _measures(table: Any, metric: Metric) -> dict[str, Any]:
    """What a metric sums up, as expressions over the cases."""
    from rca.cases import expressions

    found = expressions(table, metric)
    if metric.kind == "proportion":
        asked = found.get("out_of")
        counted = found["counts"] if asked is None else found["counts"] & asked
        return {"n": table.count(where=asked), "total": table.count(where=counted)}
    if metric.kind == "mean":
        value = found["value"].cast("float64").nullif(float("nan"))
        if "out_of" in found:
            value = found["out_of"].ifelse(value, None)
        return {
            "n": value.count(),
            "total": value.sum().fill_null(0),
            "total_sq": (value * value).sum().fill_null(0),
        }
    events, exposure = found["counts"].cast("float64"), found["out_of"].cast("float64")
    both = events.notnull() & exposure.notnull()
    return {"n": exposure.sum(where=both).fill_null(0), "total": events.sum(where=both).fill_null(0)}
