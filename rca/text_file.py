"""Text files as people save them: their encoding, and the row at which a file stops being a table."""

import codecs
import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rca.errors import InputError

BOMS = {  # the longer first: UTF-32's begins like UTF-16's
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
OTHERS = {  # what is no text, by its first bytes
    b"PK\x03\x04": "an Excel or zip file: open it and save it as CSV (UTF-8)",
    b"\xd0\xcf\x11\xe0": "an old Excel file: open it and save it as CSV (UTF-8)",
    b"PAR1": "a Parquet file: give it the ending '.parquet'",
    b"\x1f\x8b": "a gzip file: give it the ending '.csv.gz'",
    b"%PDF": "a PDF file, not a table",
    b"<htm": "a web page: open it in a spreadsheet and save it as CSV (UTF-8)",
    b"<!DO": "a web page: open it in a spreadsheet and save it as CSV (UTF-8)",
}
LONGEST = 2_000_000  # characters in a cell: what the engine takes in a line
EACH_LINE = "In this format each line must be a JSON object."
csv.field_size_limit(LONGEST)


def check_whole(path: Path) -> None:
    """Read a gzip file to its end: the engine would take one that was cut short for a whole one."""
    try:
        if not path.stat().st_size:
            raise InputError(f"{path} is empty.")
        with gzip.open(path) as content:
            while content.read(1 << 20):
                pass
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} is not a whole gzip file: {error}.") from error


def encoding(path: Path, declared: str | None) -> str:
    """As the first bytes say, else as declared, else UTF-8. InputError for a file that is no text at all."""
    try:
        with _binary(path) as content:
            start = content.read(4)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}.") from error
    if start in OTHERS or start[:2] in OTHERS:
        raise InputError(f"{path} is {OTHERS.get(start) or OTHERS[start[:2]]}.")
    return next((name for bom, name in BOMS.items() if start.startswith(bom)), declared or "utf-8")


def is_utf8(name: str) -> bool:
    """Whether the engine reads an encoding as it is."""
    return codecs.lookup(name).name in ("utf-8", "utf-8-sig")


def opened(path: Path, name: str) -> io.TextIOWrapper:
    """The file as text, its line ends as they are; a byte that is no text becomes a lone surrogate."""
    return io.TextIOWrapper(_binary(path), encoding=name, errors="surrogateescape", newline="")


def table(path: Path, name: str, delimiter: str) -> Iterator[list[str]]:
    """The header and the rows of a CSV file, blank lines left out. InputError for the row that is none."""
    number, header = 0, list[str]()
    try:
        with opened(path, name) as lines:
            for row in csv.reader(lines, delimiter=delimiter, strict=True):
                if not row:
                    continue
                header = header or row
                if len(row) == len(header) + 1 and not row[-1]:
                    row.pop()  # a delimiter at the end of the line
                if len(row) != len(header):
                    fields = "1 field" if len(row) == 1 else f"{len(row):,} fields"
                    what = f"{fields}, the header has {len(header):,}: {_short(delimiter.join(row))}"
                    raise InputError(f"{_place(path, number)}: {what}.")
                _check_text("".join(row), path, name, number)
                yield row
                number += 1
    except csv.Error as error:
        what = "a quote does not end where its cell ends; quotes inside a cell are written twice"
        if "limit" in str(error):
            what = f"a cell is longer than {LONGEST:,} characters"
        raise InputError(f"{_place(path, number)}: {what}.") from error
    except UnicodeError as error:
        raise InputError(f"{path} is not {name} text: {error}.") from error


def objects(path: Path, name: str) -> Iterator[str]:
    """The lines of a JSON lines file, blank ones left out. InputError for the row that is no object."""
    number = 0
    try:
        with opened(path, name) as lines:
            for line in lines:
                if not line.strip():
                    continue
                number += 1
                _check_text(line, path, name, number)
                _check_object(line, _place(path, number))
                yield line.strip() + "\n"
    except UnicodeError as error:
        raise InputError(f"{path} is not {name} text: {error}.") from error


def copy(path: Path, name: str, delimiter: str, to: Path) -> None:
    """The file again as the engine likes it: UTF-8, one kind of line ends. `delimiter` is empty for JSON lines."""
    with to.open("w", encoding="utf-8", newline="") as file:
        if delimiter:
            csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(table(path, name, delimiter))
        else:
            file.writelines(objects(path, name))


def _binary(path: Path) -> Any:
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")


def _check_text(text: str, path: Path, name: str, number: int) -> None:
    try:
        text.isascii() or text.encode("utf-8")
    except UnicodeEncodeError as error:
        byte, near = ord(text[error.start]) - 0xDC00, text[max(error.start - 20, 0) : error.start]
        cure = "save it as UTF-8, or say its encoding in the contract, such as encoding: cp1252 (Excel on Windows)"
        what = f"byte {byte:#04x} behind {_short(near)} is not {name}"
        raise InputError(f"{_place(path, number)}: {what}: {cure}.") from error


def _check_object(line: str, place: str) -> None:
    try:
        found = json.loads(line, object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place} is not JSON: {_short(line)}. {EACH_LINE}") from error
    if not line.lstrip().startswith("{"):
        raise InputError(f"{place} is not a JSON object: {_short(line)}. {EACH_LINE}")
    names = [pair[0] for pair in found]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"{place} has the field {twice[0]!r} twice.")


def _place(path: Path, number: int) -> str:
    return f"{path}, row {number} of the data" if number else f"{path}, header"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
