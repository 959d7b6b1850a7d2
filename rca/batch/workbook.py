"""Tables as an Excel workbook or a CSV file: text, numbers, dates and truth values, never a formula or a link."""

import csv
import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

MOST_ROWS = 1_048_575  # that a sheet of Excel holds below its header
EXACT = 10**15  # Excel keeps fifteen digits of a number
NO_XML = re.compile("[\ufffe\uffff\ud800-\udfff]")
# what begins a formula, also in the full-width letters of East Asian keyboards, or is dropped before one
FORMULA = tuple("=+-@\t\r\n|%＝＋－＠")
DROPPED = " \0\N{NO-BREAK SPACE}\N{ZERO WIDTH NO-BREAK SPACE}"

Table = tuple[Sequence[str], Iterable[Sequence[Any]]]  # a header and rows


def runs(text: str) -> bool:
    """Whether a spreadsheet might take a text for a formula.

    >>> [runs(text) for text in ("=1+1", " @SUM(A1)", "a=1", "")]
    [True, True, False, False]
    """
    return text.lstrip(DROPPED).startswith(FORMULA)


def defused(text: str) -> str:
    """A text for a CSV file: behind an apostrophe where a spreadsheet might run it.

    >>> defused("=HYPERLINK(1)"), defused("Andes")
    ("'=HYPERLINK(1)", 'Andes')
    """
    return f"'{text}" if runs(text) else text


def write_csv(path: Path, table: Table) -> None:
    """A CSV file that a spreadsheet may open."""
    header, rows = table
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(map(defused, header))
        writer.writerows([defused(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)


def write_workbook(path: Path, sheets: Mapping[str, Table]) -> None:
    """A workbook with a sheet for each table. The same tables give the same bytes."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        book.set_properties({"created": dt.datetime(2000, 1, 1)})  # not when it was made
        bold = book.add_format({"bold": True})
        # text that begins like a formula keeps its bytes, and stays text when somebody edits the cell
        text, quoted = book.add_format(), book.add_format({"quote_prefix": True})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        time = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for name, (header, rows) in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, max(len(header) - 1, 0), 22)
            for column, title in enumerate(header):
                sheet.write_string(0, column, NO_XML.sub("\ufffd", title), bold)
            for number, row in enumerate(rows, 1):
                for column, cell in enumerate(map(_plain, row)):
                    if isinstance(cell, bool):
                        sheet.write_boolean(number, column, cell)
                    elif isinstance(cell, (int, float)):
                        sheet.write_number(number, column, cell)
                    elif isinstance(cell, dt.date):
                        sheet.write_datetime(number, column, cell, time if isinstance(cell, dt.datetime) else day)
                    elif cell is not None:
                        sheet.write_string(number, column, cell, quoted if runs(cell) else text)


def _plain(cell: Any) -> bool | float | dt.date | str | None:
    """A value as one of the kinds that a cell may have; a text where Excel could not hold it exactly."""
    if cell is None or isinstance(cell, bool):
        return cell
    if isinstance(cell, (int, float, Decimal)):
        number = float(cell)
        if not math.isfinite(number):
            return None
        return number if isinstance(cell, float) or abs(number) < EXACT else str(cell)
    if isinstance(cell, dt.datetime) and cell.tzinfo:
        cell = cell.astimezone(dt.UTC).replace(tzinfo=None)
    if isinstance(cell, dt.date):
        return cell if cell.year > 1900 else cell.isoformat()
    return NO_XML.sub("\ufffd", str(cell))
