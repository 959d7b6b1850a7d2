"""The key of a run: a hash of everything that its report is made from. The same key is not run again."""

import importlib.metadata
import json
import platform
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from rca.batch.plan import Run
from rca.batch.pseudonym import pseudonym, secret
from rca.digest import digest, file_hash, program
from rca.engines import row_hash
from rca.files import find_data
from rca.source import Source

ALL = "all"  # the one scope where a report reads the cases of everybody
Inputs = Mapping[str, str]  # the hash of each input, by what it is


def inputs_of(run: Run, source: Source, data: Mapping[str, str]) -> dict[str, str]:
    """The inputs of a run. `data` is from `data_of`, for the dimension that the study runs over."""
    (scope,) = run.scope.values() if run.study.for_each in source.dimensions else [ALL]
    others = data if run.study.reads == "all" else {name: text.partition(" ")[0] for name, text in data.items()}
    tables = [table for table in (source.contract.events, source.contract.actions) if table]
    records = [file for table in tables for file in find_data(table, source.folder).paths]
    return {
        "notebook": digest(_source_cells(run.notebook)),
        "parameters": digest([run.study.title, run.study.peer_median, run.parameters]),
        "secret": digest(pseudonym(key, "which secret") if run.pack and (key := secret()) else ""),
        "data": digest(data.get(scope)),
        "data of others": digest(others),
        "events and actions": digest([file_hash(file) for file in records]),
        "contract": source.contract.hash,
        "program": program(),
        "versions": versions(),
    }


def data_of(source: Source, dimension: str) -> dict[str, str]:
    """What the rows of each scope are, by one query: `first-and-last day, cases, sum of the hashes of the rows`.

    The sum does not depend on the order of rows, and sees one that is there twice.
    """
    import ibis

    table = source.measured(*source.metrics.values())  # repeats: what other scopes do to this one
    when = table[source.time]
    scope = table[dimension].cast("string") if dimension in source.dimensions else ibis.literal(ALL)
    found = table.group_by(scope=scope).agg(
        first=when.min().date(),
        last=when.max().date(),
        cases=table.count(),
        hashes=row_hash(table).cast("decimal(38,0)").sum(),
    )
    return {
        str(one["scope"]): f"{one['first']}/{one['last']} {one['cases']} {one['hashes']}"
        for one in found.to_pyarrow().to_pylist()
    }


@cache
def versions() -> str:
    """Python, the platform, and every installed package: read from folder names, because it must be fast."""
    places = [Path(place) for place in sys.path if Path(place).is_dir()]
    packages = sorted({info.name for place in places for info in place.glob("*.dist-info")})
    return digest([platform.python_version(), sys.platform, platform.machine(), packages])


def named_versions() -> dict[str, str]:
    """The versions that a person asks for first."""
    names = ("duckdb", "ibis-framework", "matplotlib", "numpy", "pandas", "papermill", "scipy", "statsmodels")
    return {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in names}}


def _source_cells(notebook: Path) -> Any:
    """What a notebook says, without what its last execution left in it."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [[c["cell_type"], c.get("id"), "".join(c["source"]), c["metadata"].get("tags")] for c in cells]
