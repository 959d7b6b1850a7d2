"""Events and actions beside a source: small CSV files that people keep, checked and restricted to its scope."""

from typing import TYPE_CHECKING

import pandas as pd

from rca.errors import InputError, hint
from rca.files import find_file

if TYPE_CHECKING:
    from rca.source import Source

EVENTS = {"event_id": "text", "kind": "text", "title": "text", "start": "date", "end": "date?"}
ACTIONS = {
    "action_id": "text",
    "title": "text",
    "owner": "text?",
    "metric": "text?",
    "segment": "text?",
    "due": "date",
    "status": "text",
    "effective": "date?",
    "expected_effect": "number?",
}
STATUS = ("open", "done")


def read_records(path: str | None, columns: dict[str, str], source: "Source") -> pd.DataFrame:
    """The rows of a CSV file that concern the scope of `source`; no rows where the contract names no file.

    `columns` says what must be there: text, date (YYYY-MM-DD) or number; a question mark where it may be empty. Any
    further column is a dimension of the source that limits the row to one value; empty means all of them.
    """
    if path is None:
        return _typed(pd.DataFrame(columns=list(columns), dtype="str"), columns, "")
    file = find_file(path, source.folder)
    try:
        frame = pd.read_csv(file, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, OSError) as error:
        raise InputError(f"{file} cannot be read: {str(error).splitlines()[0]}.") from error
    for name in columns:
        if name not in frame:
            raise InputError(f"{file} has no column {name!r}. It has: {', '.join(frame.columns)}.")
    scoping = [str(name) for name in frame if name not in columns]
    for name in scoping:
        if name not in source.dimensions:
            raise InputError(
                f"{file}: column {name!r} is no dimension of {source.name}. {hint(name, source.dimensions)}"
            )
    frame = _typed(frame, columns, str(file))
    if "metric" in columns:
        _check(frame, "metric", ["", *source.metrics], str(file))
        _check(frame, "status", STATUS, str(file))
    for name in scoping:
        frame = frame[frame[name].isin(["", source.scope[name]])] if name in source.scope else frame
    return frame[[*columns, *scoping]].reset_index(drop=True)


def _typed(frame: pd.DataFrame, columns: dict[str, str], file: str) -> pd.DataFrame:
    converted = {}
    for name, kind in columns.items():
        text = frame[name].str.strip()
        column: pd.Series = text
        if kind.startswith("date"):
            column = pd.to_datetime(text.where(text != ""), format="%Y-%m-%d", errors="coerce").astype(
                "datetime64[us]"
            )
        elif kind.startswith("number"):
            column = pd.to_numeric(text.where(text != ""), errors="coerce").astype("float64")
        bad = (column.isna() & (text != "")) | ((text == "") & (not kind.endswith("?")))
        if bad.any():
            row = int(bad.to_numpy().argmax())
            what = kind.rstrip("?") + (" (YYYY-MM-DD)" if kind.startswith("date") else "")
            raise InputError(
                f"{file}, row {row + 1} of the data: {name} {frame[name].iloc[row]!r} is not a {what}."
            )
        converted[name] = column
    return frame.assign(**converted)


def _check(frame: pd.DataFrame, column: str, allowed: list[str] | tuple[str, ...], file: str) -> None:
    for row, value in enumerate(frame[column], 1):
        if value not in allowed:
            raise InputError(f"{file}, row {row} of the data: unknown {column} {value!r}. {hint(value, allowed)}")
