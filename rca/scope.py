"""The cases of a scope, and what is said where there are none."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from rca.cube import MISSING
from rca.errors import hint, known

if TYPE_CHECKING:
    import ibis.expr.types as ir

# a scope that limits no cases: its report is about one action, and looks also where it was not taken
ACTION = "action"


def scoped(table: "ir.Table", scope: Mapping[str, str]) -> "ir.Table":
    for name, value in scope.items():
        if name == ACTION and name not in table.columns:
            continue
        column = table[known(name, table.columns, "scope column")]
        # the plain comparison lets the engine skip what it need not read
        table = table.filter(_text(column) == MISSING if value == MISSING else column.cast("string") == value)
    return table


def no_match(table: "ir.Table", scope: Mapping[str, str]) -> str:
    """Which part of a scope matches no case, or that only the parts together do not."""
    given = ", ".join(f"{name}={value!r}" for name, value in scope.items())
    for name, value in scope.items():
        values = values_of(table, name).index
        if value not in values:
            return f"scope {given} matches no cases ({len(values)} {_plural(name)}). {hint(value, values)}"
    return f"scope {given} matches no cases: each part exists, but not together."


def values_of(table: "ir.Table", column: str) -> pd.Series:
    counts = table.group_by(value=_text(table[column])).agg(cases=lambda t: t.count()).execute()
    return (
        counts.sort_values(["cases", "value"], ascending=[False, True])
        .set_index("value")["cases"]
        .rename_axis(column)
    )


def _text(column: Any) -> Any:
    return column.cast("string").nullif("").fill_null(MISSING)


def _plural(name: str) -> str:
    noun = name.replace("_", " ")
    return f"{noun[:-1]}ies" if noun.endswith("y") else noun if noun.endswith("s") else f"{noun}s"
