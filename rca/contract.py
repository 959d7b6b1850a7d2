"""The contract of a source, as its YAML file says it: where the rows are, what a case is, what can be measured."""

import codecs
import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

import pydantic
from pydantic import Discriminator, Field, Tag

from rca.cube import RESERVED
from rca.digest import digest
from rca.metric import Metric
from rca.yaml_file import Names, read_yaml

Family = Literal["people", "process", "policy", "platform", "partner", "place"]
Kind = Literal["text", "integer", "number", "boolean", "time"]
AUDIENCES = ("internal", "partner")  # who reads a report
NEEDED = {"proportion": ("counts",), "mean": ("value",), "rate": ("counts", "out_of")}  # expressions of a kind


class _Part(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone; give a name such as 'UTC' or 'Europe/Madrid'") from None


class Time(_Part):
    """When a case happened. Days and weeks are those of the zone `local` (else of `zone`, else as written).

    `local` is one zone, or one per value of a column, as in `{market: {MX: America/Mexico_City}}` (others: `zone`).
    """

    column: str
    format: str | None = None  # strptime, e.g. "%d/%m/%Y %H:%M"
    zone: str | None = None  # of the times in the file
    local: str | dict[str, dict[str, str]] | None = None  # of the days and weeks in the report
    since: dt.date | None = Field(default=None, alias="from")
    until: dt.date | None = None  # inclusive
    # "M": a time stands for its whole month, as in monthly figures
    each: Literal["10min", "15min", "30min", "h", "D", "W", "M"] = "10min"

    @pydantic.field_validator("zone", "local")
    @classmethod
    def _zones(cls, given: str | dict[str, dict[str, str]] | None) -> str | dict[str, dict[str, str]] | None:
        if not isinstance(given, dict):
            return given and _zone(given)
        if len(given) != 1:
            raise ValueError(f"zones per value need one column, got {len(given)}")
        return {column: {value: _zone(name) for value, name in zones.items()} for column, zones in given.items()}

    def zone_of(self, scope: Mapping[str, str]) -> str | None:
        """The zone whose clocks the cases of a scope are read by; None where it is not one, or not known."""
        if isinstance(self.local, dict):
            [(column, zones)] = self.local.items()
            return zones.get(scope[column], self.zone) if column in scope else None
        return self.local or self.zone

    @pydantic.model_validator(mode="after")
    def _agree(self) -> Self:
        if self.local and not self.zone:
            raise ValueError(f"local: {self.local} needs zone as well: the zone in which the file was written")
        if self.since and self.until and self.since > self.until:
            raise ValueError(f"from {self.since} is after until {self.until}")
        return self


class Bands(_Part):
    """A number cut into bands: `{bands: tenure_days, edges: [30, 90]}` is 0-29, 30-89 and 90+."""

    bands: str  # a column or an expression
    edges: tuple[int | float, ...] = Field(min_length=1)
    labels: tuple[str, ...] | None = None

    @pydantic.model_validator(mode="after")
    def _agree(self) -> Self:
        if any(not low < high for low, high in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError(f"edges must rise, got {list(self.edges)}")
        if self.labels is not None and len(self.labels) != len(self.edges) + 1:
            raise ValueError(f"{len(self.edges)} edges need {len(self.edges) + 1} labels, got {len(self.labels)}")
        return self


def _form(given: Any) -> str:
    return "expression" if isinstance(given, str) else "bands"


Dimension = Annotated[Annotated[str, Tag("expression")] | Annotated[Bands, Tag("bands")], Discriminator(_form)]


class Contract(_Part):
    """One source. The file's own words are in `params/sources/*.yml`."""

    table: str = Field(min_length=1)
    key: Names = Field(min_length=1)
    latest_by: Names = ()
    time: Time
    encoding: str | None = None  # of a text file, where it is not UTF-8 and does not say so itself
    decimal: Literal[".", ","] | None = None  # in the numbers of a text; once declared, thousands may be grouped
    missing: Names = ()  # markers; an empty field is always missing
    types: dict[str, Kind] = {}
    repeated: dict[str, tuple[str, ...]] = {}
    dimensions: dict[str, Dimension | None] = {}  # None: the column of that name
    personal: Names = ()
    mediators: Names = ()  # dimensions that arise after the outcome began: hand-offs, reopenings
    internal: Names = ()  # further columns that a partner is not given
    families: dict[Family, Names] = {}  # of dimensions, for the fishbone
    metrics: dict[str, Metric] = Field(min_length=1)
    events: str | None = None
    actions: str | None = None

    @property
    def hash(self) -> str:
        """The same for the same contract, however its file is written."""
        return digest(self.model_dump(mode="json"))

    @property
    def closed(self) -> frozenset[str]:
        """The columns that a partner is not shown."""
        return frozenset({*self.personal, *self.internal})

    @pydantic.field_validator("dimensions", mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        """A list of names and of `name: how`, or one mapping; a name alone is the column of that name."""
        pairs: list[tuple[str, Any]] = []
        for item in [given] if isinstance(given, dict) else given if isinstance(given, list) else []:
            pairs += item.items() if isinstance(item, dict) else [(item, None)]
        names = [name for name, _ in pairs]
        for name in names:
            if not isinstance(name, str) or name in RESERVED:
                raise ValueError(f"{name!r} cannot be the name of a dimension")
            if names.count(name) > 1:
                raise ValueError(f"{name!r} is given twice")
        return dict(pairs) if pairs else given

    @pydantic.field_validator("mediators", "families")
    @classmethod
    def _dimensions(cls, named: Any, given: pydantic.ValidationInfo) -> Any:
        dimensions = given.data.get("dimensions")  # None where they are at fault themselves
        for where, names in named.items() if isinstance(named, dict) else [(given.field_name, named)]:
            for name in names:
                if dimensions is not None and name not in dimensions:
                    raise ValueError(f"{where}: {name!r} is no dimension of this source")
        return named

    @pydantic.field_validator("encoding")
    @classmethod
    def _codec(cls, name: str | None) -> str | None:
        try:
            return name and codecs.lookup(name).name
        except LookupError:
            raise ValueError(
                f"{name!r} is not an encoding; known are utf-8, cp1252, latin-1, utf-16, ..."
            ) from None

    @pydantic.field_validator("metrics", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {name: {**(m if isinstance(m, dict) else {}), "name": name} for name, m in given.items()}

    @pydantic.field_validator("metrics")
    @classmethod
    def _complete(cls, metrics: dict[str, Metric]) -> dict[str, Metric]:
        for name, metric in metrics.items():
            needed = ("repeat",) if metric.repeat and metric.kind == "proportion" else NEEDED[metric.kind]
            for field in needed:
                if getattr(metric, field) is None:
                    raise ValueError(f"{name}: a {metric.kind} needs {field!r}")
            for field in sorted({"counts", "value", "repeat"} - {*needed, "repeat" * (metric.kind == "mean")}):
                if getattr(metric, field) is not None:
                    raise ValueError(f"{name}: a {metric.kind} of {', '.join(needed)} takes no {field!r}")
        return metrics

    @pydantic.model_validator(mode="after")
    def _agree(self) -> Self:
        for name, metric in self.metrics.items():
            if metric.repeat and self.time.each in ("W", "M"):
                raise ValueError(
                    f"{name}: repeat needs the time of each case, here one stands for {self.time.each!r}"
                )
        return self


def read_contract(path: Path) -> Contract:
    """The contract in a YAML file, checked on its own; whether the data keeps it is seen by `open_source`."""
    return read_yaml(path, Contract)
