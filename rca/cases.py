"""From rows to cases: one row per key, in the contract's time range, with its dimensions; no row gets lost."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from rca.columns import FAILED, REPEATED, ROW, failure, kinds, local, typed, utc
from rca.contract import Bands, Contract
from rca.errors import InputError, hint
from rca.expression import translate
from rca.files import Data
from rca.metric import Metric
from rca.period import Dates, day, floor, last_day
from rca.repeats import AGAIN, add_repeats
from rca.time_format import infer
from rca.unique import KEYS, check_unique

TIMES = "rca_times"
Recall = Callable[[str, Callable[[], Any]], Any]  # what is asked of the data, and how


@dataclass(frozen=True)
class Cases:
    """The cases of a source, whatever their scope, and what became of every row."""

    table: ir.Table
    rows: int
    count: int
    set_aside: dict[str, int]
    extent: Dates
    ends: pd.Timestamp
    formats: dict[str, str]  # how the times in a text are written


def read_cases(con: Any, data: Data, contract: Contract, recall: Recall) -> Cases:
    """The cases that `contract` finds in `data`; `con` is the Ibis connection that reads them, `recall(name, ask)` what
    `ask()` said of the same data before."""
    raw = data.read(con, contract)
    _check_names(raw, contract)
    if con.name != "duckdb":
        _check_types(raw, data, contract)
    untimed = _with_dimensions(
        typed(raw, contract, {}).drop(FAILED), contract
    )  # mistakes in the contract, before a row is read
    untimed = add_repeats(untimed, contract, pd.Timestamp(0))
    for metric in contract.metrics.values():
        expressions(untimed, metric)
    times = [name for name, kind in kinds(raw, contract).items() if kind == "time" and raw[name].type().is_string()]
    formats = recall("formats", lambda: {n: contract.time.format or infer(raw[n]) for n in times})
    zone = contract.time.zone
    if formats.get(contract.time.column, "").endswith("Z") and zone not in (None, "UTC"):
        raise InputError(f"the Z in {contract.time.column} says UTC: write zone: UTC and local: {zone}.")
    rows = typed(raw, contract, formats)
    if data.is_text:
        con.raw_sql("DROP TABLE IF EXISTS rca_rows")  # what a first try has left
        rows = con.create_table("rca_rows", rows, temp=True)
    no_key = reduce(or_, (rows[name].isnull() for name in contract.key))
    counts = {
        "rows": rows.count(),
        "no_key": rows.count(where=no_key),
        "failed": rows[FAILED].nullif(REPEATED).count(),
    }
    counts |= {"again": (rows[FAILED] == REPEATED).sum().fill_null(0)}
    found = recall("rows", lambda: {k: int(v) for k, v in rows.aggregate(**counts).execute().iloc[0].items()})
    if not found["rows"]:
        raise InputError(f"{data} holds no rows.")
    if found["failed"]:
        pieces = ((piece.paths[0], piece.read(con, contract)) for piece in data.pieces())
        raise failure(pieces if len(data.paths) > 1 else [(data.paths[0], raw)], contract, formats)

    if found["no_key"] == found["rows"]:
        raise InputError(f"{data}: no row has its key, {' and '.join(contract.key)}.")
    table = rows.filter(~no_key & ~rows[FAILED].identical_to(REPEATED)).drop(FAILED)
    aside = {f"without {' and '.join(contract.key)}": found["no_key"]}
    aside["that repeat the header"] = found["again"]
    if contract.latest_by:
        table = _latest(table, contract)
        if con.name == "duckdb":
            table = con.create_table("rca_cases", table, temp=True)
            con.raw_sql("DROP TABLE IF EXISTS rca_rows")  # the log itself is not needed any more
        cases = recall("cases", lambda: int(table.count().execute()))
        aside["earlier rows of a case"] = found["rows"] - sum(aside.values()) - cases
    else:
        recall("unique", lambda: check_unique(table, contract, found["rows"]))
    table, late, extent, ends = _in_range(table, contract, recall)
    aside = {reason: count for reason, count in (aside | late).items() if count}
    count = found["rows"] - sum(aside.values())
    table = _with_dimensions(table, contract)
    if con.name == "duckdb":
        table = con.create_view("rca_view", table, overwrite=True)  # translated once, not in each query
    return Cases(table, found["rows"], count, aside, extent, ends, formats)


def expressions(table: ir.Table, metric: Metric) -> dict[str, Any]:
    """The expressions of a metric over a table, `counts`, `out_of` and `value`, each of the type its kind needs.

    For repeats the table has to have the columns of `add_repeats`.
    """
    found = {}
    for field in ("counts", "out_of", "value"):
        text = getattr(metric, field)
        if text is not None:
            found[field] = translate(text, table, f"metric {metric.name}, {field}")
            kind, number = found[field].type(), field == "value" or metric.kind == "rate"
            if not (kind.is_numeric() if number else kind.is_boolean()):
                needed = "a number" if number else "a condition"
                raise InputError(
                    f"metric {metric.name}, {field}: {text!r} is {kind}, a {metric.kind} needs {needed}."
                )
    if metric.repeat:
        again = table[AGAIN + metric.name]
        asked = again.notnull()
        found |= {"value" if metric.kind == "mean" else "counts": again}
        found["out_of"] = asked & found["out_of"] if "out_of" in found else asked
    return found


def _check_names(raw: ir.Table, contract: Contract) -> None:
    fields: dict[str, Sequence[str]] = {
        "key": contract.key,
        "latest_by": contract.latest_by,
        "time": [contract.time.column],
        "local": list(contract.time.local) if isinstance(contract.time.local, dict) else [],
        "types": list(contract.types),
        "personal": contract.personal,
        "internal": contract.internal,
    }
    for field, names in fields.items():
        for name in names:
            if name not in raw.columns:
                raise InputError(f"{field}: unknown column {name!r}. {hint(name, raw.columns)}")
    for name in (FAILED, ROW, TIMES, KEYS):
        if name in raw.columns:
            raise InputError(f"the name {name!r} is taken: give this column another one.")


def _check_types(raw: ir.Table, data: Data, contract: Contract) -> None:
    """Other engines do not say which text is no number or time, or read one in their own way."""
    for name, kind in kinds(raw, contract).items():
        if raw[name].type().is_string() and kind != "text":
            raise InputError(f"{data}: {name} is text: make a view that casts it to a {kind}, and name the view.")


def _latest(rows: ir.Table, contract: Contract) -> ir.Table:
    """Per key the row with the largest `latest_by`; the other columns break a tie, so that one row remains."""
    for name in contract.latest_by:
        if rows[name].type().is_string():
            raise InputError(
                f"latest_by: {name} is text, where '10' comes before '9'; declare it, types: {{{name}: integer}}."
            )
    first = rows[contract.latest_by[0]]
    # windows stand in columns of their own: in a filter, engines without QUALIFY lose them
    rows = rows.mutate(**{TIMES: first.max().over(group_by=contract.key)})
    rows = rows.filter(rows[contract.latest_by[0]].identical_to(rows[TIMES])).drop(TIMES)  # few are left to sort
    others = [name for name in rows.columns if name not in (*contract.key, *contract.latest_by)]
    order = [ibis.desc(name, nulls_first=False) for name in (*contract.latest_by, *others)]
    rows = rows.mutate(**{TIMES: ibis.row_number().over(group_by=contract.key, order_by=order)})
    return rows.filter(rows[TIMES] == 0).drop(TIMES)


def _in_range(
    table: ir.Table, contract: Contract, recall: Recall
) -> tuple[ir.Table, dict[str, int], Dates, pd.Timestamp]:
    """The cases whose local day lies in the contract's range, how many do not, first and last day, last moment."""
    since, until = contract.time.since, contract.time.until
    when = local(table, contract)
    outside = {f"without {contract.time.column}": when.isnull()}
    if since:
        outside[f"before {day(pd.Timestamp(since), year=True)}"] = when < ibis.literal(since).cast("timestamp")
    if until:
        end = ibis.literal(until + dt.timedelta(days=1)).cast("timestamp")
        outside[f"after {day(pd.Timestamp(until), year=True)}"] = when >= end
    inside = ~reduce(or_, outside.values()).fill_null(True)
    counts = {str(i): table.count(where=test) for i, test in enumerate(outside.values())}
    bounds = {"first": when.min(where=inside), "last": when.max(where=inside)}
    seen = table.aggregate(**bounds, ends=utc(table, contract).max(where=inside), **counts)
    found = recall("range", lambda: [str(value) for value in seen.execute().iloc[0]])
    first, last, ends = map(pd.Timestamp, found[:3])
    if pd.isna(first):
        raise InputError(f"no case has its {contract.time.column} in the time range of the contract.")
    aside = dict(zip(outside, map(int, found[3:]), strict=True))
    each = contract.time.each
    extent = floor(floor(first, each), "D"), last_day(floor(last, each), each)
    return table.filter(inside) if any(aside.values()) else table, aside, extent, ends


