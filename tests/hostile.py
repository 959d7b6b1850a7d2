# ruff: noqa: E501  (a table: one file a line)
"""Hostile files: what real exports do to a reader. Each with the right answer, or with the sentence that refuses it."""

import gzip
import io
import json
import re
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

HEADER = ("id", "at", "vendor", "score")
ROWS = (
    ("A1", "2026-01-05", "Andes", "5"),
    ("A2", "2026-01-06", "Baltic", "2.5"),
    ("A3", "2026-01-07", "Cedar", "4"),
)


@dataclass(frozen=True)
class Answer:
    """The right answer: cases, their scores added up, their vendors, and the rows that are no case by reason."""

    cases: int = 3
    total: float = 11.5
    vendors: tuple[str, ...] = ("Andes", "Baltic", "Cedar")
    aside: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Hostile:
    """One file: `expect` is its right answer, or what the sentence says that refuses it."""

    kind: str
    name: str
    data: bytes
    expect: Answer | str = Answer()
    file: str = "cases.csv"
    contract: dict[str, Any] = field(default_factory=dict)


def table(*rows: tuple[str, ...], sep: str = ",", end: str = "\n", header: tuple[str, ...] = HEADER) -> str:
    return "".join(sep.join(row) + end for row in (header, *(rows or ROWS)))


PLAIN = table()
LINES = PLAIN.splitlines(keepends=True)


def row(text: str, at: int = 3) -> bytes:
    """The plain file with a line put in behind line `at`."""
    return "".join([*LINES[:at], text + "\n", *LINES[at:]]).encode()


def named(vendor: str, quoted: bool = True) -> bytes:
    """The plain file with another name for the first vendor."""
    return PLAIN.replace("Andes", '"' + vendor.replace('"', '""') + '"' if quoted else vendor).encode()


def vendors(first: str, **answer: Any) -> Answer:
    return Answer(vendors=tuple(sorted((first, "Baltic", "Cedar"))), **answer)


def dated(*days: str) -> bytes:
    return table(*((one[0], day, *one[2:]) for one, day in zip(ROWS, days, strict=True))).encode()


def scored(*scores: str, sep: str = ";") -> bytes:
    return table(*((*one[:3], score) for one, score in zip(ROWS, scores, strict=True)), sep=sep).encode()


def hostile() -> list[Hostile]:
    """All of them."""
    found = [
        *_encodings(),
        *_lines(),
        *_quotes(),
        *_shapes(),
        *_headers(),
        *_numbers(),
        *_times(),
        *_values(),
        *_containers(),
        *_json_lines(),
        *_parquet(),
    ]
    names = [one.name for one in found]
    assert len(names) == len(set(names))
    return found


def _encodings() -> list[Hostile]:
    spanish, kind = PLAIN.replace("Andes", "Añdes"), "encoding"
    right = vendors("Añdes")
    found = [
        Hostile(kind, "UTF-8", spanish.encode(), right),
        Hostile(kind, "UTF-8 with BOM", spanish.encode("utf-8-sig"), right),
        Hostile(kind, "UTF-8 declared", spanish.encode(), right, contract={"encoding": "utf-8"}),
        Hostile(kind, "BOM and CRLF", spanish.replace("\n", "\r\n").encode("utf-8-sig"), right),
        Hostile(kind, "UTF-16 with BOM", spanish.encode("utf-16"), right),
        Hostile(kind, "UTF-16 big-endian with BOM", b"\xfe\xff" + spanish.encode("utf-16-be"), right),
        Hostile(kind, "UTF-32 with BOM", spanish.encode("utf-32"), right),
        Hostile(kind, "UTF-16 without BOM", spanish.encode("utf-16-le"), r"is not UTF-8 text.*encoding: utf-16"),
        Hostile(
            kind, "UTF-16 gzip", gzip.compress(spanish.encode("utf-16")), right, "cases.csv.gz"
        ),
        Hostile(kind, "late latin-1 in a large file", _late_latin(), r"row 20002 of the data.*encoding: cp1252"),
        Hostile(kind, "cut inside a character", spanish.encode()[:-1] + b"\xc3", r"row 3 of the data.*not utf-8"),
        Hostile(
            kind, "declared ASCII, is not", spanish.encode(), r"row 1 of the data.*is not ascii", contract={"encoding": "ascii"}
        ),
        Hostile(kind, "no such encoding", spanish.encode(), "'latin-one' is not an encoding", contract={"encoding": "latin-one"}),
        Hostile(kind, "latin-1 header", spanish.replace("score", "score,señal").encode("latin-1"), "is not UTF-8 text.*encoding"),
    ]  # fmt: skip
    for name in ("latin-1", "cp1252", "iso-8859-15", "mac-roman", "cp850", "utf-16-le", "cp1250"):
        text = spanish if name != "cp1250" else PLAIN.replace("Andes", "Andeš")
        right = vendors("Añdes" if name != "cp1250" else "Andeš")
        found.append(Hostile(kind, f"{name} declared", text.encode(name), right, contract={"encoding": name}))
        if not name.startswith("utf"):
            found.append(Hostile(kind, f"{name} not declared", text.encode(name), "row 1 of the data.*encoding"))
    for name, word in {"shift-jis": "東京", "gb18030": "北京", "koi8-r": "Волга", "big5": "台北"}.items():
        data = PLAIN.replace("Andes", word).encode(name)
        found.append(Hostile(kind, f"{name} declared", data, vendors(word), contract={"encoding": name}))
        found.append(Hostile(kind, f"{name} not declared", data, "row 1 of the data.*encoding"))
    return found


