"""Files of rows: finding them, and reading them as text so that nothing is typed in silence."""

import csv
import glob
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from rca import text_file
from rca.contract import Contract
from rca.errors import InputError, hint

KINDS = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
WIDE = 500  # columns; of a wider text only those are read that the contract names
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
    copies: TemporaryDirectory[str] | None = None  # holds what the engine reads where the files will not do

    @property
    def is_text(self) -> bool:
        return self.kind in ("csv", "jsonl")

    def __str__(self) -> str:
        more = len(self.paths) - 1
        return f"{self.paths[0]}{f' (or one of {more} more files)' if more else ''}"

    def read(self, con: Any, contract: Contract) -> Any:
        """The rows, missing markers emptied, as a table of an Ibis DuckDB connection; not loaded yet."""
        if self.kind == "csv":
            return _read_csv(con, self._files(contract), contract)
        if self.kind == "jsonl":
            return emptied(_read_jsonl(con, self._files(contract)), ["", *contract.missing])
        if self.kind == "parquet":
            return emptied(_read_parquet(con, self.paths), contract.missing)
        return emptied(_read_database(con, self.paths[0], self.inner), contract.missing)

    def pieces(self) -> Iterator["Data"]:
        """Each file on its own, so that a row is counted in its own file."""
        return (replace(self, paths=(path,)) for path in self.paths)

    def _files(self, contract: Contract) -> dict[Path, Path]:
        """The text files, each with what the engine reads for it: itself, or its copy in UTF-8."""
        found = {}
        for number, path in enumerate(self.paths):
            if path.suffix.lower() == ".gz":
                text_file.check_whole(path)
            name = text_file.encoding(path, contract.encoding)
            found[path] = path
            if self.copies or not text_file.is_utf8(name):
                folder = self.copies or TemporaryDirectory(prefix="rca-")
                object.__setattr__(self, "copies", folder)
                found[path] = Path(folder.name) / f"{number}.{self.kind}"
                delimiter = _header(path, name)[1] if self.kind == "csv" else ""
                text_file.copy(path, name, delimiter, found[path])
        return found


R = TypeVar("R")


def careful(read: Callable[[Data], R], data: Data) -> R:
    """`read(data)`. A text that the engine refuses is read again from a clean copy, or the row at fault is named."""
    import duckdb

    try:
        return read(data)
    except (duckdb.DataError, duckdb.OperationalError, duckdb.InvalidInputException):
        if not data.is_text or data.copies:
            raise
        return read(replace(data, copies=TemporaryDirectory(prefix="rca-")))


def find_data(table: str, start: Path) -> Data:
    """What `table:` of a contract in the folder `start` names: a file, folder, glob or `file.duckdb::table`."""
    if DATABASE in table:
        path, inner = table.split(DATABASE, 1)
        return Data("duckdb", (find_file(path, start),), inner)
    paths = [file for path in _look_up(table, start, _matches) for file in _files(path)]
    kinds = {_kind(path) for path in paths}
    if len(kinds) != 1:
        what = f"holds files of several kinds ({', '.join(sorted(kinds))})" if kinds else "holds no files"
        raise InputError(f"{start / table} {what}; name files of one kind, such as '*.csv'.")
    return Data(kinds.pop(), tuple(paths))


def stamps(paths: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Size and time of change of files, which differ when one was written again."""
    return {path: (found.st_size, found.st_mtime_ns) for path in paths for found in [path.stat()]}


@contextmanager
def engine_errors(what: object) -> Iterator[None]:
    """What the engine says about unreadable data, as one line."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        of_data = (duckdb.DataError, duckdb.OperationalError, duckdb.InvalidInputException)
        if not isinstance(error, of_data) and type(error) is not duckdb.Error:
            raise  # our mistake, not that of the data
        first = str(error).strip().splitlines()[0]
        raise InputError(f"{what} cannot be read: {first.partition(': ')[2] or first}") from error


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


def _kind(path: Path) -> str:
    suffix = path.with_suffix("").suffix if path.suffix.lower() == ".gz" else path.suffix
    if suffix.lower() not in KINDS:
        what = f"{path} has the unknown ending {suffix!r}. {hint(suffix, [*KINDS, '.csv.gz'])}"
        cure = f" A table in it is named like '{path.name}{DATABASE}cases'." if suffix == ".duckdb" else ""
        raise InputError(what + (" Open it and save it as CSV (UTF-8)." if suffix.startswith(".xls") else cure))
    return KINDS[suffix.lower()]


def _read_csv(con: Any, files: Mapping[Path, Path], contract: Contract) -> Any:
    """CSV or TSV as text columns. The header is read here: the engine renames a repeated column in silence."""
    headers = {path: _header(path, text_file.encoding(path, contract.encoding)) for path in files}
    path, (first, delimiter) = next(iter(headers.items()))
    for other, found in headers.items():
        if found != (first, delimiter):
            differ = ", ".join(sorted(set(first) ^ set(found[0]))) or "their order or delimiter"
            raise InputError(f"{other} and {path} have different columns: {differ}.")
    names = _distinct(first, contract.repeated, path)
    columns = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in names)
    markers = ", ".join(_literal(marker) for marker in ("", *contract.missing))
    said = str(contract)
    kept = names if len(names) <= WIDE else [name for name in names if name in said] or names[:WIDE]
    con.raw_sql(
        f"CREATE OR REPLACE TEMP VIEW rca_text AS SELECT {', '.join(map(_quoted, kept))} FROM read_csv("
        f"[{', '.join(_literal(str(file)) for file in files.values())}], columns = {{{columns}}},"
        f" nullstr = [{markers}], delim = {_literal(delimiter)}, quote = '\"', escape = '\"',"
        f" header = true, auto_detect = false)"
    )
    return con.table("rca_text")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _header(path: Path, encoding: str) -> tuple[list[str], str]:
    """Column names, and the delimiter that the header line uses most."""
    try:
        with text_file.opened(path, encoding) as lines:
            line = lines.readline()
            if "\0" in line:
                raise InputError(
                    f"{path} is not UTF-8 text: it has zero bytes in its header. If it comes from Windows,"
                    f" say encoding: utf-16 in the contract."
                )
            delimiter = max("\t,;|", key=re.sub('"[^"]*"', "", line).count)
            lines.seek(0)
            names = [name.strip() for name in next(csv.reader(lines, delimiter=delimiter), [])]
        "".join(names).encode()
    except (UnicodeError, csv.Error) as error:
        raise InputError(
            f"{path} is not UTF-8 text that begins with column names: save it as UTF-8,"
            f" or say its encoding in the contract, such as encoding: cp1252 (Excel on Windows)."
        ) from error
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
                f" Name them in the contract: repeated: {{{name}: [{', '.join(example)}]}}",
                {"repeated": {name: example}},
            )
    return names


def _read_jsonl(con: Any, files: Mapping[Path, Path]) -> Any:
    """JSON lines as text columns: a first pass finds the names, so that the engine need not guess a type."""
    paths, form = [str(file) for file in files.values()], {"format": "newline_delimited"}
    keys = "SELECT unnest(json_keys(json)) AS name FROM read_json_objects($1, format = 'newline_delimited')"
    found = con.con.execute(f"SELECT name FROM ({keys}) GROUP BY name ORDER BY count(*) DESC, name", [paths])
    path, names = next(iter(files)), [name for (name,) in found.fetchall()]
    if not names:
        raise InputError(f"{path} holds no rows. {text_file.EACH_LINE}")
    return con.read_json(
        paths, columns=dict.fromkeys(_distinct(names, {}, path), "VARCHAR"), auto_detect=False, **form
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
