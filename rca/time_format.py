"""How the times of a text column are written: given, or the one format that reads them all."""

import datetime as dt
from typing import Any

import ibis
import ibis.expr.datatypes as types

from rca.errors import InputError

DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y")
CLOCKS = ["", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", "T%H:%M", "T%H:%M:%S"]
CLOCKS += ["T%H:%M:%S.%f", "T%H:%M:%SZ", "T%H:%M:%S.%fZ", " %H:%M:%S%z", "T%H:%M:%S%z", "T%H:%M:%S.%f%z"]
FORMATS = tuple(day + clock for day in DAYS for clock in CLOCKS)
FIRST_YEAR = 1900  # '5/3/16' read with %Y would be in the year 16


@ibis.udf.scalar.builtin(name="try_strptime", signature=((types.string, types.string), types.timestamp))
def _parse(text, form):
    """DuckDB's strptime, missing where the text does not fit."""


@ibis.udf.scalar.builtin(name="try_strptime", signature=((types.string, types.string), types.Timestamp("UTC")))
def _parse_with_offset(text, form):
    """The same with an offset in the text: DuckDB then gives a moment."""


def parse(text: Any, form: str) -> Any:
    """A text column as times; missing where it does not fit the format."""
    time = (_parse_with_offset if "%z" in form else _parse)(text, form)
    return ibis.cases((time.year() >= FIRST_YEAR, time))


def infer(column: Any) -> str:
    """The one known format that reads every value of a text column, else the one that reads most of them.

    InputError when none reads any, or when two read the values differently: with all days up to 12, nobody can know
    whether 5/3 is in March or in May.
    """
    name = column.get_name()
    values = column.as_table().filter(column.notnull() & (column.strip() != name)).distinct().order_by(name)
    sample = [value.strip() for value in values.limit(20).execute()[name]]
    if not sample:
        return FORMATS[0]
    read = {form: sum(reads(value, form) for value in sample) for form in FORMATS}
    plausible = [form for form in FORMATS if read[form] == max(read.values()) > 0]
    if not plausible:
        raise InputError(
            f"no known format reads {name} {sample[0]!r}: give it in the contract, e.g. format: '%d/%m/%Y %H:%M'."
        )
    text = values[name].strip()
    failed = {form: parse(text, form).isnull().sum() for form in plausible}
    counts = values.aggregate(**failed).execute().iloc[0]
    fitting = [form for form in plausible if counts[form] == min(counts)]
    for other in fitting[1:]:
        differ = (
            values.filter(parse(text, fitting[0]) != parse(text, other)).order_by(name).limit(1).execute()[name]
        )
        if len(differ):
            value = differ.iloc[0]
            raise InputError(
                f"{name} {value!r} can be {_reading(value, fitting[0])} or {_reading(value, other)}:"
                f" say which as format: in the contract."
            )
    return fitting[0]


def swapped(value: str, form: str) -> str:
    """A hint for a value that fits the format once day and month change places."""
    other = form.replace("%d", "%_").replace("%m", "%d").replace("%_", "%m")
    return f" It fits {other!r}." if other != form and reads(value.strip(), other) else ""


def reads(value: str, form: str) -> bool:
    try:
        return dt.datetime.strptime(value, form).year >= FIRST_YEAR
    except ValueError:
        return False


def _reading(value: str, form: str) -> str:
    time = dt.datetime.strptime(value.strip(), form)
    return f"{time.day} {time:%B %Y} ({form!r})"
