"""Events and actions beside a source: small CSV files that people keep, checked and restricted to its scope."""

import csv
import datetime as dt
import io
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from rca.errors import InputError, hint, known
from rca.files import find_file

if TYPE_CHECKING:
    from rca.source import Source

EVENTS = {"event_id": "text", "kind": "text", "title": "text", "start": "date", "end": "date?"}
ACTIONS = {
    "action_id": "text",
    "title": "text",
    "owner": "text?",
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
WORDS = {"date": "date (YYYY-MM-DD)"}


def read_records(path: str | None, columns: dict[str, str], source: "Source") -> pd.DataFrame:
    """The rows of a CSV file that concern the scope of `source`; no rows where the contract names no file.

    `columns` says what must be there and of what kind it is; a question mark where it may be empty. Any further
    column is a dimension of the source that limits the row to one value; empty means all of them.
    """
    file = None if path is None else find_file(path, source.folder)
    frame = _read(file) if file else pd.DataFrame(columns=list(columns), dtype="str")
    names = [str(name) for name in frame]
    for name in columns:
        if name not in names:
            raise InputError(f"{file} has no column {name!r}. It has: {', '.join(names)}.")
    columns = columns | (PROBLEM if "action_id" in columns and "problem_since" in names else {})
    scoping = [name for name in names if name not in columns]
    for name in scoping:
        if name not in source.dimensions:
            raise InputError(
                f"{file}: column {name!r} is no dimension of {source.name}. {hint(name, source.dimensions)}"
            )
    for name, wanted in columns.items():
        kind, cells = wanted.rstrip("?"), []
        for row, text in enumerate(frame[name], 1):
            try:
                cells.append(_value(text, kind, source) if text or kind == wanted else None)
            except InputError as error:
                raise InputError(f"{file}, row {row} of the data: {error}") from None
            except ValueError:
                what = f"{file}, row {row} of the data: {name} {text!r}"
                raise InputError(f"{what} is not a {WORDS.get(kind, kind)}.") from None
        frame[name] = pd.Series(cells, dtype=TYPES[kind]) if kind in TYPES else [cell or "" for cell in cells]
    if "end" in columns and (wrong := frame["end"] < frame["start"]).any():
        raise InputError(f"{file}: event {frame['event_id'][wrong].iloc[0]} ends before it starts.")
    for name in scoping:
        frame = frame[frame[name].isin(["", source.scope[name]])] if name in source.scope else frame
    return frame[[*columns, *scoping]].reset_index(drop=True)


def _read(file: Path) -> pd.DataFrame:
    """The cells as text; a row with too many or too few of them is a mistake."""
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


def _value(text: str, kind: str, source: "Source") -> Any:
    """One cell; ValueError where it is not of its kind. A segment gets its dimensions in alphabetical order."""
    if kind == "date":
        return dt.datetime.strptime(text, "%Y-%m-%d")
    if kind == "metric":
        return known(text, source.metrics, kind)
    if kind == "status":
        return known(text, STATUS, kind)
    if kind == "segment":
        parts = [part.partition("=") for part in re.split(r"\s*&\s*(?=\w+\s*=)", text)]
        where = {known(name.strip(), source.dimensions, "dimension"): value.strip() for name, _, value in parts}
        return " & ".join(f"{name}={where[name]}" for name in sorted(where))
    if not text or (kind == "number" and not math.isfinite(float(text))):
        raise ValueError
    return text
