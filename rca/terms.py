"""The terms of an SQL expression that are allowed, and what each is in Ibis."""

import datetime as dt
import operator
from collections.abc import Callable
from functools import partial
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
from sqlglot import exp

from rca.errors import InputError, hint

# what may be cast to what: nothing that can fail on a value, or that engines round in different ways
CASTS = {
    "bigint": ("int64", "is_integer", "a whole number"),
    "int": ("int64", "is_integer", "a whole number"),
    "double": ("float64", "is_numeric", "a number"),
    "text": ("string", "", ""),
    "date": ("date", "is_temporal", "a time"),
    "timestamp": ("timestamp", "is_temporal", "a time"),
}
PARTS = ("year", "quarter", "month", "day", "hour", "minute")
UNITS = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
Visit = Callable[[exp.Expression], ir.Value]
Term = Callable[[Any, Visit], Any]


def _constant(node: exp.Literal, visit: Visit) -> ir.Value:
    text = node.name
    if node.is_string or text.isdigit():
        return ibis.literal(text if node.is_string else int(text))
    float(text)
    return ibis.literal(text).cast("float64")  # a bare 60.0 is a decimal to Spark, whose quotients have six places


def _is_text(value: ir.Value) -> bool:
    return isinstance(value.op(), ops.Literal) and value.type().is_string()