def _late_latin() -> bytes:
    rows = "".join(f"B{number},2026-01-05,Andes,1\n" for number in range(20_001))
    return (LINES[0] + rows).encode() + "Z,2026-01-05,Añdes,1\n".encode("latin-1")


def _lines() -> list[Hostile]:
    kind = "line ends"
    crlf = PLAIN.replace("\n", "\r\n")
    return [
        Hostile(kind, "CRLF", crlf.encode()),
        Hostile(kind, "CR only", PLAIN.replace("\n", "\r").encode()),
        Hostile(kind, "one CRLF among LF", PLAIN.replace("\n", "\r\n", 1).encode()),
        Hostile(kind, "one LF among CRLF", crlf.replace("\r\n", "\n", 1).encode()),
        Hostile(kind, "last line CRLF", (PLAIN[:-1] + "\r\n").encode()),
        Hostile(kind, "one CR among LF", PLAIN.replace("5\n", "5\r", 1).encode()),
        Hostile(kind, "mixed, in a folder of files", PLAIN.replace("\n", "\r\n", 2).encode(), file="parts/1.csv", contract={"table": "parts"}),
        Hostile(kind, "mixed and compressed", gzip.compress(PLAIN.replace("\n", "\r\n", 2).encode()), file="cases.csv.gz"),
        Hostile(kind, "mixed and ragged", (PLAIN.replace("\n", "\r\n", 1) + "A4,2026-01-08\n").encode(), "row 4 of the data.*2 fields, the header has 4"),
        Hostile(kind, "no line end at the end", PLAIN[:-1].encode()),
        Hostile(kind, "blank lines at the end", (PLAIN + "\n\n\n").encode()),
        Hostile(kind, "blank lines between", PLAIN.replace("\n", "\n\n").encode()),
        Hostile(kind, "a blank first line", ("\n" + PLAIN).encode(), "the first line must name the columns"),
        Hostile(kind, "a line of spaces", (PLAIN + "   \n").encode(), "row 4 of the data.*1 field, the header has 4"),
        Hostile(kind, "a line of commas", (PLAIN + ",,,\n").encode(), Answer(aside={"without id": 1})),
        Hostile(kind, "Ctrl-Z at the end", PLAIN.encode() + b"\x1a", "row 4 of the data.*1 field"),
        Hostile(kind, "CRLF inside quotes", named("An\r\ndes"), vendors("An\r\ndes")),
        Hostile(kind, "LF inside quotes of a CRLF file", table(sep=",", end="\r\n").replace("Andes", '"An\ndes"').encode(), vendors("An\ndes")),
        Hostile(kind, "LF inside quotes of a mixed file", PLAIN.replace("\n", "\r\n", 1).replace("Andes", '"An\ndes"').encode(), vendors("An\ndes")),
    ]  # fmt: skip


def _quotes() -> list[Hostile]:
    kind = "quotes"
    every = "".join(",".join(f'"{cell}"' for cell in one) + "\n" for one in (HEADER, *ROWS))
    return [
        Hostile(kind, "all quoted", every.encode()),
        Hostile(kind, "doubled quotes", named('An"des'), vendors('An"des')),
        Hostile(kind, "quotes inside a bare cell", named('An"d"es', quoted=False), vendors('An"d"es')),
        Hostile(kind, "delimiter inside quotes", named("An,des"), vendors("An,des")),
        Hostile(kind, "a header inside quotes", named("id,at,vendor,score"), vendors("id,at,vendor,score")),
        Hostile(kind, "never closed", PLAIN.replace("Andes", '"Andes').encode(), "row 1 of the data.*quote"),
        Hostile(kind, "text behind the quote", PLAIN.replace("Andes", '"An"des').encode(), "row 1 of the data.*quote"),
        Hostile(kind, "backslash for quotes", PLAIN.replace("Andes", r'"An\"des"').encode(), "row 1 of the data.*quote"),
        Hostile(kind, "single quotes", PLAIN.replace("Andes", "'Andes'").encode(), vendors("'Andes'")),
        Hostile(kind, "typographic quotes", PLAIN.replace("Andes", "“Andes”").encode(), vendors("“Andes”")),
        Hostile(kind, "empty quotes", PLAIN.replace("Andes", '""').encode(), vendors("(missing)")),
        Hostile(kind, "a cell of quotes", PLAIN.replace("Andes", '""""').encode(), vendors('"')),
        Hostile(kind, "closed in the last cell only", (PLAIN[:-1].removesuffix("4") + '"4').encode(), "row 3 of the data.*quote"),
        Hostile(kind, "quotes in a header", PLAIN.replace("score", '"score"').encode()),
    ]  # fmt: skip


