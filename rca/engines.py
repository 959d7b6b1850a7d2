"""The engine that holds a table: DuckDB for files, or PostgreSQL, Spark and others that Ibis connects to.

    table: postgres://${PGUSER}:${PGPASSWORD}@db.example.com/service#public.cases
    table: pyspark://?spark.master=yarn#service.cases

Before `#` stands the address as `ibis.connect` takes it (of Spark: the options of a session, or none to join the open
one), after it the table. `${NAME}` is read from the environment when the source is opened: what it stands for is in no
contract, report or record, and struck out of error texts. Nothing is written into such an engine, and its cubes are
those that DuckDB finds in a file. PostgreSQL and Spark are tested; the others that Ibis has are not.
"""

import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from rca.contract import Contract
from rca.errors import InputError, hint, known
from rca.files import Data, emptied, engine_errors, find_data

if TYPE_CHECKING:
    import ibis.expr.types as ir

PATIENCE = 2.0  # seconds until a query says that it is still running
REFERENCE = re.compile(r"\$\{(\w+)\}")
SECRET = re.compile(
    r"://[^/@#?]*:(?P<password>[^/@#]*)@|[?&]\w*(?:pass|pwd|token|secret|key)\w*=(?P<value>[^&#]*)", re.I
)
# their errors say nothing about the data, or, those of DuckDB, are told by engine_errors
OURS = {"builtins", "rca", "ibis", "pandas", "numpy", "pyarrow", "duckdb", "_duckdb"}
_secrets: set[str] = set()  # what must not be shown


@dataclass(frozen=True)
class Held(Data):
    """A table in another engine. It shows itself as the contract names it."""

    address: str = ""

    def __str__(self) -> str:
        return f"{self.address}#{self.inner}"

    def read(self, con: Any, contract: Contract) -> "ir.Table":
        from ibis.common.exceptions import IbisError, TableNotFound

        *place, name = self.inner.split(".")
        database: Any = tuple(place) if len(place) > 1 else place[0] if place else None
        try:
            return emptied(con.table(name, database=database), contract.missing)
        except (IbisError, TableNotFound):
            there = con.list_tables(database=database)
            raise InputError(f"{self}: no table {self.inner!r}. {hint(name, there)}") from None


@dataclass(frozen=True)
class Stored(Data):
    """Parquet files in an object store, read by DuckDB; credentials are those of the environment (AWS_...)."""

    address: str = ""

    def __str__(self) -> str:
        return self.address

    def read(self, con: Any, contract: Contract) -> "ir.Table":
        return emptied(con.read_parquet(self.address), contract.missing)


def open_data(table: str, start: Path) -> tuple[Any, Data]:
    """The Ibis connection and the data that `table:` of a contract in the folder `start` names."""
    import ibis

    address, _, inner = table.partition("#")
    if inner and ("://" in address or address.startswith("${")):
        return _connect(address), Held("engine", (), inner, address=address)
    con = ibis.duckdb.connect()
    con.raw_sql("SET TimeZone = 'UTC'")  # a column with a time zone must not read differently on another machine
    con.raw_sql("SET enable_progress_bar = false")  # DuckDB prints one into a notebook
    if "://" not in table:
        return con, find_data(table, start)
    if not table.endswith(".parquet"):
        raise InputError(
            f"{table!r} is read as Parquet from an object store: end it in .parquet, such as '/*.parquet'."
        )
    return con, Stored("parquet", (), address=table)


def _connect(address: str) -> Any:
    import ibis
    from ibis.util import backend_entry_points

    url = _resolved(address)
    scheme = url.partition("://")[0].replace("postgresql", "postgres")
    known(scheme, sorted(point.name for point in backend_entry_points()), "engine in table:")
    try:
        return _spark(url) if scheme == "pyspark" else ibis.connect(url)
    except ImportError:
        raise InputError(f"{address} needs a driver: pip install 'ibis-framework[{scheme}]'.") from None
    except Exception as error:  # whatever a driver raises: its text is cleaned, its cause may hold the address
        raise InputError(f"{address} cannot be reached: {_clean(error)}") from None


def _spark(url: str) -> Any:
    """Ibis itself would set the options of a session that is open already, which Spark refuses."""
    import ibis
    from pyspark.sql import SparkSession

    builder: Any = SparkSession.builder
    for name, value in parse_qsl(urlsplit(url).query):
        builder = builder.config(name, value)
    return ibis.pyspark.connect(builder.getOrCreate())


def _resolved(address: str) -> str:
    """The address with the environment's values; whoever writes a password into a contract is told to move it."""
    for match in SECRET.finditer(address):
        if REFERENCE.sub("", match["password"] or match["value"] or ""):
            raise InputError(
                "table: holds a password: put it into an environment variable and write ${NAME} for it."
            )

    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise InputError(f"{address} needs the environment variable {match[1]}, which is not set.")
        found = os.environ[match[1]]
        in_userinfo = "@" in address[match.end() :] and match.start()
        _secrets.update({found, quoted} - {""}) if (quoted := quote(found, safe="")) else None
        return quoted if in_userinfo else found

    url = REFERENCE.sub(value, address)
    if password := urlsplit(url).password:  # also where one variable holds the whole address
        _secrets.update({password, unquote(password)})
    return url


def _clean(error: BaseException) -> str:
    """The first line of an error's text, without what came from the environment."""
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return re.sub(r"://[^/@\s]*@", "://***@", text).rstrip(".") + "."


@contextmanager
def asking(what: object) -> Iterator[None]:
    """While an engine works: its errors about data become one line, and a person at a terminal sees that it runs."""
    with _progress(what), engine_errors(what):
        try:
            yield
        except Exception as error:
            if type(error).__module__.partition(".")[0] in OURS and not isinstance(error, OSError):
                raise
            raise InputError(f"{what} cannot be read: {_clean(error)}") from None


@contextmanager
def _progress(what: object) -> Iterator[None]:
    stream, done, began = sys.stderr, threading.Event(), time.monotonic()
    if stream is not sys.__stderr__ or not stream or not stream.isatty():  # never into a notebook or a log
        yield
        return

    def tell() -> None:
        while not done.wait(PATIENCE):
            print(f"\r{what}: {time.monotonic() - began:.0f} s", end="", file=stream, flush=True)

    thread = threading.Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        if time.monotonic() - began > PATIENCE:
            print("\r\033[K", end="", file=stream, flush=True)


def row_hash(table: "ir.Table", *columns: str) -> "ir.Value":
    """A hash of each row, or of some columns; the same row has the same on the same engine, not on another."""
    import ibis

    if table.get_backend().name == "duckdb":
        return ibis.struct({name: table[name] for name in columns or table.columns}).hash()
    texts = [table[name].cast("string").fill_null("\x1a") for name in columns or table.columns]
    return ibis.literal("\x1f").join(texts).hash()
