"""What a person decided about a chart: phases with their own limits, known causes that set none."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from rca.charts.series import Series
from rca.errors import InputError, TooLittleData, hint
from rca.period import Window, floor, last_day, resolve


@dataclass(frozen=True)
class Phase:
    """Limits set anew from `start` on, with the reason; by the periods of `baseline`, or by the whole phase."""

    start: Any
    reason: str = ""
    baseline: Window | None = None


@dataclass(frozen=True)
class Cause:
    """A known cause from `start` to `end` (the same day if None): drawn hollow, not judged, sets no limits."""

    start: Any
    end: Any = None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Plan:
    """Where each phase runs and which of its periods set its limits; which periods are excluded, and why.

    pending   phases too young for limits of their own: they keep the earlier ones
    """

    phases: list[Phase]
    rows: list[np.ndarray]
    bases: list[np.ndarray]
    excluded: np.ndarray
    notes: np.ndarray
    pending: list[Phase]

    @property
    def number(self) -> np.ndarray:
        """1, 2, 3 … for each period."""
        return sum((k + 1) * rows for k, rows in enumerate(self.rows))  # type: ignore[return-value]


Record = TypeVar("Record", Phase, Cause)


def plan(
    s: Series,
    baseline: Any = None,
    phases: Iterable[Phase | Mapping[str, Any]] = (),
    exclude: Any = (),
    fewest: int = 2,
) -> Plan:
    """Put the records of a chart on its periods. `fewest`: periods that limits need."""
    excluded, notes = _excluded(s, exclude)
    usable = s.seen & ~excluded
    given = sorted((_record(p, Phase) for p in phases), key=lambda p: _place(s, p.start, "phase"))
    wanted = [Phase(s.period[0], "", baseline), *given]
    starts = [0, *(_place(s, p.start, "phase") for p in given)]
    kept: list[tuple[int, Phase, np.ndarray]] = []
    pending: list[Phase] = []
    place = np.arange(len(s.period))
    for k, (start, phase) in enumerate(zip(starts, wanted, strict=True)):
        end = starts[k + 1] if k + 1 < len(starts) else len(place)
        base = usable & (place >= start) & (place < end)
        if phase.baseline is not None:
            base &= _window(s, phase.baseline)
        if base.sum() >= fewest:
            kept.append((start, phase, base))
        elif kept and phase.baseline is None:
            pending.append(phase)
        else:
            raise TooLittleData(_too_few(s, phase, int(base.sum()), fewest))
    ends = [*(start for start, _, _ in kept[1:]), len(place)]
    rows = [(place >= start) & (place < end) for (start, _, _), end in zip(kept, ends, strict=True)]
    return Plan([p for _, p, _ in kept], rows, [b for _, _, b in kept], excluded, notes, pending)


def _too_few(s: Series, phase: Phase, got: int, fewest: int) -> str:
    periods = bool(s.step) and not s.entry
    unit = "whole " * periods + s.unit + "s" * (got != 1) + f" with {s.metric.cases}" * periods
    where = "the baseline" if phase.baseline is not None else repr(phase.reason) if phase.reason else "the chart"
    return f"{s.metric.label}: {where} has {got} {unit}; limits need at least {fewest}."


def _window(s: Series, window: Any) -> np.ndarray:
    """The periods inside a window: dates or words; for plain numbers a count or a pair of positions."""
    if s.step:
        window = resolve(window, pd.DatetimeIndex(s.period[~s.partial]), s.step, "baseline")
    elif isinstance(window, int | np.integer):
        window = (1, int(window))
    try:
        first, last = window
    except (TypeError, ValueError) as error:
        raise InputError(f"baseline {window!r}: give a number of points, or the first and the last.") from error
    return np.asarray((s.period >= first) & (s.period <= last))


def _place(s: Series, when: Any, what: str) -> int:
    """Position of the period that holds a date (or of a point's number)."""
    label = floor(_date(when, what), s.step) if s.step else when
    first, last = s.period[0], s.period[-1]
    if not first <= label <= last:
        span = f"{first:%Y-%m-%d} to {last:%Y-%m-%d}" if s.step else f"{first} to {last}"
        raise InputError(f"{what} {when} is outside the chart, which runs from {span}.")
    return int((s.period < label).sum())


def _date(when: Any, what: str) -> pd.Timestamp:
    try:
        return pd.Timestamp(when)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} {when!r} is not a date.") from error


def _excluded(s: Series, exclude: Any) -> tuple[np.ndarray, np.ndarray]:
    """The periods that a known cause touches, and its words."""
    out, notes = np.zeros(len(s.period), bool), np.full(len(s.period), "", dtype=object)
    for cause in causes(exclude):
        if not s.step:
            inside = np.asarray((s.period >= cause.start) & (s.period <= (cause.end or cause.start)))
        else:
            first = _date(cause.start, "exclude")
            last = first if cause.end is None else _date(cause.end, "exclude")
            ends = np.array([last_day(p, s.step) for p in s.period])
            inside = np.asarray(s.period <= last) & (ends >= first)
        out |= inside
        notes[inside] = [f"{old}; {cause.reason}" if old else cause.reason for old in notes[inside]]
    return out, notes


def causes(given: Any) -> list[Cause]:
    """Known causes from records, from dates or points alone, or from the rows of an events table."""
    if isinstance(given, pd.DataFrame):
        rows = given.rename(columns={"title": "reason"})
        if "end" in rows and rows["end"].isna().any():
            title = rows.loc[rows["end"].isna(), "reason"].iloc[0]
            raise InputError(f"exclude: {title!r} has no end; give it one, or start a phase there.")
        return [_record(r, Cause) for r in rows[["start", "end", "reason"]].to_dict("records")]
    records = [c if isinstance(c, Cause | Mapping) else {"start": c} for c in given]
    return [_record(c, Cause) for c in records]


def _record(given: Any, kind: type[Record]) -> Record:
    if isinstance(given, kind):
        return given
    names = [f.name for f in fields(kind)]
    if not isinstance(given, Mapping):
        raise InputError(f"{kind.__name__.lower()} {given!r}: give a mapping with {', '.join(names)}.")
    for name in given:
        if name not in names:
            raise InputError(f"{kind.__name__.lower()} has no {name!r}. {hint(name, names)}")
    if "start" not in given:
        raise InputError(f"{kind.__name__.lower()} needs a start.")
    return kind(**given)


def in_scope(events: pd.DataFrame, scope: Mapping[str, str], period: pd.Index, step: str) -> pd.DataFrame:
    """The events that fall on the chart and do not belong to another vendor, market …: start, end, title."""
    rows = events.copy()
    for column, value in scope.items():
        if column in rows:
            rows = rows[rows[column].isna() | (rows[column] == "") | (rows[column] == value)]
    rows["start"] = pd.to_datetime(rows["start"])
    rows["end"] = pd.to_datetime(rows["end"]) if "end" in rows else pd.NaT
    on_chart = (rows["start"] >= period[0]) & (rows["start"] <= last_day(period[-1], step))
    return rows.loc[on_chart, ["start", "end", "title"]].sort_values("start", kind="stable").reset_index(drop=True)
