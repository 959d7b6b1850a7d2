"""What the report page and the index share: the templates' environment, Markdown, dates, sparklines."""

import base64
import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import mistune
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rca.batch.record import Kpi
from rca.period import day, words

SPARK_WIDTH, SPARK_HEIGHT, SPARK_EDGE = 112, 30, 4


@cache
def environment() -> Environment:
    """Templates that escape everything they are given; an unknown name is an error, never an empty text."""
    env = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["dates"] = dates
    env.filters["date"] = lambda when: day(pd.Timestamp(when), year=True)
    env.filters["joined"] = joined
    env.filters["beside"] = beside
    env.filters["said"] = lambda kpi: ", ".join([kpi.text, *beside(kpi)])
    env.filters["short"] = lambda when: day(pd.Timestamp(when))
    env.filters["numeral"] = numeral
    env.globals["spark_lines"] = spark_lines
    env.globals["spark_dots"] = spark_dots
    return env


@dataclass(frozen=True)
class Script:
    """A script of ours and the hash by which a page allows it, and no other, to run."""

    text: str
    hash: str


@cache
def script(name: str) -> Script:
    """A script among the templates."""
    text = (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")
    digest = hashlib.sha256(text.encode()).digest()
    return Script(text, f"'sha256-{base64.b64encode(digest).decode()}'")


@cache
def _markdown() -> Any:
    return mistune.create_markdown(escape=True, plugins=["table", "strikethrough"])


def markdown(text: str) -> str:
    """Markdown as HTML; HTML inside it is shown as text.

    >>> markdown("A **bold** <b>word</b>.").strip()
    '<p>A <strong>bold</strong> &lt;b&gt;word&lt;/b&gt;.</p>'
    """
    return str(_markdown()(text))


def dates(window: tuple[dt.date, dt.date]) -> str:
    """A window in words: `21 Sep to 15 Nov 2026`."""
    return words((pd.Timestamp(window[0]), pd.Timestamp(window[1])))


def joined(text: str) -> str:
    """A text whose numbers keep their units on one line.

    >>> joined("from 85.0 % by 3 points").count("\N{NO-BREAK SPACE}")
    2
    """
    return re.sub(r"(\d) (%|points?\b|s\b)", "\\1\N{NO-BREAK SPACE}\\2", text)


def beside(kpi: Kpi) -> list[str]:
    """What stands beside a KPI's value: its change, where it has one, and its target.

    The change comes first: `5.0 points lower` behind `target 85.0 %` reads as the distance to it.
    """
    return [text for text in (kpi.change_text if kpi.status != "steady" else "", kpi.target_text) if text]


def numeral(count: int) -> str:
    """Small counts as words, as in a sentence.

    >>> numeral(1), numeral(12)
    ('one', '12')
    """
    names = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return names[count] if count < len(names) else str(count)


def _spots(values: Sequence[float | None]) -> list[tuple[float, float] | None]:
    """Where each value stands in the sparkline, in SVG units."""
    known = [value for value in values if value is not None]
    low, size = min(known, default=0.0), max(known, default=0.0) - min(known, default=0.0)
    across = (SPARK_WIDTH - 2 * SPARK_EDGE) / max(len(values) - 1, 1)
    height = SPARK_HEIGHT - 2 * SPARK_EDGE
    return [
        None
        if value is None
        else (SPARK_EDGE + i * across, SPARK_EDGE + height * (1 - ((value - low) / size if size else 0.5)))
        for i, value in enumerate(values)
    ]


def spark_lines(values: Sequence[float | None]) -> str:
    """The path of a sparkline; a period without a value is a gap.

    >>> spark_lines([1.0, 2.0, None, 1.0])
    'M4.0 26.0 L38.7 4.0 M108.0 26.0'
    """
    steps, pen = [], "M"
    for spot in _spots(values):
        if spot is None:
            pen = "M"
            continue
        steps.append(f"{pen}{spot[0]:.1f} {spot[1]:.1f}")
        pen = "L"
    return " ".join(steps)


def spark_dots(values: Sequence[float | None], which: Sequence[int]) -> list[tuple[str, str]]:
    """Where the dots of some periods stand; periods without a value have none."""
    spots = _spots(values)
    found = [spots[i] for i in which if -len(spots) <= i < len(spots)]
    return [(f"{spot[0]:.1f}", f"{spot[1]:.1f}") for spot in found if spot is not None]
