"""Files of rows: finding them, and reading them as text so that nothing is typed in silence."""

import csv
import glob
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rca.contract import Contract
from rca.errors import InputError, hint

KINDS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
REASONS = ("Expected Number", "Invalid unicode", "Value with", "Maximum line")  # in DuckDB's errors
DATABASE = "::"  # in `file.duckdb::table`


def find_file(path: str, start: Path | None = None) -> Path:
    """The file or folder `path`: in the folder `start` (the one of the file that names it), or in any above it.

    `start` is the current folder where it is not given. InputError says where it was looked for.
    """
    return _look_up(path, start, lambda place: [place] if place.exists() else [])[0]


@dataclass(frozen=True)
class Data:
    """What `table:` of a contract stands for: files of one kind, or a table in a DuckDB file."""

    kind: str
    paths: tuple[Path, ...]
    inner: str = ""  # the table in a DuckDB file

    def __str__(self) -> str:
        more = len(self.paths) - 1
        return f"{self.paths[0]}{f' (or one of {more} more files)' if more else ''}"

    def read(self, con: Any, contract: Contract) -> Any:
        """The rows, missing markers emptied, as a table of an Ibis DuckDB connection; not loaded yet."""
        for path in self.paths:
            if path.suffix == ".gz":
                _check_whole(path)
        if self.kind == "csv":
            return _read_csv(con, self.paths, contract)
        if self.kind == "jsonl":
            return emptied(_read_jsonl(con, self.paths), ["", *contract.missing])
        if self.kind == "parquet":
            return emptied(_read_parquet(con, self.paths), contract.missing)
        return emptied(_read_database(con, self.paths[0], self.inner), contract.missing)


def find_data(table: str, start: Path) -> Data:
    """What `table:` of a contract in the folder `start` names: a file, folder, glob or `file.duckdb::table`."""
    if DATABASE in table:
        path, inner = table.split(DATABASE, 1)
        return Data("duckdb", (find_file(path, start),), inner)
    paths = [file for path in _look_up(table, start, _matches) for file in _files(path)]
    kinds = {_kind(path) for path in paths}
    if len(kinds) != 1:
        what = f"holds files of several kinds ({', '.join(sorted(kinds))})" if kinds else "holds no files"
        raise InputError(f"{table!r} {what}; name files of one kind, such as '*.csv'.")
    return Data(kinds.pop(), tuple(paths))


@contextmanager
def engine_errors(what: object) -> Iterator[None]:
    """What the engine says about unreadable data, as one line."""
    import duckdb

    try:
        yield
    except (duckdb.DataError, duckdb.OperationalError, duckdb.InvalidInputException) as error:
        first, *others = str(error).strip().splitlines()
        if "state machine" in first:  # DuckDB's word for a file that is partly from Windows
            first = "Error: its lines do not all end in the same way; save it again"
        reasons = [line.strip() for line in others if line.strip().startswith(REASONS)][:1]
        raise InputError(
            f"{what} cannot be read: {'. '.join([first.partition(': ')[2] or first, *reasons])}"
        ) from error


def _look_up(path: str, start: Path | None, found: Any) -> list[Path]:
    folder = (start or Path.cwd()).resolve()
    given = Path(path).expanduser()
    places = [given] if given.is_absolute() else [place / given for place in (folder, *folder.parents)]
    for place in places:
        if matches := found(place):
            return matches
    where = "" if given.is_absolute() else f"; looked in {folder} and in each folder above it"
    raise InputError(f"no file {path!r}{where}.")


def _matches(pattern: Path) -> list[Path]:
    return [pattern] if pattern.exists() else [Path(p) for p in sorted(glob.glob(str(pattern), recursive=True))]


def _files(path: Path) -> list[Path]:
    """A file itself, or the files of a folder, without hidden ones and markers such as `_SUCCESS`."""
    if path.is_file():
        return [path]
    inside = [(file, file.relative_to(path).parts) for file in sorted(path.rglob("*")) if file.is_file()]
    return [file for file, parts in inside if not any(part.startswith((".", "_")) for part in parts)]


def _check_whole(path: Path) -> None:
    """Read a gzip file to its end: the engine would take one that was cut short for a whole one."""
    try:
        with gzip.open(path) as content:
            while content.read(1 << 20):
                pass
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} is not a whole gzip file: {error}.") from error


def _kind(path: Path) -> str:
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    if suffix.lower() not in KINDS:
        what = f"{path} has the unknown ending {suffix!r}. {hint(suffix, [*KINDS, '.csv.gz'])}"
        cure = f" A table in it is named like '{path.name}{DATABASE}cases'." if suffix == ".duckdb" else ""
        raise InputError(what + cure)
    return KINDS[suffix.lower()]