def _with_dimensions(table: ir.Table, contract: Contract) -> ir.Table:
    """The cases with the dimensions that are computed from columns, each read from the columns as they were."""
    computed = {}
    for name, how in contract.dimensions.items():
        if isinstance(how, Bands):
            computed[name] = _banded(translate(how.bands, table, f"dimension {name}"), how, name)
        elif how is not None:
            computed[name] = translate(how, table, f"dimension {name}")
        elif name not in table.columns:
            raise InputError(f"dimensions: unknown column {name!r}. {hint(name, table.columns)}")
    return table.mutate(**computed)


def _banded(value: Any, bands: Bands, name: str) -> Any:
    """A number as the label of its band; each edge opens a band."""
    if not value.type().is_numeric():
        raise InputError(f"dimension {name}: {bands.bands!r} is {value.type()}, bands need a number.")
    edges, labels = list(bands.edges), bands.labels
    if labels is None:
        start = [0] if edges[0] > 0 else []
        edges = [*start, *edges]
        labels = (f"below {edges[0]}", *map(_label, edges, edges[1:]), f"{edges[-1]}+")
    return ibis.cases(
        *((value < edge, label) for edge, label in zip(edges, labels, strict=False)),
        else_=ibis.cases((value.notnull(), labels[-1])),
    )


def _label(low: float, high: float) -> str:
    """Whole numbers: 0-29; else 0.5 to 1.5.

    >>> _label(0, 30), _label(1, 2), _label(0.5, 1.5)
    ('0-29', '1', '0.5 to 1.5')
    """
    if isinstance(low, int) and isinstance(high, int):
        return str(low) if high == low + 1 else f"{low}-{high - 1}"
    return f"{low:g} to {high:g}"