def _shapes() -> list[Hostile]:
    kind = "shape"
    wide = tuple(f"c{number}" for number in range(10_000))
    return [
        Hostile(kind, "semicolons", table(sep=";").encode()),
        Hostile(kind, "tabs", table(sep="\t").encode()),
        Hostile(kind, "pipes", table(sep="|").encode()),
        Hostile(kind, "semicolons, commas in the cells", table(sep=";").replace("Andes", "Andes, S.A.").encode(), vendors("Andes, S.A.")),
        Hostile(kind, "tabs in a .csv.gz", gzip.compress(table(sep="\t").encode()), file="cases.csv.gz"),
        Hostile(kind, "pipes in a .tsv", table(sep="|").encode(), file="cases.tsv"),
        Hostile(kind, "another delimiter below the header", (LINES[0] + table(sep=";")[19:]).encode(), "row 1 of the data.*1 field, the header has 4"),
        Hostile(kind, "Excel's sep= line", ("sep=;\n" + table(sep=";")).encode(), "key: unknown column 'id'.*sep="),
        Hostile(kind, "a title above the header", ("Cases of January\n" + PLAIN).encode(), "Cases of January"),
        Hostile(kind, "a comment above the header", ("# made by hand\n" + PLAIN).encode(), "made by hand"),
        Hostile(kind, "a row too short", row("A9,2026-01-08"), "row 3 of the data.*2 fields, the header has 4"),
        Hostile(kind, "a row too long", row("A9,2026-01-08,x,1,2"), "row 3 of the data.*5 fields, the header has 4"),
        Hostile(kind, "a comma too many in a name", PLAIN.replace("Cedar", "Cedar, Inc").encode(), "row 3 of the data.*5 fields, the header has 4"),
        Hostile(kind, "commas at every line's end", PLAIN.replace("\n", ",\n").encode()),
        Hostile(kind, "commas at the end of rows only", (LINES[0] + "".join(LINES[1:]).replace("\n", ",\n")).encode()),
        Hostile(kind, "a row of totals", (PLAIN + "Total,,,11.5\n").encode(), Answer(aside={"without at": 1})),
        Hostile(kind, "a row of totals without a key", (PLAIN + ",,,11.5\n").encode(), Answer(aside={"without id": 1})),
        Hostile(kind, "a footer", (PLAIN + "Source: the warehouse\n").encode(), "row 4 of the data.*1 field, the header has 4.*Source: the warehouse"),
        Hostile(kind, "a footer with all its commas", (PLAIN + "Source: the warehouse,,,\n").encode(), Answer(aside={"without at": 1})),
        Hostile(kind, "empty", b"", "cases.csv is empty"),
        Hostile(kind, "spaces only", b"   \n", "cases.csv is empty"),
        Hostile(kind, "BOM only", b"\xef\xbb\xbf", "cases.csv is empty"),
        Hostile(kind, "header only", LINES[0].encode(), "cases.csv holds no rows"),
        Hostile(kind, "header only, no line end", LINES[0][:-1].encode(), "cases.csv holds no rows"),
        Hostile(kind, "header and blank lines", (LINES[0] + "\n\n").encode(), "cases.csv holds no rows"),
        Hostile(kind, "one row", "".join(LINES[:2]).encode(), Answer(1, 5, ("Andes",))),
        Hostile(kind, "10,000 columns", table(*((*one, *("1",) * 10_000) for one in ROWS), header=(*HEADER, *wide)).encode()),
        Hostile(kind, "10,000 columns, one row short", table(*((*one, *("1",) * (10_000 - (one[0] == "A2"))) for one in ROWS), header=(*HEADER, *wide)).encode(), "row 2 of the data.*10,003 fields, the header has 10,004"),
        Hostile(kind, "a folder named as a file", PLAIN.encode(), file="cases.csv/part.csv", contract={"table": "cases.csv"}),
        Hostile(kind, "a folder without files", b"", "holds no files", "empty/.hidden", {"table": "empty"}),
        Hostile(kind, "no such file", b"", "no file 'case.csv'", contract={"table": "case.csv"}),
    ]  # fmt: skip


