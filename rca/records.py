"""Events and actions beside a source: small tables that people keep, checked, restricted to its scope and audience."""

import csv
import datetime as dt
import io
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from rca.contract import AUDIENCES, Contract
from rca.errors import InputError, hint, known
from rca.files import Data, engine_errors, find_data

if TYPE_CHECKING:
    from rca.source import Source

EVENTS = {"event_id": "text", "kind": "text", "title": "text", "start": "date", "end": "date?"}
ACTIONS = {
    "action_id": "text",
    "title": "text",
    "owner": "text",
    "metric": "metric?",
    "segment": "segment?",
    "due": "date",
    "status": "status",
    "effective": "date?",
    "expected_effect": "number?",
}
PROBLEM = {"problem_since": "date?"}  # a further column that an actions table may have, for `rca.fix_check`
STATUS = ("open", "done")
TYPES = {"date": "datetime64[us]", "number": "float64"}  # the others are text
WORDS = {"date": "date (YYYY-MM-DD)", "segment": "segment such as market=MX & channel=chat"}


def read_records(table: str | None, columns: dict[str, str], source: "Source") -> pd.DataFrame:
    """The rows of a table (named as in a contract: CSV, Parquet, ...) that concern the scope of `source`.

    `columns` says what must be there and of what kind it is; a question mark where it may be empty. Any further
    column is a dimension of the source that limits the row to one value, empty for all of them; or it is
    `audience`: a partner is told only what says `partner` there. No table has no rows.
    """
    file, frame = _read(table, source) if table else ("", pd.DataFrame(columns=list(columns), dtype="str"))
    names = [str(name) for name in frame]
    for name in columns:
        if name not in names:
            raise InputError(f"{file} has no column {name!r}. It has: {', '.join(names)}.")
    wanted = columns | (PROBLEM if "action_id" in columns and "problem_since" in names else {})
    wanted |= {"audience": "audience?"} if "audience" in names else {}
    scoping = [name for name in names if name not in wanted]
    for name in scoping:
        if name not in source.contract.dimensions:
            raise InputError(
                f"{file}: column {name!r} is no dimension of {source.name}. {hint(name, source.contract.dimensions)}"
            )
    for name, kind in wanted.items():
        cells = [
            _cell(text, kind, source, f"{file}, row {i} of the data: {name}")
            for i, text in enumerate(frame[name], 1)
        ]
        frame[name] = pd.Series(cells, dtype=TYPES.get(kind.rstrip("?"), "str"))
    key = next(iter(columns))
    if (again := frame[key].duplicated()).any():
        raise InputError(
            f"{file}, row {again.argmax() + 1} of the data: {key} {frame[key][again].iloc[0]!r} is taken."
        )
    if "end" in columns and (wrong := frame["end"] < frame["start"]).any():
        raise InputError(f"{file}: event {frame['event_id'][wrong].iloc[0]} ends before it starts.")
    if source.audience == "partner":
        frame = frame[frame["audience"] == "partner"] if "audience" in names else frame[:0]
    return concerning(frame, source.scope)


def concerning(frame: pd.DataFrame, scope: Mapping[str, str]) -> pd.DataFrame:
    """The records that are not limited to another scope."""
    for name in scope:
        frame = frame[frame[name].isin(["", scope[name]])] if name in frame else frame
    return frame.reset_index(drop=True)


def _read(table: str, source: "Source") -> tuple[str, pd.DataFrame]:
    """The file's name, and its cells as text."""
    data = find_data(table, source.folder)
    file = str(data.paths[0])
    if len(data.paths) == 1 and data.paths[0].suffix == ".csv":
        return file, _read_csv(data.paths[0])
    with engine_errors(data):
        return file, _read_engine(data, source.contract)


def _read_csv(file: Path) -> pd.DataFrame:
    """A row with too many or too few cells is a mistake."""
    try:
        rows = [row for row in csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline="")) if row]
    except (ValueError, OSError, csv.Error) as error:
        raise InputError(f"{file} cannot be read: {str(error).splitlines()[0]}.") from error
    header = [name.strip() for name in rows[0]] if rows else []
    for name in header:
        if header.count(name) > 1:
            raise InputError(f"{file}: the header {name!r} appears {header.count(name)} times.")
    for number, row in enumerate(rows[1:], 1):
        if len(row) != len(header):
            raise InputError(f"{file}, row {number} of the data: {len(row)} fields, the header has {len(header)}.")
    return pd.DataFrame([[cell.strip() for cell in row] for row in rows[1:]], columns=header, dtype="str")


def _read_engine(data: Data, contract: Contract) -> pd.DataFrame:
    import ibis

    raw = data.read(ibis.duckdb.connect(), contract)
    days = {name: raw[name].date() for name in raw.columns if raw[name].type().is_timestamp()}
    texts = {name: days.get(name, raw[name]).cast("string").strip().fill_null("") for name in raw.columns}
    return raw.select(**texts).execute().astype("str")


def _cell(text: str, wanted: str, source: "Source", place: str) -> Any:
    """One cell as its kind; an InputError begins with `place`."""
    kind = wanted.rstrip("?")
    if not text and kind != wanted:
        return None if kind in TYPES else ""
    if not text:
        raise InputError(f"{place} is empty.")
    try:
        return _value(text, kind, source)
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
    except ValueError:
        raise InputError(f"{place} {text!r} is not a {WORDS.get(kind, kind)}.") from None


def _value(text: str, kind: str, source: "Source") -> Any:
    """ValueError where a text is not of its kind. A segment gets its dimensions in alphabetical order."""
    if kind == "date":
        return dt.datetime.strptime(text, "%Y-%m-%d")
    if kind == "number":
        if not math.isfinite(number := float(text)):
            raise ValueError
        return number
    if kind == "segment":
        parts = [part.partition("=") for part in re.split(r"\s*&\s*(?=\w+\s*=)", text)]
        dimensions = source.contract.dimensions
        where = {known(name.strip(), dimensions, "dimension"): value.strip() for name, _, value in parts}
        if not all(where.values()):
            raise ValueError
        return " & ".join(f"{name}={where[name]}" for name in sorted(where))
    choices = {"metric": source.metrics, "status": STATUS, "audience": AUDIENCES}
    return known(text, choices[kind], kind) if kind in choices else text