def _comparable(left: ir.Value, right: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Both sides; a text beside a time is read as an ISO date here, where a bad one can still be named."""
    if left.type().is_null() or right.type().is_null():
        raise InputError("nothing is equal to null: write 'is null' or 'is not null'.")
    return (
        _moment(left) if _is_text(left) and right.type().is_temporal() else left,
        _moment(right) if _is_text(right) and left.type().is_temporal() else right,
    )


def _moment(text: Any) -> ir.Value:
    moment = dt.datetime.fromisoformat(text.op().value)
    if moment.tzinfo:
        raise InputError(f"{text.op().value!r} has an offset: write the time as the file has it.")
    return ibis.literal(moment)


def _typed(value: Any, fits: str, words: str) -> Any:
    if not getattr(value.type(), fits)() and not value.type().is_null():
        what = repr(value.get_name()) if isinstance(value.op(), ops.Field) else "a part of it"
        raise InputError(f"{what} is {value.type()}, not {words}; a column can be declared {words} under types.")
    return value


def _number(value: Any) -> Any:
    """A number, wide enough to calculate with: a column of ratings has 8 bits, in which 5 * 30 has no place."""
    value = _typed(value, "is_numeric", "a number")
    return value.cast("int64") if value.type().is_integer() else value


def _condition(value: Any) -> Any:
    return _typed(value, "is_boolean", "a condition")


def _text(value: Any) -> Any:
    return _typed(value, "is_string", "a text")


def _like(method: str) -> Term:
    def like(node: exp.Like, visit: Visit) -> Any:
        pattern: Any = visit(node.expression)
        if not _is_text(pattern):
            raise InputError("like needs a pattern in single quotes.")
        if "\\" in pattern.op().value:
            raise InputError("like takes no backslash, in which engines see an escape or not; take contains(...).")
        found = getattr(_text(visit(node.this)), method)(pattern.op().value)
        return _not(found) if node.args.get("negate") else found

    return like


def _not(condition: Any) -> Any:
    """A case, because Ibis writes `NOT x IS NULL` for `(not x) is null`, which means `not (x is null)`."""
    return ibis.cases((condition, False), (~condition, True))


def _same(a: Any, b: Any) -> Any:
    """The same care with `IS NOT DISTINCT FROM`, which is never missing."""
    return a.identical_to(b).ifelse(True, False)


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
    pairs = [(_condition(visit(branch.this)), visit(branch.args["true"])) for branch in branches]
    return ibis.cases(*pairs, else_=visit(default) if default is not None else None)


def _between(node: exp.Between, visit: Visit) -> Any:
    value = visit(node.this)
    low, high = _comparable(value, visit(node.args["low"])), _comparable(value, visit(node.args["high"]))
    return operator.ge(*low) & operator.le(*high)


def _cast(node: exp.Cast, visit: Visit) -> Any:
    name = node.to.sql(dialect="duckdb").lower()
    if name not in CASTS:
        raise InputError(f"cast to {name} is not allowed. {hint(name, CASTS)}")
    dtype, fits, words = CASTS[name]
    value = visit(node.this)
    if _is_text(value) and fits == "is_temporal":
        value = _moment(value)
    if value.type().is_boolean() and dtype != "string":
        return ibis.cases((value, 1), (~value, 0)).cast(dtype)  # PostgreSQL casts no condition to a number
    return (_typed(value, fits, words) if fits else value).cast(dtype)


def _round(node: exp.Round, visit: Visit) -> Any:
    places = node.args.get("decimals") or exp.Literal.number(0)
    if not isinstance(places, exp.Literal) or not places.name.isdigit():
        raise InputError("round needs a whole number of decimals, such as round(x, 2).")
    return _number(visit(node.this)).round(visit(places).op().value)


def _part(value: Any, name: str) -> Any:
    if name.lower() not in PARTS:
        raise InputError(f"no part {name.lower()!r} of a time. {hint(name.lower(), PARTS)}")
    return getattr(_typed(value, "is_temporal", "a time"), name.lower())()


def _difference(node: exp.DateDiff, visit: Visit) -> Any:
    """date_diff(unit, first, last): how many boundaries of the unit lie between two times, as in DuckDB."""
    unit = node.args["unit"].name.lower()
    if unit not in UNITS:
        raise InputError(f"no unit {unit!r} in date_diff. {hint(unit, UNITS)}")
    last, first = (
        _typed(visit(n), "is_temporal", "a time").cast("timestamp") for n in (node.this, node.expression)
    )
    seconds = last.truncate(unit).epoch_seconds() - first.truncate(unit).epoch_seconds()
    return (seconds / UNITS[unit]).cast("int64")


def _one(operation: Callable[[Any], Any], check: Callable[[Any], Any] = lambda value: value) -> Term:
    return lambda node, visit: operation(check(visit(node.this)))


def _two(operation: Callable[[Any, Any], Any], check: Callable[[Any], Any] = lambda value: value) -> Term:
    return lambda node, visit: operation(check(visit(node.this)), check(visit(node.expression)))


def _compare(operation: Callable[[Any, Any], Any]) -> Term:
    return _two(lambda a, b: operation(*_comparable(a, b)))


def _all(operation: Callable[..., Any]) -> Term:
    return lambda node, visit: operation(*(visit(n) for n in [node.this, *node.expressions]))


TERMS: dict[type[Any], Term] = {
    exp.Paren: _one(lambda a: a),
    exp.Literal: _constant,
    exp.Null: lambda node, visit: ibis.null(),
    exp.EQ: _compare(operator.eq),
    exp.NEQ: _compare(operator.ne),
    exp.LT: _compare(operator.lt),
    exp.LTE: _compare(operator.le),
    exp.GT: _compare(operator.gt),
    exp.GTE: _compare(operator.ge),
    exp.Is: _two(lambda a, b: a.isnull() if b.type().is_null() else _same(_condition(a), _condition(b))),
    exp.NullSafeEQ: _two(_same),
    exp.NullSafeNEQ: _two(lambda a, b: _not(_same(a, b))),
    exp.In: _in,
    exp.Between: _between,
    exp.And: _two(lambda a, b: a & b, _condition),
    exp.Or: _two(lambda a, b: a | b, _condition),
    exp.Not: _one(_not, _condition),
    exp.Like: _like("like"),
    exp.ILike: _like("ilike"),
    exp.Neg: _one(lambda a: -a, _number),
    exp.Add: _two(lambda a, b: a + b, _number),
    exp.Sub: _two(lambda a, b: a - b, _number),
    exp.Mul: _two(lambda a, b: a * b, _number),
    # a division by zero is missing, as in PostgreSQL's nullif idiom, and not infinite, as in DuckDB; the cast is
    # written out because Ibis loses the one that it adds for PostgreSQL where two expressions share a column
    exp.Div: _two(lambda a, b: a.cast("float64") / b.nullif(0), _number),
    exp.Mod: _two(lambda a, b: a % b.nullif(0), _number),
    exp.Case: _case,
    exp.If: lambda node, visit: _choose([node], node.args.get("false"), visit),
    exp.Coalesce: _all(ibis.coalesce),
    exp.Nullif: _two(lambda a, b: a.nullif(b)),
    exp.Least: _all(ibis.least),
    exp.Greatest: _all(ibis.greatest),
    exp.Abs: _one(lambda a: a.abs(), _number),
    exp.Floor: _one(lambda a: a.floor(), _number),
    exp.Ceil: _one(lambda a: a.ceil(), _number),
    exp.Round: _round,
    exp.Lower: _one(lambda a: a.lower(), _text),
    exp.Upper: _one(lambda a: a.upper(), _text),
    exp.Trim: _one(lambda a: a.strip(), _text),
    exp.Length: _one(lambda a: a.length(), _text),
    exp.StartsWith: _two(lambda a, b: a.startswith(b), _text),
    exp.Contains: _two(lambda a, b: a.contains(b), _text),
    exp.DPipe: _two(lambda a, b: a + b, _text),
    exp.Cast: _cast,
    exp.Extract: lambda node, visit: _part(visit(node.expression), node.name),
    **{getattr(exp, part.capitalize()): _one(partial(_part, name=part)) for part in PARTS},
    exp.DateDiff: _difference,
}