def _headers() -> list[Hostile]:
    kind = "header"

    def head(old: str, new: str) -> bytes:
        return (LINES[0].replace(old, new) + "".join(LINES[1:])).encode()

    dims = {"dimensions": ["vendor"]}
    more = tuple((*one, "x") for one in ROWS)
    return [
        Hostile(kind, "spaces around names", head("at,vendor", " at , vendor ")),
        Hostile(kind, "no-break spaces around names", head("at,vendor", "at\u00a0,\u00a0vendor")),
        Hostile(kind, "a name twice", head("score", "vendor"), r"the header 'vendor' appears 2 times.*repeated:"),
        Hostile(kind, "a name twice by capitals", table(*more, header=(*HEADER, "Vendor")).encode(), "'vendor' appears 2 times"),
        Hostile(kind, "a name twice by spaces", table(*more, header=(*HEADER, "vendor ")).encode(), "'vendor' appears 2 times"),
        Hostile(kind, "a name without letters", table(*more, header=(*HEADER, "   ")).encode()),
        Hostile(kind, "two names without letters", table(*((*one, "y") for one in more), header=(*HEADER, "", " ")).encode()),
        Hostile(kind, "another case than the contract", head("vendor", "VENDOR"), r"dimensions: unknown column 'vendor'. Did you mean 'VENDOR'"),
        Hostile(kind, "a zero-width space in a name", head("vendor", "vendor\u200b"), "unknown column 'vendor'"),
        Hostile(kind, "Cyrillic letters in a name", head("score", "sсore"), "unknown column 'score'. Did you mean 'sсore'"),
        Hostile(kind, "a name over two lines", head("vendor", '"the\nvendor"'), contract={"dimensions": [{"vendor": '"the\nvendor"'}]}),
        Hostile(kind, "SQL in a name", head("vendor", '"vendor""; drop table cases; --"'), "unknown column 'vendor'"),
        Hostile(kind, "SQL in a name, used", table(*more, header=(*HEADER, "x; drop table cases; --")).encode(), contract={"dimensions": ["vendor", "x; drop table cases; --"]}),
        Hostile(kind, "a name that is a word of SQL", table(*more, header=(*HEADER, "select")).encode(), contract={"dimensions": ["vendor", "select"]}),
        Hostile(kind, "a name of our own", table(*more, header=(*HEADER, "rca_row")).encode(), "the name 'rca_row' is taken"),
        Hostile(kind, "names that are numbers", table(*more, header=(*HEADER, "2026")).encode(), contract=dims),
        Hostile(kind, "a very long name", table(*more, header=(*HEADER, "x" * 100_000)).encode()),
        Hostile(kind, "no header", "".join(LINES[1:]).encode(), "key: unknown column 'id'.*A1"),
        Hostile(kind, "the header again in the middle", row(LINES[0][:-1]), Answer(aside={"that repeat the header": 1})),
        Hostile(kind, "two files, one behind the other", (PLAIN + PLAIN.replace("A", "B").replace("Bndes", "Andes")).encode(), Answer(6, 23, aside={"that repeat the header": 1})),
        Hostile(kind, "two files with BOM", PLAIN.encode("utf-8-sig") + PLAIN.replace("A", "B").encode("utf-8-sig"), "row 4 of the data: score 'score' is not a number"),
        Hostile(kind, "emoji in names", table(*more, header=(*HEADER, "😀")).encode(), contract={"dimensions": ["vendor", "😀"]}),
    ]  # fmt: skip


def _numbers() -> list[Hostile]:
    kind, comma, point = "numbers", {"decimal": ","}, {"decimal": "."}
    return [
        Hostile(kind, "decimal commas", scored("5", "2,5", "4"), "row 2 of the data: score '2,5' is not a number.*decimal: ','"),
        Hostile(kind, "decimal commas declared", scored("5", "2,5", "4,0"), contract=comma),
        Hostile(kind, "decimal commas and points", scored("5", "1.002,5", "4"), Answer(total=1011.5), contract=comma),
        Hostile(kind, "decimal commas and spaces", scored("5", "1\u202f002,5", "4"), Answer(total=1011.5), contract=comma),
        Hostile(kind, "decimal commas, quoted", scored("5", '"2,5"', "4", sep=","), contract=comma),
        Hostile(kind, "a decimal point where a comma is declared", scored("5", "2.5", "4"), "row 2 of the data: score '2.5' is not a number", contract=comma),
        Hostile(kind, "thousands, not declared", scored("5", "1,002.5", "4"), r"row 2 of the data: score '1,002.5' is not a number.*decimal: '\.'"),
        Hostile(kind, "thousands declared", scored("5", "1,002.5", "4"), Answer(total=1011.5), contract=point),
        Hostile(kind, "thousands in wrong groups", scored("5", "10,02.5", "4"), "row 2 of the data: score '10,02.5' is not a number", contract=point),
        Hostile(kind, "Swiss thousands", scored("5", "1'002.5", "4"), Answer(total=1011.5), contract=point),
        Hostile(kind, "percent signs", scored("5", "2.5 %", "4"), "row 2 of the data: score '2.5 %' is not a number"),
        Hostile(kind, "currency signs", scored("5", "€2.5", "4"), "row 2 of the data: score '€2.5' is not a number"),
        Hostile(kind, "a typographic minus", scored("5", "−2.5", "4"), "row 2 of the data: score '−2.5' is not a number"),
        Hostile(kind, "a minus", scored("5", "-2.5", "4"), Answer(total=6.5)),
        Hostile(kind, "brackets for a minus", scored("5", "(2.5)", "4"), r"row 2 of the data: score '\(2.5\)' is not a number"),
        Hostile(kind, "exponents", scored("5", "2.5E0", "4e+00")),
        Hostile(kind, "spaces around", scored(" 5", "2.5 ", " 4 ")),
        Hostile(kind, "underscores", scored("5", "2_5", "4"), "row 2 of the data: score '2_5' is not a number"),
        Hostile(kind, "hexadecimal", scored("5", "0x19", "4"), "row 2 of the data: score '0x19' is not a number"),
        Hostile(kind, "Arabic digits", scored("5", "٢", "4"), "row 2 of the data: score '٢' is not a number"),
        Hostile(kind, "full-width digits", scored("5", "２", "4"), "row 2 of the data: score '２' is not a number"),
        Hostile(kind, "too large for a number", scored("5", "1e999", "4"), "row 2 of the data: score '1e999' is not a number"),
        Hostile(kind, "leading zeros", scored("005", "02.50", "4")),
        *(Hostile(kind, f"{word!r} for missing", scored("5", word, "4"), f"row 2 of the data: score '{re.escape(word)}' is not a number.*missing") for word in ("NA", "n/a", "-", "?", "NULL", "nan", "inf", "#N/A", "#DIV/0!")),
        *(Hostile(kind, f"{word!r} declared missing", scored("5", word, "4"), Answer(total=9), contract={"missing": [word]}) for word in ("NA", "-", "?", "nan", "#N/A")),
        Hostile(kind, "an empty cell", scored("5", "", "4"), Answer(total=9)),
        Hostile(kind, "a word from the middle on", _late_word(), "row 30001 of the data: score 'late' is not a number"),
        Hostile(kind, "an integer that has a part", scored("5", "2.5", "4"), "row 2 of the data: score '2.5' is not an integer", contract={"types": {"score": "integer"}}),
        Hostile(kind, "an integer too large", scored("5", "9" * 30, "4"), f"row 2 of the data: score '{'9' * 30}' is not an integer", contract={"types": {"score": "integer"}}),
    ]  # fmt: skip


