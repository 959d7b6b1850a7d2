"""A KPI, defined once: what counts, out of what, which way is better, what was promised."""

import datetime as dt
import re
from math import floor, log10
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from rca.yaml_file import Names

MINUS, THIN = "−", " "


class Target(BaseModel):
    """What was promised, from a date on. A target is never a control limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    value: float
    since: dt.date = dt.date.min


def _span(given: Any) -> dt.timedelta:
    match = re.fullmatch(r"(\d+) ?(h|d)", str(given).strip())
    if not match or not int(match[1]):
        raise ValueError(f"{given!r} is no time such as '24 h' or '7 d'")
    return dt.timedelta(**{{"h": "hours", "d": "days"}[match[2]]: int(match[1])})


class Repeat(BaseModel):
    """That somebody comes again: a later case with the same values of the columns `same`, `within` this time."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    same: Names = Field(min_length=1)
    within: Annotated[dt.timedelta, BeforeValidator(_span)]


class Metric(BaseModel):
    """A KPI of one of three kinds; `counts`, `out_of` and `value` are SQL expressions over a source's columns.

    proportion  cases where `counts` holds, out of the cases where `out_of` holds (all cases when not given)
    mean        average of `value` over the cases where it is known (and `out_of` holds)
    rate        sum of `counts` (events) divided by the sum of `out_of` (exposure)

    A proportion can count by `repeat` in place of `counts`: the cases after which the same customer comes again, to
    whatever vendor, out of the cases with a customer and long enough before the end of the data to know. A mean by
    `repeat` is what that next contact costs, or takes: its `value`, 0 for cases that nobody comes again after.

    >>> csat = Metric(name="csat", kind="proportion", better="up", counts="csat >= 4", out_of="csat is not null")
    >>> csat.text(.8449), csat.change(-.0324)
    ('84.5 %', '−3.2 points')
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    kind: Literal["proportion", "mean", "rate"]
    better: Literal["up", "down"]
    label: str = ""
    unit: str = ""
    counts: str | None = None
    out_of: str | None = None
    value: str | None = None
    repeat: Repeat | None = None
    cases: str = "cases"  # what n counts, in words: "answers", "orders"
    targets: tuple[Target, ...] = Field(default=())

    @model_validator(mode="after")
    def _complete(self) -> "Metric":
        object.__setattr__(self, "label", self.label or self.name.replace("_", " ").capitalize())
        return self

    @property
    def sign(self) -> int:
        """+1 when more is better, -1 when less is better."""
        return 1 if self.better == "up" else -1

    def target(self, on: dt.date | pd.Timestamp) -> float | None:
        """The target in force on a date, or None."""
        day = pd.Timestamp(on).date()
        dated = [t for t in self.targets if t.since <= day]
        return max(dated, key=lambda t: t.since).value if dated else None

    def text(self, value: float) -> str:
        """A value as a reader wants it: `84.5 %`, `571 s`, `1.23`."""
        if pd.isna(value):
            return "no data"
        if self.kind == "proportion":
            return f"{100 * value:z.1f}{THIN}%".replace("-", MINUS)
        return f"{_short(value)}{THIN + self.unit if self.unit else ''}".replace("-", MINUS)

    def change(self, effect: float, signed: bool = True) -> str:
        """A difference of two values: `−3.2 points`, `+24 s`; unsigned, one too small to show is `less than` that."""
        if pd.isna(effect):
            return "unknown"
        if self.kind == "proportion":
            text, unit, least = f"{abs(100 * effect):.1f}", "points", "0.1"
        else:
            text, unit, least = _short(float(f"{abs(effect):.3g}")), self.unit, "0.0001"
        nothing = not text.strip("0.")
        if effect and nothing and not signed:
            text = f"less than {least}"
        sign = ("+" if effect > 0 else MINUS) if signed and not nothing else ""
        return f"{sign}{text} {unit}".strip()

    def interval(self, low: float, high: float) -> str:
        """An interval of a difference in words: `−4.1 to −2.3 points`."""
        if pd.isna(low) or pd.isna(high):
            return "unknown"
        unit = "points" if self.kind == "proportion" else self.unit
        first = self.change(low).removesuffix(unit).strip()
        return f"{first} to {self.change(high)}"

    def judge(self, effect: float) -> Literal["better", "worse"]:
        """Whether a change of this sign is better or worse."""
        return "better" if effect * self.sign > 0 else "worse"


def _short(value: float) -> str:
    """Three significant digits, two below 1, never an exponent; whole numbers from 100 on, at most four decimals.

    A difference is rounded to three digits before; a level keeps its units, so that two of them differ as they do.

    >>> _short(571.4), _short(24.04), _short(1.2345), _short(12345.6), _short(99.97), _short(0.04123)
    ('571', '24.0', '1.23', '12,346', '100', '0.041')
    """
    size = float(f"{abs(value):.3g}")
    if size < 5e-5:
        return "0"
    places = (2 if size >= 1 else 1) - floor(log10(size))
    return f"{value:,.{min(max(places, 0), 4)}f}"
