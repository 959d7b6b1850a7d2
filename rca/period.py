"""Periods and windows: days, weeks from Monday, months, and finer; a window is a pair of dates, both inclusive."""

import datetime as dt
import re
from collections.abc import Sequence

import pandas as pd

from rca.errors import InputError

PERIODS = {"D": "day", "W": "week", "M": "month"}
# parts of a day, by the clock: for incidents; windows of them are whole days, and "last 4" is four days
FINE = {"10min": "10 minutes", "15min": "15 minutes", "30min": "half hour", "h": "hour"}
Window = str | Sequence[str | dt.date | pd.Timestamp]
Dates = tuple[pd.Timestamp, pd.Timestamp]
_WORDS = re.compile(r"last (\d+)(?: before last (\d+))?")
_DATES = re.compile(r"(\d{4}-\d\d-\d\d) to (\d{4}-\d\d-\d\d)")


def floor(when: pd.Timestamp, period: str) -> pd.Timestamp:
    """First day of the period that holds a date; of a part of a day its first minute.

    >>> floor(pd.Timestamp("2026-11-15"), "W").date()
    datetime.date(2026, 11, 9)
    """
    if period in FINE:
        return pd.Timestamp(when).floor(period)
    day = pd.Timestamp(when).normalize()
    if period == "W":
        return day - pd.Timedelta(days=day.weekday())
    return day.replace(day=1) if period == "M" else day


def step(start: pd.Timestamp, period: str, count: int = 1) -> pd.Timestamp:
    """The first day of the period `count` periods later (or earlier)."""
    if period == "M":
        return start + pd.DateOffset(months=count)
    if period in FINE:
        return start + count * pd.Timedelta(f"1{period}" if period == "h" else period)
    return start + pd.Timedelta(days=(7 if period == "W" else 1) * count)


def last_day(start: pd.Timestamp, period: str) -> pd.Timestamp:
    """The last day of the period that begins at `start`."""
    if period in FINE:
        return start.normalize()
    return step(start, period) - pd.Timedelta(days=1)


def span(first: pd.Timestamp, last: pd.Timestamp, period: str) -> pd.DatetimeIndex:
    """Every period from the one that begins at `first` to the one that begins at `last`, none left out."""
    return pd.date_range(first, last, freq={"W": "7D", "M": "MS"}.get(period, period))


def resolve(window: Window, whole: pd.DatetimeIndex, period: str, name: str = "window") -> Dates:
    """A window as two dates. `whole`: the first days of the whole periods there are, sorted.

    >>> weeks = pd.date_range("2026-01-05", periods=10, freq="7D")
    >>> [d.date().isoformat() for d in resolve("last 2", weeks, "W")]
    ['2026-03-02', '2026-03-15']
    >>> [d.date().isoformat() for d in resolve("last 4 before last 2", weeks, "W")]
    ['2026-02-02', '2026-03-01']
    >>> [d.date().isoformat() for d in resolve("2026-02-02 to 2026-03-01", weeks, "W")]
    ['2026-02-02', '2026-03-01']
    """
    what = f"give 'last 4', 'last 26 before last 8' ({PERIODS[period]}s) or dates: '2026-03-01 to 2026-04-30'"
    if isinstance(window, str) and (dates := _DATES.fullmatch(window.strip())):
        window = dates.groups()
    if isinstance(window, str):
        match = _WORDS.fullmatch(window.strip())
        if not match:
            raise InputError(f"{name} {window!r} is not a window: {what}.")
        count, skip = int(match[1]), int(match[2] or 0)
        if count < 1 or count + skip > len(whole):
            raise InputError(
                f"{name} {window!r} needs {count + skip} whole {PERIODS[period]}s, the data has {len(whole)}."
            )
        end = len(whole) - skip
        return whole[end - count], last_day(whole[end - 1], period)
    try:
        start, stop = (pd.Timestamp(d) for d in window)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} {window!r} is not a window: {what}.") from error
    if pd.isna(start) or pd.isna(stop) or start > stop:
        raise InputError(f"{name} {window!r} is not a window: it must begin before it ends.")
    return start.normalize(), stop.normalize()


def day(when: pd.Timestamp, year: bool = False) -> str:
    """A date in a sentence: `21 Sep`, with `year`: `21 Sep 2026`."""
    when = pd.Timestamp(when)
    return f"{when.day} {when:%b %Y}" if year else f"{when.day} {when:%b}"


def words(dates: Dates) -> str:
    """A window in a sentence: `21 Sep to 15 Nov 2026`."""
    first, last = dates
    return f"{day(first, year=first.year != last.year)} to {day(last, year=True)}"
