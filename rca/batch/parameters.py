"""The parameters cell of a notebook is the schema of its parameters. It is read, never executed."""

import ast
import json
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from rca.errors import InputError, hint


@dataclass(frozen=True)
class Parameter:
    """One line of the parameters cell: `period: str = "W"  # length of a period: D, W or M`."""

    name: str
    type: Any
    written: str
    required: bool
    comment: str


def read_parameters(notebook: Path) -> dict[str, Parameter]:
    """The parameters that a notebook takes, by name, in the order written."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{notebook} cannot be read as a notebook ({error}).") from error
    tagged = [cell for cell in cells if "parameters" in cell.get("metadata", {}).get("tags", [])]
    if len(tagged) != 1:
        raise InputError(f"{notebook} has {len(tagged)} cells tagged 'parameters', it needs one.")
    return parse_parameters("".join(tagged[0]["source"]), str(notebook))


def parse_parameters(code: str, notebook: str = "the notebook") -> dict[str, Parameter]:
    """Read the code of a parameters cell.

    >>> [p.written for p in parse_parameters('period: str = "W"  # D, W or M').values()]
    ['str']
    """
    try:
        lines = ast.parse(code).body
    except SyntaxError as error:
        raise InputError(f"{notebook}: its parameters cell is not Python ({error}).") from error
    comments = _comments(code)
    found = {}
    for line in lines:
        if not isinstance(line, ast.AnnAssign) or not isinstance(line.target, ast.Name):
            shown = ast.unparse(line).splitlines()[0]
            raise InputError(f"{notebook}: write parameters as 'name: type = value', found {shown!r}.")
        written = ast.unparse(line.annotation)
        try:
            kind = _type(line.annotation)
        except KeyError as error:
            raise InputError(
                f"{notebook}: parameter {line.target.id!r} has the type {written!r}. "
                f"Use {', '.join(_TYPES)}, Literal, their lists and dicts, and '|'."
            ) from error
        name = line.target.id
        found[name] = Parameter(name, kind, written, line.value is None, comments.get(line.end_lineno or 0, ""))
    return found


def wrong_parameters(takes: Mapping[str, Parameter], given: Mapping[str, Any]) -> list[str]:
    """What is wrong with the parameters given, one sentence each."""
    problems = [f"unknown parameter {name!r}. {hint(name, takes)}" for name in given if name not in takes]
    for name, value in given.items():
        if name in takes and not _fits(takes[name].type, value):
            problems.append(f"parameter {name!r} must be {takes[name].written}, got {value!r}.")
    return problems


_TYPES: dict[str, Any] = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}


def _type(node: ast.expr) -> Any:
    """The type that an annotation means; KeyError for anything but plain types, so that nothing is evaluated."""
    match node:
        case ast.Name(id=name):
            return _TYPES[name]
        case ast.Constant(value=None):
            return None
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _type(left) | _type(right) if _type(right) is not None else _type(left) | None
        case ast.Subscript(value=ast.Name(id="Literal"), slice=choice):
            options = choice.elts if isinstance(choice, ast.Tuple) else [choice]
            return Literal[tuple(ast.literal_eval(option) for option in options)]
        case ast.Subscript(value=ast.Name(id=("list" | "dict") as outer), slice=inner):
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return _TYPES[outer][tuple(_type(part) for part in parts)]
    raise KeyError(ast.unparse(node))


def _fits(kind: Any, value: Any) -> bool:
    try:
        TypeAdapter(kind, config=ConfigDict(strict=True)).validate_python(value)
    except ValidationError:
        return False
    return True


def _comments(code: str) -> dict[int, str]:
    """The comment of each line."""
    tokens = tokenize.generate_tokens(StringIO(code).readline)
    return {t.start[0]: t.string.lstrip("# ") for t in tokens if t.type == tokenize.COMMENT}