def _late_word() -> bytes:
    rows = [f"B{number},2026-01-05,Andes,{1 if number < 30_000 else 'late'}\n" for number in range(30_010)]
    return "".join([LINES[0], *rows]).encode()


def _times() -> list[Hostile]:
    kind = "times"
    free = {"time": {"column": "at"}}

    def form(text: str, **more: str) -> dict[str, Any]:
        return {"time": {"column": "at", "format": text, **more}}

    return [
        Hostile(kind, "day first", dated("5/1/2026", "6/1/2026", "17/1/2026"), contract=free),
        Hostile(kind, "month first", dated("1/5/2026", "1/6/2026", "1/17/2026"), contract=free),
        Hostile(kind, "day or month first", dated("5/1/2026", "6/1/2026", "7/1/2026"), r"at '5/1/2026' can be 5 January 2026 .* or 1 May 2026", contract=free),
        Hostile(kind, "dots", dated("05.01.2026", "06.01.2026", "17.01.2026"), contract=free),
        Hostile(kind, "ISO with zone", dated("2026-01-05T10:00:00Z", "2026-01-06T10:00:00Z", "2026-01-07T10:00:00Z"), contract=free),
        Hostile(kind, "offsets", dated("2026-01-05T10:00:00+0100", "2026-01-06T10:00:00+0100", "2026-01-07T10:00:00-0500"), contract=free),
        Hostile(kind, "mornings and evenings", dated("2026-01-05 10:00 AM", "2026-01-06 10:00 PM", "2026-01-07 12:00 AM"), contract=free),
        Hostile(kind, "compact", dated("20260105", "20260106", "20260107"), contract=free),
        Hostile(kind, "two formats", dated("2026-01-05", "6/1/2026", "2026-01-07"), "row 2 of the data: at '6/1/2026' does not fit the format '%Y-%m-%d'", contract=free),
        Hostile(kind, "three formats", dated("2026-01-05", "6/1/2026", "7.1.2026"), r"row 2 of the data: at '6/1/2026'", contract=free),
        Hostile(kind, "five formats", _five(), r"row 2 of the data: at '06/01/2026'", contract=free),
        Hostile(kind, "seconds here and there", dated("2026-01-05 10:00", "2026-01-06 10:00:30", "2026-01-07 10:00"), r"row 2 of the data: at '2026-01-06 10:00:30'", contract=free),
        Hostile(kind, "Excel's day numbers", dated("46027", "46028", "46029"), r"at '46027'.*format", contract=free),
        Hostile(kind, "seconds since 1970", dated("1767571200", "1767657600", "1767744000"), r"at '1767571200'.*format", contract=free),
        Hostile(kind, "two-digit years", dated("05/01/26", "06/01/26", "17/01/26"), r"at '05/01/26'.*format", contract=free),
        Hostile(kind, "two-digit years declared", dated("05/01/26", "06/01/26", "17/01/26"), contract=form("%d/%m/%y")),
        Hostile(kind, "names of months", dated("5 Jan 2026", "6 Jan 2026", "7 Jan 2026"), contract=form("%d %b %Y")),
        Hostile(kind, "no such day", dated("2026-01-05", "2026-02-30", "2026-01-07"), "row 2 of the data: at '2026-02-30'", contract=form("%Y-%m-%d")),
        Hostile(kind, "no such day, not declared", dated("2026-01-05", "2026-02-30", "2026-01-07"), "row 2 of the data: at '2026-02-30'", contract=free),
        Hostile(kind, "a zero date", dated("2026-01-05", "0000-00-00", "2026-01-07"), "row 2 of the data: at '0000-00-00'", contract=form("%Y-%m-%d")),
        Hostile(kind, "a day past the format", dated("2026-01-05", "2026-01-06 10:00", "2026-01-07"), "row 2 of the data: at '2026-01-06 10:00'", contract=form("%Y-%m-%d")),
        Hostile(kind, "a clock only", dated("10:00", "11:00", "12:00"), r"at '10:00'.*format", contract=free),
        Hostile(kind, "a time missing", dated("2026-01-05", "", "2026-01-07"), Answer(2, 9, ("Andes", "Cedar"), {"without at": 1}), contract=free),
        Hostile(kind, "all times missing", dated("", "", ""), "no case has its at in the time range|at is empty", contract=free),
        Hostile(kind, "spaces around a time", dated(" 2026-01-05", "2026-01-06 ", "2026-01-07"), contract=free),
        Hostile(kind, "a word among the times", dated("2026-01-05", "soon", "2026-01-07"), "row 2 of the data: at 'soon'", contract=free),
        Hostile(kind, "before and after the range", dated("1970-01-01", "2026-01-06", "2099-12-31"), Answer(1, 2.5, ("Baltic",), {"before 1 Jan 2026": 1, "after 31 Jan 2026": 1}), contract={"time": {"column": "at", "from": "2026-01-01", "until": "2026-01-31"}}),
    ]  # fmt: skip


