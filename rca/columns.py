"""Columns of the declared types out of columns of text: nothing is guessed, and what does not convert is named."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.datatypes as types
import ibis.expr.types as ir

from rca.contract import Contract
from rca.errors import InputError
from rca.time_format import parse, swapped

FAILED = "rca_failed"  # the first column of a row that does not convert, or REPEATED; else missing
REPEATED = ""  # the row is the header once more, as where files were put one behind the other
ROW = "rca_row"
# an exponent of three digits could be more than a number holds
PATTERNS = {"integer": r"^[+-]?\d+(\.0*)?$", "number": r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?$"}
GROUPS = {".": "[,' \u00a0\u202f]", ",": "[.' \u00a0\u202f]"}  # between thousands, by the sign of the decimals
NUMBERS = {"integer": "int64", "number": "float64"}
MARKERS = ("?", "-", "--", ".", "NA", "N/A", "#N/A", "NULL", "NONE", "NAN", "NAT")  # of missing, in capitals
WORDS = {"true": True, "t": True, "yes": True, "y": True, "1": True}
WORDS |= {"false": False, "f": False, "no": False, "n": False, "0": False}


@ibis.udf.scalar.builtin(name="timezone", signature=((types.string, types.timestamp), types.Timestamp("UTC")))
def _moment(zone, shown):
    """The moment at which clocks in a zone showed a time (DuckDB and PostgreSQL)."""


@ibis.udf.scalar.builtin(name="timezone", signature=((types.string, types.Timestamp("UTC")), types.timestamp))
def _shown(zone, moment):
    """What clocks in a zone showed at a moment (DuckDB and PostgreSQL)."""


@ibis.udf.scalar.builtin(name="to_utc_timestamp", signature=((types.timestamp, types.string), types.timestamp))
def _spark_moment(shown, zone):
    """The same in Spark, whose moments are shown in UTC."""


@ibis.udf.scalar.builtin(name="from_utc_timestamp", signature=((types.timestamp, types.string), types.timestamp))
def _spark_shown(moment, zone):
    """The same in Spark."""


def local(table: ir.Table, contract: Contract) -> Any:
    """When cases happened, as clocks in the local zone showed it: by them a report has its days, weeks and months."""
    wanted: Any = contract.time.local or contract.time.zone
    if isinstance(wanted, dict):
        [(column, zones)] = wanted.items()
        wanted = table[column].cast("string").cases(*zones.items(), else_=contract.time.zone)
    return _clock(table, contract, wanted)


def utc(table: ir.Table, contract: Contract) -> Any:
    """When cases happened on a clock that is never changed; as it is written where no zone is given."""
    return _clock(table, contract, contract.time.zone and "UTC")


def skipped(table: ir.Table, contract: Contract) -> Any:
    """Whether a time was never shown by clocks in the zone of the file: they skipped it when summer began."""
    time, written = table[contract.time.column], contract.time.zone
    if time.type().timezone or written in (None, "UTC"):
        return ibis.literal(False)
    return _shown(written, _moment(written, time)) != time


def _clock(table: ir.Table, contract: Contract, wanted: Any) -> Any:
    time, written = table[contract.time.column], contract.time.zone
    if time.type().timezone:
        return _shown(wanted or "UTC", time.cast(types.Timestamp("UTC")))
    if isinstance(wanted, str | None) and written == wanted:
        return time
    if table.get_backend().name == "pyspark":
        return _spark_shown(_spark_moment(time, written), wanted)
    return _shown(wanted, _moment(written, time))


def kinds(raw: ir.Table, contract: Contract) -> dict[str, str]:
    """The columns that have to be converted, each with its kind."""
    found: dict[str, str] = dict(contract.types)
    column = raw[contract.time.column]
    if found.setdefault(contract.time.column, "time") != "time":
        raise InputError(f"types: {contract.time.column} is the time column, not a {found[contract.time.column]}.")
    if not (column.type().is_string() or column.type().is_temporal()):
        raise InputError(f"time column {contract.time.column!r} holds {column.type()} values, not times.")
    return found


def typed(raw: ir.Table, contract: Contract, formats: Mapping[str, str]) -> ir.Table:
    """The columns of `raw`, each of its declared type, and a column FAILED."""
    columns: dict[str, Any] = {name: raw[name] for name in raw.columns}
    own = [raw[name] for name in (*contract.key, contract.time.column)]
    failed = []
    if all(column.type().is_string() for column in own):
        failed.append((ibis.and_(*(column.strip() == column.get_name() for column in own)), REPEATED))
    for name, kind in kinds(raw, contract).items():
        before = columns[name]
        columns[name] = _converted(before, kind, formats.get(name, ""), contract.decimal)
        if before.type().is_string() and kind != "text":
            failed.append((before.notnull() & columns[name].isnull(), name))
    return raw.select(**columns, **{FAILED: ibis.cases(*failed) if failed else ibis.null("string")})


def failure(pieces: Iterable[tuple[Path, ir.Table]], contract: Contract, formats: Mapping[str, str]) -> InputError:
    """The first value that does not convert, with its file and row. Only called when there is one."""
    for path, raw in pieces:
        numbered = raw.mutate(**{ROW: ibis.row_number()})
        rows = typed(numbered, contract, formats)
        bad = (
            rows.filter(rows[FAILED].nullif(REPEATED).notnull())
            .order_by(ROW)
            .limit(1)
            .select(ROW, FAILED)
            .execute()
        )
        if len(bad):
            row, column = int(bad[ROW].iloc[0]), str(bad[FAILED].iloc[0])
            value = str(numbered.filter(numbered[ROW] == row)[column].execute().iloc[0])
            kind = kinds(raw, contract)[column]
            what = f"{path}, row {row + 1} of the data: {column} {value!r}"
            if kind == "time":
                return InputError(
                    f"{what} does not fit the format {formats[column]!r}.{swapped(value, formats[column])}"
                )
            marker = {"missing": (value,)} if value.strip().upper() in MARKERS else None
            cure = "If it stands for a missing value, add it to missing: in the contract."
            for sign in GROUPS:
                if kind in NUMBERS and sign != contract.decimal and re.fullmatch(_grouped(sign), value.strip()):
                    cure = f"If it is one, say how the file writes numbers: decimal: {sign!r} in the contract."
            return InputError(f"{what} is not {'an' if kind == 'integer' else 'a'} {kind}. {cure}", marker)
    raise AssertionError("no value failed to convert")


def _converted(column: Any, kind: str, form: str, decimal: str | None) -> Any:
    """A column as one of the kinds; missing where a text does not fit."""
    if not column.type().is_string():
        return _recast(column, kind)
    text = column.strip()
    if kind == "text":
        return column
    if kind == "boolean":
        return text.lower().cases(*WORDS.items())
    if kind == "time":
        return parse(text, form)
    if decimal:
        grouped = text.re_search(_grouped(decimal))
        text = ibis.cases((grouped, text.re_replace(GROUPS[decimal], "").replace(decimal, ".")))
    # the pattern first: DuckDB itself reads '1.5' as the integer 2, '1_000' as 1000 and 'nan' as a number
    return ibis.cases((text.re_search(PATTERNS[kind]), text.try_cast(NUMBERS[kind])))


def _grouped(decimal: str) -> str:
    """The pattern of a number whose thousands may be grouped: `1.234,5` where the decimal sign is a comma."""
    group = GROUPS[decimal]
    return rf"^[+-]?(\d+|\d{{1,3}}({group}\d{{3}})+)([{decimal}]\d*)?$"


def _recast(column: Any, kind: str) -> Any:
    """A column that has a type already: only what loses nothing."""
    found = column.type()
    if kind == "text":
        return column.cast("string")
    if kind == "number" and found.is_numeric():
        return column.cast("float64")
    if kind == "time" and found.is_temporal():
        return column if found.is_timestamp() else column.cast("timestamp")
    if not {"integer": found.is_integer(), "boolean": found.is_boolean()}.get(kind, False):
        raise InputError(f"types: {column.get_name()} holds {found} values, which cannot be read as {kind}.")
    return column