def _read_csv(con: Any, paths: Sequence[Path], contract: Contract) -> Any:
    """CSV or TSV as text columns. The header is read here: the engine renames a repeated column in silence."""
    first, delimiter = _header(paths[0])
    for path in paths[1:]:
        if (other := _header(path)) != (first, delimiter):
            differ = ", ".join(sorted(set(first) ^ set(other[0]))) or "their order or delimiter"
            raise InputError(f"{path} and {paths[0]} have different columns: {differ}.")
    names = _distinct(first, contract.repeated, paths[0])
    return con.read_csv(
        [str(path) for path in paths],
        columns=dict.fromkeys(names, "VARCHAR"),
        auto_detect=False,
        header=True,
        delim=delimiter,
        quote='"',
        escape='"',
        nullstr=["", *contract.missing],
    )


def _header(path: Path) -> tuple[list[str], str]:
    """Column names, and the delimiter that the header line uses most."""
    opener: Any = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as lines:
            line = lines.readline()
            if "\0" in line:
                raise ValueError("UTF-16")
            delimiter = max("\t,;|", key=re.sub('"[^"]*"', "", line).count)
            lines.seek(0)
            names = [name.strip() for name in next(csv.reader(lines, delimiter=delimiter), [])]
    except (ValueError, csv.Error) as error:
        raise InputError(f"{path} is not UTF-8 text that begins with column names: save it as UTF-8.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error}.") from error
    if not any(names):
        raise InputError(f"{path} is empty: the first line must name the columns.")
    return [name or f"column_{position}" for position, name in enumerate(names, 1)], delimiter


def _distinct(header: Sequence[str], repeated: Mapping[str, Sequence[str]], path: Path) -> list[str]:
    """The header, with the names of `repeated` for columns that occur twice (capitals do not tell them apart)."""
    for name in repeated:
        if name not in header:
            raise InputError(f"{path}: repeated names an unknown column {name!r}. {hint(name, header)}")
    left = {name: list(names) for name, names in repeated.items()}
    names = [left[name].pop(0) if left.get(name) else name for name in header]
    counts = Counter(name.casefold() for name in names)
    for name in names:
        if (times := counts[name.casefold()]) > 1:
            example = [name, *(f"{name}_{count}" for count in range(2, times + 1))]
            raise InputError(
                f"{path}: the header {name!r} appears {times} times."
                f" Name them in the contract: repeated: {{{name}: [{', '.join(example)}]}}"
            )
    return names


def _read_jsonl(con: Any, paths: Sequence[Path]) -> Any:
    """JSON lines as text columns: a first pass finds the names, so that the engine need not guess a type."""
    files = [str(path) for path in paths]
    names = con.read_json(files, format="newline_delimited", maximum_depth=1, sample_size=-1).columns
    if names == ("json",):  # DuckDB's name for what is no object
        raise InputError(f"{paths[0]} holds no rows: each line must be a JSON object.")
    return con.read_json(
        files, format="newline_delimited", columns=dict.fromkeys(names, "VARCHAR"), auto_detect=False
    )


def _read_parquet(con: Any, paths: Sequence[Path]) -> Any:
    """All files, if they agree: the engine would squeeze each into the columns and types of the first."""
    from ibis.expr.datatypes import castable

    table = con.read_parquet([str(path) for path in paths])
    first = table.schema()
    for path in paths[1:]:
        other = con.read_parquet(str(path)).schema()
        fits = {n: kind.is_string() or castable(other[n], kind) for n, kind in first.items() if n in other}
        if differ := [name for name in {**first, **other} if not fits.get(name)]:
            raise InputError(f"{path} and {paths[0]} have different columns or types: {', '.join(differ)}.")
    return table


def emptied(table: Any, markers: Sequence[str]) -> Any:
    """A table whose text columns are missing where they hold a marker."""
    texts = [name for name in table.columns if table[name].type().is_string()] if markers else []
    return table.mutate(**{name: (~table[name].isin(markers)).ifelse(table[name], None) for name in texts})


def _read_database(con: Any, path: Path, table: str) -> Any:
    import duckdb

    try:
        con.attach(path, "data", read_only=True)
    except duckdb.Error as error:
        raise InputError(f"{path} is not a DuckDB file that can be opened: {str(error).splitlines()[0]}") from error
    schema, _, name = table.rpartition(".")
    tables = con.list_tables(database=("data", schema or "main"))
    if name not in tables:
        raise InputError(f"{path} has no table {table!r}. {hint(name, tables)}")
    return con.table(name, database=("data", schema or "main"))