def _five() -> bytes:
    days = ("2026-01-05", "06/01/2026", "7.1.2026", "2026/01/08", "20260109")
    return table(*((f"A{i}", day, "Andes", "1") for i, day in enumerate(days))).encode()


def _values() -> list[Hostile]:
    kind = "values"
    return [
        *(
            Hostile(kind, f"{what} for a vendor", named(value), vendors(value))
            for what, value in {
                "SQL": "'; drop table cases; --",
                "a marker inside": "what?",
                "HTML": "<script>alert(1)</script>",
                "a formula": "=cmd|' /C calc'!A0",
                "a path": "../../etc/passwd",
                "a template": "{{ 7 * 7 }} %s {0}",
                "a tab": "An\tdes",
                "an emoji": "👩‍🔧 Andes",
                "right-to-left text": "\u202eAndes",
                "Greek letters": "Αndes",
                "a combining accent": "An\u0303des",
                "spaces around": "  Andes ",
                "a no-break space": "Andes\u00a0",
                "a zero-width space": "An\u200bdes",
                "the word null": "NULL",
                "a backslash": "An\\des\\",
                "a megabyte": "x" * 1_000_000,
            }.items()
        ),
        Hostile(kind, "a NUL byte", named("An\0des"), vendors("An\0des")),
        Hostile(kind, "a block of NUL bytes at the end", PLAIN.encode() + b"\0" * 512, "row 4 of the data.*1 field"),
        Hostile(kind, "a cell of three megabytes", named("x" * 3_000_000), "row 1 of the data.*longer than"),
        Hostile(kind, "keys that differ by zeros", PLAIN.replace("A1", "01").replace("A2", "1").encode()),
        Hostile(kind, "keys that differ by capitals", PLAIN.replace("A2", "a1").encode()),
        Hostile(kind, "keys that differ by a space", PLAIN.replace("A2", "A1 ").encode()),
        Hostile(kind, "a key twice", row("A1,2026-01-09,Andes,1"), "1 key occurs in more than one row .2 rows in all., such as id 'A1'"),
        Hostile(kind, "the same row twice", row(LINES[1][:-1]), "1 key occurs in more than one row .2 rows in all., such as id 'A1'"),
        Hostile(kind, "a key missing", row(",2026-01-09,Andes,1"), Answer(aside={"without id": 1})),
        Hostile(kind, "every key missing", table(*(("", *one[1:]) for one in ROWS)).encode(), "no row has its key, id"),
    ]  # fmt: skip


