"""The one exception for a user's mistake: what is wrong, what was given, what would work."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any


class InputError(ValueError):
    """A mistake in what the user gave. The command line prints it without a traceback and exits 2.

    cure  fields of a contract with which reading would go on, where there is a likely guess
    """

    def __init__(self, text: str, cure: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.cure = dict(cure or {})


class TooLittleData(InputError):
    """The question is right, but there are too few cases to answer it; a batch marks the run `skipped`."""


def hint(name: object, known: Iterable[object]) -> str:
    """Say what would have worked: the nearest known name, or all of them where they are few.

    >>> hint("carier", ["carrier", "warehouse"])
    "Did you mean 'carrier'?"
    >>> hint("x", ["carrier", "warehouse"])
    'Known: carrier, warehouse.'
    """
    names = [" ".join(str(k).split())[:60] for k in known]  # a quote left open makes a header of a whole file
    close = get_close_matches(str(name), names, n=1) or [n for n in names if n.casefold() == str(name).casefold()]
    if close:
        return f"Did you mean {close[0]!r}?"
    if not names:
        return "There are none."
    shown = ", ".join(names[:12])
    return f"Known: {shown}{f' and {len(names) - 12} more' if len(names) > 12 else ''}."


def known(name: str, names: Iterable[str], what: str) -> str:
    """Return `name` when it is among `names`, or raise InputError that says `what` was expected.

    >>> known("csat", ["csat", "aht"], "metric")
    'csat'
    >>> known("casat", ["csat", "aht"], "metric")
    Traceback (most recent call last):
    ...
    rca.errors.InputError: unknown metric 'casat'. Did you mean 'csat'?
    """
    names = list(names)
    if name not in names:
        raise InputError(f"unknown {what} {name!r}. {hint(name, names)}")
    return name
