"""A source: one table of cases behind its contract, opened but not loaded, restricted to a scope."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from rca.cache import content_of, remembered
from rca.contract import AUDIENCES, Contract, Family, read_contract
from rca.engines import asking, open_data
from rca.errors import InputError, known
from rca.files import careful, find_file, stamps
from rca.metric import Metric
from rca.period import Dates, words
from rca.records import ACTIONS, EVENTS, read_records
from rca.repeats import add_repeats
from rca.scope import ACTION, no_match, scoped, values_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from rca.remarks import Remark

SMALL = 1_000_000_000  # bytes that are hashed faster than the engine is asked


@dataclass(frozen=True, eq=False, repr=False)
class Source:
    """Cases of one scope, and the metrics that can be computed from them.

    table      Ibis table: one row per case, typed columns, the dimensions among them; times as the file has them
    everyone   the same of every scope
    time       the column that says when a case happened
    extent     first and last local day of the cases of every scope, inside the contract's time range
    ends       last moment of them, in UTC where the contract gives a zone
    rows       rows read, over every scope; they are the cases of every scope and those of `set_aside`
    cases      cases in the scope
    set_aside  rows that are no case, by reason
    formats    how times are written where they are text, by column
    audience   "internal", or "partner": then no dimension is closed, and nothing is said of others
    files      size and time of change of its files when it was opened
    opened     a hash of what they held, where it was cheap to have
    answers    what was asked of it before: see rca.cache
    """

    name: str
    contract: Contract
    table: "ir.Table"
    everyone: "ir.Table"
    scope: Mapping[str, str]
    extent: Dates
    ends: pd.Timestamp
    rows: int
    cases: int
    set_aside: Mapping[str, int]
    formats: Mapping[str, str]
    folder: Path  # of the contract, where the search for its files starts
    audience: str = "internal"
    files: Mapping[Path, tuple[int, int]] = field(default_factory=dict)
    opened: str = ""
    answers: dict[str, pd.DataFrame] = field(default_factory=dict)

    @cached_property
    def content(self) -> str:
        """A hash of what its files hold; empty where there are none, or not the ones any more that were opened."""
        try:
            return (self.opened or content_of(self.files)) if stamps(self.files) == self.files else ""
        except OSError:
            return ""

    @property
    def time(self) -> str:
        return self.contract.time.column

    @property
    def zone(self) -> str | None:
        """Whose clocks the periods show, where that is one zone and known."""
        return self.contract.time.zone_of(self.scope)

    @property
    def dimensions(self) -> tuple[str, ...]:
        given = self.contract.dimensions.items()
        return tuple(name for name, how in given if self.audience == "internal" or not self._closed(name, how))

    def _closed(self, name: str, how: Any) -> bool:
        """Whether a dimension is a closed column, or computed from one; a band of numbers names nobody."""
        from rca.expression import columns_of

        read = {name} | (columns_of(how) if isinstance(how, str) else set())
        return not read.isdisjoint(self.contract.closed)

    @property
    def families(self) -> Mapping[Family, tuple[str, ...]]:
        """The dimensions of each family: people, process, policy, platform, partner, place."""
        return self.contract.families

    @property
    def metrics(self) -> dict[str, Metric]:
        return self.contract.metrics

    def measured(self, *metrics: Metric) -> "ir.Table":
        """The table with whatever more the metrics need: whether a case is followed by another of any scope."""
        if not any(metric.repeat for metric in metrics):
            return self.table
        return scoped(add_repeats(self.everyone, self.contract, self.ends), self.scope)

    @property
    def unscoped(self) -> "Source":
        """The same source without its scope, to compare with; nothing is opened or checked again."""
        count = self.rows - sum(self.set_aside.values())
        return replace(self, table=self.everyone, scope={}, cases=count, answers={})

    def values(self, dimension: str) -> pd.Series:
        """How many cases each value of a dimension has, most first: the vendors to run a study for."""
        known(dimension, self.dimensions, "dimension")
        return values_of(self.table, dimension)

    def only(self, scope: Mapping[str, str]) -> "Source":
        """The same source, restricted to the cases of `scope`; InputError where there are none."""
        scope = {name: str(value) for name, value in scope.items()}
        table = scoped(self.table, scope)
        count = int(table.count().execute())
        if not count:
            raise InputError(no_match(self.table, scope))
        return replace(self, table=table, scope=scope, cases=count, answers={})

    @cached_property
    def events(self) -> pd.DataFrame:
        """What happened: `event_id, kind, title, start, end`, then dimensions it is limited to; empty when none."""
        return read_records(self.contract.events, EVENTS, self)

    @cached_property
    def actions(self) -> pd.DataFrame:
        """Owned tasks: `action_id, title, owner, metric, segment, due, status, effective, expected_effect`."""
        found = read_records(self.contract.actions, ACTIONS, self)
        return found[found["action_id"] == self.scope[ACTION]] if self.about_action else found

    @property
    def about_action(self) -> bool:
        """Whether the scope is one action: its id."""
        return ACTION in self.scope and ACTION not in self.dimensions

    @cached_property
    def remarks(self) -> "tuple[Remark, ...]":
        """What is odd about its cases, and may lead to a wrong conclusion."""
        from rca.remarks import Remark, remarks

        def ask() -> list[tuple[str, str, str]]:
            with asking(f"source {self.name}"):
                return [(one.level, one.about, one.text) for one in remarks(self)]

        question = ["remarks", self.contract.hash, dict(self.scope), self.audience]
        return tuple(Remark(*one) for one in remembered(self.content, question, ask))

    @property
    def facts(self) -> dict[str, str]:
        """What a reader should know of it, in words."""
        scope = ", ".join(f"{name} {value}" for name, value in self.scope.items())
        aside = "; ".join(f"{count:,} {reason}" for reason, count in self.set_aside.items())
        warnings: dict[str, str] = {}
        for remark in self.remarks:
            if remark.level == "warning":
                before = warnings.get(f"check {remark.about}", "")
                warnings[f"check {remark.about}"] = f"{before} {remark.text}".strip()
        facts = {
            "scope": scope or "all",
            "cases": f"{self.cases:,}",
            "rows read": f"{self.rows:,}",
            "data from": words(self.extent),
            "metrics": ", ".join(metric.label for metric in self.metrics.values()),
            "dimensions": ", ".join(self.dimensions),
            "set aside": aside or "nothing",
            **warnings,
        }
        of_others = ("rows read", "set aside", *warnings) if self.audience == "partner" else ()
        return {what: text for what, text in facts.items() if what not in of_others}

    def __repr__(self) -> str:
        return f"<Source {self.name}: {'; '.join(f'{what}: {text}' for what, text in self.facts.items())}>"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in self.facts.items())
        return f'<div class="rca-source"><p><b>{escape(self.name)}</b></p><table class="rca">{rows}</table></div>'


def open_source(path: str | Path, *, scope: Mapping[str, str] | None = None, audience: str = "internal") -> Source:
    """Open the source whose contract is the YAML file `path`, restricted to the cases of `scope`.

    `audience` is "internal", or "partner" for what the vendor itself may see.

    The data is checked against its contract here; what breaks it is an InputError that names file, row and value.
    A text file, and an event log, is read once into the engine; Parquet files and tables are queried in place.
    """
    file = find_file(str(path))
    return open_contract(read_contract(file), file, scope=scope, audience=audience)


def open_contract(
    contract: Contract, file: Path, *, scope: Mapping[str, str] | None = None, audience: str = "internal"
) -> Source:
    """Open the source of a contract that is, or is to be, in the YAML file `file`."""
    from rca.cases import read_cases

    known(audience, AUDIENCES, "audience")
    con, data = open_data(contract.table, file.parent)
    files = stamps(() if data.kind == "duckdb" else data.paths)  # a DuckDB file may have its changes beside it
    opened = content_of(files) if sum(size for size, _ in files.values()) <= SMALL else ""

    said = contract.hash

    def recall(what: str, ask: Callable[[], Any]) -> Any:
        return remembered(opened, [what, said], ask)

    with asking(data):
        try:
            cases = careful(lambda data: read_cases(con, data, contract, recall), data)
        except InputError as error:
            about_data = str(error).startswith(tuple(str(path) for path in data.paths))
            raise type(error)(str(error) if about_data else f"{file}: {error}", error.cure) from error
        source = Source(
            name=file.stem,
            contract=contract,
            table=cases.table,
            everyone=cases.table,
            scope={},
            extent=cases.extent,
            ends=cases.ends,
            rows=cases.rows,
            cases=cases.count,
            set_aside=cases.set_aside,
            formats=cases.formats,
            folder=file.parent,
            audience=audience,
            files=files,
            opened=opened,
        )
        return source.only(scope) if scope else source
