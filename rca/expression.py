"""SQL expressions of a contract, translated to Ibis term by term.

Translated, not pasted: only what has a line in the table of terms can reach an engine, so that a contract can
neither read a file nor hide a subquery, a clock or a random number, and means the same on each engine.
"""

from typing import Any

import ibis
import ibis.expr.types as ir
import sqlglot
from ibis.common.exceptions import IbisError
from sqlglot import exp

from rca.errors import InputError, hint
from rca.terms import TERMS

NAMES = (exp.Var, exp.DataType, exp.If)  # parts of a term that stand for no value, or whose parts are visited
# arguments of a term that are seen to, or that say nothing about its meaning here
FLAGS = ("negate", "is_string", "typed", "safe", "ignore_nulls", "date_part_boundary", "_type")


def translate(text: str, table: ir.Table, what: str) -> ir.Value:
    """The expression `text` over the columns of `table`; `what` names it in an InputError ("metric csat, counts").

    >>> cases = ibis.table({"csat": "int64"}, name="cases")
    >>> translate("csat >= 4", cases, "metric csat, counts").type()
    Boolean(nullable=True)
    >>> translate("cast >= 4", cases, "metric csat, counts")
    Traceback (most recent call last):
    ...
    rca.errors.InputError: metric csat, counts: 'cast >= 4': unknown column 'cast'. Did you mean 'csat'?
    """
    visited = set()

    def visit(node: exp.Expression) -> ir.Value:
        visited.add(id(node))
        if isinstance(node, exp.Column):
            return _column(node, table)
        if isinstance(node, exp.Boolean):
            return ibis.literal(node.this)
        value = TERMS[type(node)](node, visit) if type(node) in TERMS else None
        if value is None or any(_dropped(key, part, visited) for key, part in node.args.items()):
            raise InputError(
                f"{node.sql(dialect='duckdb')!r} is not allowed: give a plain expression over columns."
            )
        if value is NotImplemented:  # what Ibis gives for a comparison of different types
            raise TypeError(f"in {node.sql(dialect='duckdb')!r}")
        return value

    try:
        return visit(_parse(text))
    except InputError as error:
        raise InputError(f"{what}: {text!r}: {error}") from None
    except RecursionError as error:
        raise InputError(f"{what}: the expression is nested too deeply.") from error
    except (IbisError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{what}: {text!r}: the types do not fit: {str(error).splitlines()[0]}.") from error


def columns_of(text: str) -> set[str]:
    """The columns that an expression reads.

    >>> sorted(columns_of("case when agent = 'Bo' then shift else 'none' end"))
    ['agent', 'shift']
    """
    return {node.name for node in _parse(text).find_all(exp.Column)}


def _dropped(key: str, argument: Any, visited: set[int]) -> bool:
    """Whether a term would lose a part of what is written, such as the `escape` of a `like`."""
    parts = argument if isinstance(argument, list) else [argument]
    unseen = [part for part in parts if part and id(part) not in visited and not isinstance(part, (*NAMES, str))]
    return bool(unseen) and key not in FLAGS


def _parse(text: str) -> Any:
    try:
        if any(token.comments for token in sqlglot.tokenize(text, dialect="duckdb")):
            raise InputError("a comment is not allowed here, YAML has its own.")
        statements = sqlglot.parse(text, dialect="duckdb")
    except sqlglot.errors.SqlglotError as error:
        raise InputError("not an SQL expression.") from error
    if len(statements) != 1 or statements[0] is None:
        raise InputError("not one SQL expression.")
    return statements[0]


def _column(node: exp.Column, table: ir.Table) -> ir.Value:
    if node.table:
        raise InputError(f"write the column {node.name!r} without a table.")
    if node.name not in table.columns:
        text = f" If it is a text, write '{node.name}' in single quotes." if node.this.quoted else ""
        raise InputError(f"unknown column {node.name!r}. {hint(node.name, table.columns)}{text}")
    return table[node.name]