def _containers() -> list[Hostile]:
    kind, zipped = "container", io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    packed = gzip.compress(PLAIN.encode())
    open_end = zlib.compressobj(wbits=31)
    flushed = open_end.compress(PLAIN.encode()) + open_end.flush(zlib.Z_SYNC_FLUSH)
    return [
        Hostile(kind, "an Excel file named .csv", zipped.getvalue(), "is an Excel or zip file.*save it as CSV"),
        Hostile(kind, "an old Excel file named .csv", bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 500, "is an old Excel file.*save it as CSV"),
        Hostile(kind, "an Excel file", zipped.getvalue(), "unknown ending '.xlsx'.*save it as CSV", "cases.xlsx"),
        Hostile(kind, "a web page named .csv", b"<html><body><table><tr><td>id</td></tr></table></body></html>", "is a web page"),
        Hostile(kind, "a PDF named .csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "is a PDF file"),
        Hostile(kind, "gzip named .csv", packed, "is a gzip file.*'.csv.gz'"),
        Hostile(kind, "Parquet named .csv", _parquet_bytes(), "is a Parquet file.*'.parquet'"),
        Hostile(kind, "gzip", packed, file="cases.csv.gz"),
        Hostile(kind, "gzip of two members", gzip.compress(LINES[0].encode()) + gzip.compress("".join(LINES[1:]).encode()), file="cases.csv.gz"),
        Hostile(kind, "gzip cut short", packed[:-12], "cases.csv.gz is not a whole gzip file", "cases.csv.gz"),
        Hostile(kind, "gzip cut at a line's end", flushed, "cases.csv.gz is not a whole gzip file", "cases.csv.gz"),
        Hostile(kind, "gzip with a wrong checksum", packed[:-8] + b"\0\0\0\0" + packed[-4:], "is not a whole gzip file", "cases.csv.gz"),
        Hostile(kind, "gzip with something behind it", packed + b"tail", "is not a whole gzip file", "cases.csv.gz"),
        Hostile(kind, "text named .csv.gz", PLAIN.encode(), "is not a whole gzip file", "cases.csv.gz"),
        Hostile(kind, "nothing named .csv.gz", b"", "is empty", "cases.csv.gz"),
        Hostile(kind, "nothing, compressed", gzip.compress(b""), "is empty", "cases.csv.gz"),
        Hostile(kind, "an unknown ending", PLAIN.encode(), "unknown ending '.dat'", "cases.dat"),
        Hostile(kind, "no ending", PLAIN.encode(), "unknown ending ''", "cases"),
        Hostile(kind, "an ending in capitals", PLAIN.encode(), file="CASES.CSV"),
        Hostile(kind, "quotes in the file's name", PLAIN.encode(), file="it's.csv"),
        Hostile(kind, "brackets in the file's name", PLAIN.encode(), file="cases [final] (2).csv"),
        Hostile(kind, "a text named .duckdb", PLAIN.encode(), "is not a DuckDB file", "cases.duckdb", {"table": "cases.duckdb::cases"}),
    ]  # fmt: skip


def _json_lines() -> list[Hostile]:
    kind, file = "JSON lines", "cases.jsonl"
    rows = [dict(zip(HEADER, (*one[:3], float(one[3])), strict=True)) for one in ROWS]
    lines = [json.dumps(one) + "\n" for one in rows]

    def put(line: str, at: int = 2) -> bytes:
        return "".join([*lines[:at], line + "\n", *lines[at:]]).encode()

    nine = '{"id": "A9", "at": "2026-01-09", "vendor": "Andes", "score": 1}'
    found = [
        Hostile(kind, "JSON lines", "".join(lines).encode()),
        Hostile(kind, "CRLF between objects", "".join(lines).replace("\n", "\r\n").encode()),
        Hostile(kind, "no line end at the last object", "".join(lines)[:-1].encode()),
        Hostile(kind, "blank lines between objects", "\n".join(lines).encode()),
        Hostile(kind, "BOM before JSON", "".join(lines).encode("utf-8-sig")),
        Hostile(kind, "escapes", "".join(lines).replace("Andes", "A\\u00f1des").encode(), vendors("Añdes")),
        Hostile(kind, "numbers as texts", "".join(json.dumps(dict(zip(HEADER, one, strict=True))) + "\n" for one in ROWS).encode()),
        Hostile(kind, "null", put('{"id": "A9", "at": "2026-01-09", "vendor": null, "score": null}'), Answer(4, vendors=("(missing)", "Andes", "Baltic", "Cedar"))),
        Hostile(kind, "a field missing", put('{"id": "A9", "at": "2026-01-09", "vendor": "Andes"}'), Answer(4)),
        Hostile(kind, "a field more", put('{"id": "A9", "at": "2026-01-09", "vendor": "Andes", "score": 1, "more": [1]}'), Answer(4, 12.5)),
        Hostile(kind, "fields in another order", put('{"score": 1, "vendor": "Andes", "at": "2026-01-09", "id": "A9"}'), Answer(4, 12.5)),
        Hostile(kind, "nested objects", put(nine.replace("1}", '1, "who": {"name": {"first": "x"}}}')), Answer(4, 12.5)),
        Hostile(kind, "a large whole number for a key", put(nine.replace('"A9"', "12345678901234567890")), Answer(4, 12.5)),
        Hostile(kind, "broken in the middle", put('{"id": "A9", "at": "2026-'), "row 3 of the data"),
        Hostile(kind, "cut at the end", "".join(lines)[:-12].encode(), "row 3 of the data"),
        Hostile(kind, "a comma between objects", put(nine + ","), "row 3 of the data"),
        Hostile(kind, "two objects on a line", put(nine + nine.replace("A9", "A8")), "row 3 of the data"),
        Hostile(kind, "a line that is a list", put("[1, 2]"), "row 3 of the data"),
        Hostile(kind, "a line that is a number", put("7"), "row 3 of the data"),
        Hostile(kind, "one list of objects", json.dumps(rows).encode(), "each line must be a JSON object"),
        Hostile(kind, "one object over many lines", json.dumps(rows[0], indent=1).encode(), "each line must be a JSON object"),
        Hostile(kind, "NaN", put(nine.replace("1}", "NaN}")), "row 3 of the data"),
        Hostile(kind, "single quotes for JSON", put(nine.replace('"', "'")), "row 3 of the data"),
        Hostile(kind, "a field twice", put(nine.replace("1}", '1, "score": 2}')), "row 3 of the data.*'score'.*twice"),
        Hostile(kind, "fields that differ by capitals", put(nine.replace("1}", '1, "Score": 2}')), "'[sS]core' appears 2 times|differ by capitals"),
        Hostile(kind, "an empty JSON file", b"", "holds no rows"),
        Hostile(kind, "empty objects", b"{}\n{}\n", "holds no rows|unknown column 'id'"),
        Hostile(kind, "latin-1 JSON", "".join(lines).replace("Andes", "Añdes").encode("latin-1"), "row 1 of the data.*encoding"),
        Hostile(kind, "latin-1 JSON declared", "".join(lines).replace("Andes", "Añdes").encode("latin-1"), vendors("Añdes"), contract={"encoding": "latin-1"}),
        Hostile(kind, "UTF-16 JSON", "".join(lines).encode("utf-16")),
        Hostile(kind, "JSON cut short in gzip", gzip.compress("".join(lines).encode())[:-9], "is not a whole gzip file", file + ".gz"),
        Hostile(kind, "CSV named .jsonl", PLAIN.encode(), "row 1 of the data|each line must be a JSON object"),
        Hostile(kind, "SQL in a field's name", put(nine.replace("1}", '1, "x\\"; drop table cases; --": 2}')), Answer(4, 12.5)),
        Hostile(kind, "a time that is a number", put(nine.replace('"2026-01-09"', "20260109")), "row 3 of the data: at '20260109'"),
        Hostile(kind, "true for a score", put(nine.replace("1}", "true}")), "row 3 of the data: score 'true' is not a number"),
        Hostile(kind, "an object for a score", put(nine.replace("1}", '{"a": 1}}')), "row 3 of the data: score '{.*}' is not a number"),
    ]  # fmt: skip
    return [one if one.file != "cases.csv" else replace(one, file=file) for one in found]


def _frame() -> pd.DataFrame:
    frame = pd.DataFrame([*ROWS], columns=[*HEADER])
    return frame.assign(at=pd.to_datetime(frame["at"]), score=frame["score"].astype(float))


def _parquet_bytes(frame: pd.DataFrame | None = None, **options: Any) -> bytes:
    packed = io.BytesIO()
    (_frame() if frame is None else frame).to_parquet(packed, **options)
    return packed.getvalue()


def _parquet() -> list[Hostile]:
    kind, file, frame = "Parquet", "cases.parquet", _frame()
    whole = _parquet_bytes()
    unzoned = {"types": {"score": "number"}}
    found = [
        Hostile(kind, "Parquet", whole),
        Hostile(kind, "Parquet without its end", whole[:-20], "cases.parquet cannot be read: No magic bytes"),
        Hostile(kind, "Parquet without its start", whole[20:], "cases.parquet"),
        Hostile(kind, "Parquet with a byte changed", whole[:8] + bytes([whole[8] ^ 0xFF]) + whole[9:], "cases.parquet"),
        Hostile(kind, "an empty Parquet file", b"", "cases.parquet"),
        Hostile(kind, "CSV named .parquet", PLAIN.encode(), "cases.parquet cannot be read: No magic bytes"),
        Hostile(kind, "Parquet without rows", _parquet_bytes(frame.iloc[:0]), "cases.parquet holds no rows"),
        Hostile(kind, "Parquet with times as texts", _parquet_bytes(frame.assign(at=[one[1] for one in ROWS]))),
        Hostile(kind, "Parquet with times in a zone", _parquet_bytes(frame.assign(at=frame["at"].dt.tz_localize("Europe/Madrid"))), contract=unzoned),
        Hostile(kind, "Parquet with times as numbers", _parquet_bytes(frame.assign(at=[1, 2, 3])), "time column 'at' holds int64 values, not times"),
        Hostile(kind, "Parquet with dates", _parquet_bytes(frame.assign(at=frame["at"].dt.date))),
        Hostile(kind, "Parquet with scores as texts", _parquet_bytes(frame.assign(score=[one[3] for one in ROWS]))),
        Hostile(kind, "Parquet with a score that is none", _parquet_bytes(frame.assign(score=["5", "x", "4"])), "row 2 of the data: score 'x' is not a number"),
        Hostile(kind, "Parquet with lists", _parquet_bytes(frame.assign(tags=[[1], [2], [3]]))),
        Hostile(kind, "Parquet with whole numbers for keys", _parquet_bytes(frame.assign(id=[1, 2, 3]))),
        Hostile(kind, "Parquet with categories", _parquet_bytes(frame.assign(vendor=frame["vendor"].astype("category")))),
        Hostile(kind, "Parquet with names that differ by capitals", _parquet_bytes(frame.assign(Vendor="x"))),
        Hostile(kind, "Parquet with missing scores", _parquet_bytes(frame.assign(score=[5, None, 4])), Answer(total=9)),
    ]  # fmt: skip
    return [one if one.file != "cases.csv" else replace(one, file=file) for one in found]


def contract(one: Hostile) -> dict[str, Any]:
    """The contract that goes with a file."""
    metric = {"kind": "mean", "better": "up", "value": "score"}
    plain = {
        "table": one.file,
        "key": "id",
        "time": {"column": "at", "format": "%Y-%m-%d"},
        "types": {"score": "number"},
        "dimensions": ["vendor"],
        "metrics": {"score": metric},
    }
    return {**plain, **one.contract}
