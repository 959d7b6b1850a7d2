"""SQL expressions of a contract, translated to Ibis term by term.

Translated, not pasted: only what has a line in the table below can reach an engine, so that a contract can neither
read a file nor hide a subquery, a clock or a random number, and means the same on every engine that Ibis knows.
"""

import datetime as dt
import operator
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import sqlglot
from ibis.common.exceptions import IbisError
from sqlglot import exp

from rca.errors import InputError, hint

TIMES = ("TIMESTAMP", "TIMESTAMPNTZ")  # the same, by two versions of sqlglot
TYPES = {"BIGINT": "int64", "INT": "int64", "DOUBLE": "float64", "FLOAT": "float64", "DECIMAL": "float64"}
TYPES |= {"TEXT": "string", "VARCHAR": "string", "DATE": "date"} | dict.fromkeys(TIMES, "timestamp")
PARTS = ("year", "quarter", "month", "day", "hour", "minute")
UNITS = ("day", "hour", "minute", "second")
NAMES = (exp.Var, exp.DataType, exp.If)  # parts of a term that stand for no value, or whose parts are visited
FLAGS = (
    "negate",
    "is_string",
    "typed",
    "safe",
    "ignore_nulls",
    "date_part_boundary",
    "_type",
)  # seen, or no matter
Visit = Callable[[exp.Expression], Any]


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

    def visit(node: exp.Expression) -> Any:
        visited.add(id(node))
        if isinstance(node, exp.Column):
            return _column(node, table)
        if isinstance(node, exp.Boolean):
            return bool(node.this)
        value = _terms()[type(node)](node, visit) if type(node) in _terms() else None
        if value is None or any(_dropped(key, part, visited) for key, part in node.args.items()):
            raise InputError(
                f"{node.sql(dialect='duckdb')!r} is not allowed: give a plain expression over columns."
            )
        return value

    try:
        value = visit(_parse(text))
    except InputError as error:
        raise InputError(f"{what}: {text!r}: {error}") from None
    except (IbisError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{what}: {text!r}: the types do not fit: {str(error).splitlines()[0]}.") from error
    return value if isinstance(value, ir.Value) else ibis.literal(value)


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


@cache
def _terms() -> dict[type[exp.Expression], Callable[[Any, Visit], Any]]:
    """What may stand in an expression, and what it is in Ibis."""

    def two(operation: Callable[[Any, Any], Any], check: Callable[[Any], Any] = _literal) -> Any:
        return lambda node, visit: operation(check(visit(node.this)), check(visit(node.expression)))

    def compare(operation: Callable[[Any, Any], Any]) -> Any:
        return lambda node, visit: operation(*_comparable(visit(node.this), visit(node.expression)))

    def one(operation: Callable[[Any], Any], check: Callable[[Any], Any] = _literal) -> Any:
        return lambda node, visit: operation(check(visit(node.this)))

    def all_of(operation: Callable[..., Any]) -> Any:
        return lambda node, visit: operation(*(_literal(visit(n)) for n in [node.this, *node.expressions]))

    return {
        exp.Paren: one(lambda a: a),
        exp.Literal: lambda node, visit: _constant(node),
        exp.Null: lambda node, visit: ibis.null(),
        exp.EQ: compare(operator.eq),
        exp.NEQ: compare(operator.ne),
        exp.LT: compare(operator.lt),
        exp.LTE: compare(operator.le),
        exp.GT: compare(operator.gt),
        exp.GTE: compare(operator.ge),
        exp.Is: two(lambda a, b: a.isnull() if b.type().is_null() else a.identical_to(b)),
        exp.NullSafeEQ: two(lambda a, b: a.identical_to(b)),
        exp.NullSafeNEQ: two(lambda a, b: ~a.identical_to(b)),
        exp.In: _in,
        exp.Between: lambda node, visit: _literal(visit(node.this)).between(
            visit(node.args["low"]), visit(node.args["high"])
        ),
        exp.And: two(lambda a, b: a & b, _condition),
        exp.Or: two(lambda a, b: a | b, _condition),
        exp.Not: one(lambda a: ~a, _condition),
        exp.Like: _like("like"),
        exp.ILike: _like("ilike"),
        exp.Neg: one(lambda a: -a, _number),
        exp.Add: two(lambda a, b: a + b, _number),
        exp.Sub: two(lambda a, b: a - b, _number),
        exp.Mul: two(lambda a, b: a * b, _number),
        # a division by zero is missing, as in PostgreSQL's nullif idiom, and not infinite, as in DuckDB
        exp.Div: two(lambda a, b: a / b.nullif(0), _number),
        exp.Mod: two(lambda a, b: a % b.nullif(0), _number),
        exp.Case: _case,
        exp.If: lambda node, visit: _choose([node], node.args.get("false"), visit),
        exp.Coalesce: all_of(ibis.coalesce),
        exp.Nullif: two(lambda a, b: a.nullif(b)),
        exp.Least: all_of(ibis.least),
        exp.Greatest: all_of(ibis.greatest),
        exp.Abs: one(lambda a: a.abs(), _number),
        exp.Floor: one(lambda a: a.floor(), _number),
        exp.Ceil: one(lambda a: a.ceil(), _number),
        exp.Round: lambda node, visit: _number(visit(node.this)).round(
            visit(node.args["decimals"]) if node.args.get("decimals") else 0
        ),
        exp.Lower: one(lambda a: a.lower(), _text),
        exp.Upper: one(lambda a: a.upper(), _text),
        exp.Trim: one(lambda a: a.strip(), _text),
        exp.Length: one(lambda a: a.length(), _text),
        exp.StartsWith: two(lambda a, b: a.startswith(b), _text),
        exp.Contains: two(lambda a, b: a.contains(b), _text),
        exp.DPipe: two(lambda a, b: a + b, _text),
        exp.Cast: _cast,
        exp.Extract: lambda node, visit: _part(visit(node.expression), node.name),
        **{getattr(exp, part.capitalize()): one(partial(_part, name=part)) for part in PARTS},
        exp.DateDiff: _difference,
    }


def _literal(value: Any) -> ir.Value:
    return value if isinstance(value, ir.Value) else ibis.literal(value)


def _constant(node: exp.Literal) -> Any:
    text = node.name
    return text if node.is_string else int(text) if text.isdigit() else float(text)


def _comparable(left: Any, right: Any) -> tuple[ir.Value, ir.Value]:
    """Both sides; a text beside a time is read as an ISO date here, where a bad one can still be named."""

    def dated(side: ir.Value, other: ir.Value) -> ir.Value:
        is_text = isinstance(side.op(), ops.Literal) and side.type().is_string()
        return (
            ibis.literal(dt.datetime.fromisoformat(side.op().value))
            if is_text and other.type().is_temporal()
            else side
        )

    left, right = _literal(left), _literal(right)
    return dated(left, right), dated(right, left)


def _typed(value: Any, fits: str, words: str) -> Any:
    value = _literal(value)
    if not getattr(value.type(), fits)() and not value.type().is_null():
        what = repr(value.get_name()) if isinstance(value.op(), ops.Field) else "a part of it"
        raise InputError(f"{what} is {value.type()}, not {words}; a column can be declared {words} under types.")
    return value


def _number(value: Any) -> Any:
    return _typed(value, "is_numeric", "a number")


def _condition(value: Any) -> Any:
    return _typed(value, "is_boolean", "a condition")


def _text(value: Any) -> Any:
    return _typed(value, "is_string", "a text")


def _pattern(value: ir.Value) -> str:
    found = value.op()
    if not isinstance(found, ops.Literal):
        raise InputError("like needs a pattern in single quotes.")
    return str(found.value)


def _like(method: str) -> Any:
    def like(node: exp.Like, visit: Visit) -> Any:
        found = getattr(_text(visit(node.this)), method)(_pattern(_literal(visit(node.expression))))
        return ~found if node.args.get("negate") else found

    return like


def _in(node: exp.In, visit: Visit) -> Any:
    if node.args.get("query") or node.args.get("unnest") or not node.expressions:
        raise InputError("in needs a list of values, such as in ('refund', 'returns').")
    column = visit(node.this)
    return ibis.or_(*(operator.eq(*_comparable(column, visit(value))) for value in node.expressions))


def _case(node: exp.Case, visit: Visit) -> Any:
    branches = node.args["ifs"]
    if node.this is not None:
        branches = [exp.If(this=exp.EQ(this=node.this, expression=b.this), true=b.args["true"]) for b in branches]
    return _choose(branches, node.args.get("default"), visit)


def _choose(branches: list[exp.If], default: exp.Expression | None, visit: Visit) -> Any:
    pairs = [(_condition(visit(branch.this)), _literal(visit(branch.args["true"]))) for branch in branches]
    return ibis.cases(*pairs, else_=visit(default) if default is not None else None)


def _cast(node: exp.Cast, visit: Visit) -> Any:
    """Only casts that cannot fail on a value; text becomes a number under `types:`, where a bad row is named."""
    value, name = _literal(visit(node.this)), node.to.this.value
    if name not in TYPES:
        raise InputError(f"cast to {name.lower()} is not allowed. {hint(name.lower(), [t.lower() for t in TYPES])}")
    if value.type().is_string() and isinstance(value.op(), ops.Literal) and name in ("DATE", *TIMES):
        return ibis.literal(dt.datetime.fromisoformat(node.this.name)).cast(TYPES[name])
    if name in ("DATE", *TIMES):
        value = _typed(value, "is_temporal", "a time")
    elif name not in ("TEXT", "VARCHAR") and not value.type().is_boolean():
        value = _number(value)
    return value.cast(TYPES[name])


def _part(value: Any, name: str) -> Any:
    if name.lower() not in PARTS:
        raise InputError(f"no part {name.lower()!r} of a time. {hint(name.lower(), PARTS)}")
    return getattr(_typed(value, "is_temporal", "a time"), name.lower())()


def _difference(node: exp.DateDiff, visit: Visit) -> Any:
    """date_diff(unit, first, last): how many boundaries of the unit lie between two times, as in DuckDB."""
    unit = node.args["unit"].name.lower()
    if unit not in UNITS:
        raise InputError(f"no unit {unit!r} in date_diff. {hint(unit, UNITS)}")
    last, first = (_typed(visit(n), "is_timestamp", "a time") for n in (node.this, node.expression))
    return last.delta(first, unit=unit)
