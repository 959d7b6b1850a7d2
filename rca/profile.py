"""A profile of a source in two queries: each column as a whole, and how many cases each value has per period."""

from dataclasses import dataclass
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from rca.cases import expressions
from rca.columns import MARKERS, local, skipped
from rca.cube import MISSING
from rca.period import floor, span

if TYPE_CHECKING:
    from rca.source import Source

MANY = 1000  # values of a dimension: more are not worth their names
WIDE = 200  # columns: the rest of a wider table is not looked at
THIN = 0.015  # share of the cases at one end of the data that is too little for a chart
SPELT = sorted({way(marker) for marker in MARKERS for way in (str.upper, str.lower, str.capitalize)})
LONG = {"W": 70, "M": 730}  # days of data from which on cases are counted per week, per month


@dataclass(frozen=True)
class Profile:
    """What the cases of a source look like.

    columns  one row per column: `missing` and `markers` (cases; the key is not looked through), `marker` (an example),
             `values` (of a dimension)
    counts   one row per dimension (`""`: none), value and period: `cases`, `volume` (the exposure of a rate, else
             cases), and per metric the cases whose value is not known, in a column `metric NAME`
    skipped  cases with a time that the clocks of the file's zone never showed
    periods  the first days of all periods from the first case to the last
    period   D, W or M: the step of `counts`
    """

    columns: pd.DataFrame
    counts: pd.DataFrame
    skipped: int
    periods: pd.DatetimeIndex
    period: str

    @cached_property
    def body(self) -> pd.DatetimeIndex:
        """The periods without those at either end that hold next to no cases."""
        running = self.series().sum(axis=1).cumsum()
        inside = (running > THIN * running.iloc[-1]) & (running.shift(fill_value=0) < (1 - THIN) * running.iloc[-1])
        return self.periods[inside.to_numpy()]

    def series(self, dimension: str = "", measure: str = "cases") -> pd.DataFrame:
        """Counts of a dimension: one row per period, gaps included, one column per value."""
        rows = self.counts[self.counts["dimension"] == dimension]
        return rows.set_index(["period", "value"])[measure].unstack().reindex(self.periods).fillna(0)


def profile(source: "Source") -> Profile:
    """Profile the cases of a source."""
    table, contract = source.table, source.contract
    days = (source.extent[1] - source.extent[0]).days
    longest = [step for step, least in LONG.items() if days > least]
    period = max(["D", contract.time.each, *longest], key="DWM".find)
    names = list(table.columns[:WIDE])
    never = table.count(where=skipped(table, contract))
    found = table.aggregate(skipped=never, **_columns(table, names, source)).execute().iloc[0]
    found = found.where(found.notna(), 0).to_dict()
    few = [name for name in source.dimensions if found[f"values {name}"] <= MANY]
    counts = _counts(source, few, period)
    for name, rows in counts[counts["value"].isin(SPELT)].groupby("dimension"):  # cheaper here than in every case
        found |= {f"markers {name}": rows["cases"].sum(), f"marker {name}": rows["value"].min()}
    columns = {
        what: [found.get(f"{what} {name}", 0) for name in names]
        for what in ("missing", "markers", "marker", "values")
    }
    periods = span(floor(source.extent[0], period), floor(source.extent[1], period), period)
    return Profile(pd.DataFrame(columns, index=names), counts, int(found["skipped"]), periods, period)


def _columns(table: ir.Table, names: list[str], source: "Source") -> dict[str, Any]:
    measures: dict[str, Any] = {}
    for name in names:
        column = table[name]
        measures[f"missing {name}"] = column.isnull().sum()
        if column.type().is_string() and name not in {*source.contract.key, *source.dimensions}:
            marks = column.isin(SPELT)
            measures |= {f"markers {name}": marks.sum(), f"marker {name}": column.min(where=marks)}
    return measures | {f"values {name}": table[name].nunique() for name in source.dimensions}


def _counts(source: "Source", dimensions: list[str], period: str) -> pd.DataFrame:
    table = source.table
    step = local(table, source.contract).truncate(period)
    plain = [metric for metric in source.metrics.values() if not metric.repeat]
    measured = {metric.name: expressions(table, metric) for metric in plain}
    exposures = [measured[metric.name]["out_of"] for metric in plain if metric.kind == "rate"]
    volume = exposures[0].cast("float64") if exposures else ibis.literal(1.0)
    unknown = {
        f"metric {metric.name}": _unknown(measured[metric.name], metric.kind == "rate").cast("int64")
        for metric in plain
    }
    cases = table.mutate(rca_step=step, rca_volume=volume, **unknown)

    def counted(dimension: str) -> ir.Table:
        value = cases[dimension].cast("string").fill_null(MISSING) if dimension else ibis.literal("")
        sums = {name: cases[name].sum() for name in unknown}
        rows = cases.group_by(value=value, period=cases.rca_step).agg(
            cases=cases.count(), volume=cases.rca_volume.sum(), **sums
        )
        return rows.mutate(dimension=ibis.literal(dimension))

    counts = reduce(lambda one, other: one.union(other), [counted(name) for name in ("", *dimensions)]).execute()
    counts["period"] = pd.to_datetime(counts["period"]).astype("datetime64[us]")
    return counts.sort_values(["dimension", "value", "period"], ignore_index=True)


def _unknown(measured: dict[str, Any], rate: bool) -> Any:
    """Whether a case is asked for, but has no value."""
    if rate:
        return measured["counts"].isnull() | measured["out_of"].isnull()
    asked = measured.get("out_of", ibis.literal(True)).fill_null(False)
    return measured["value" if "value" in measured else "counts"].isnull() & asked
