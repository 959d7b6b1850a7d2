"""The series of a fix check: which periods lie before and after the fix, which are left out, and the siblings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from rca import known_step
from rca.cube import Cube
from rca.errors import InputError, TooLittleData, known
from rca.period import PERIODS, Dates, Window, last_day, step
from rca.sentences import segment_words

RAMP = {"W": 2, "M": 1}  # periods that a fix needs to take hold, where nobody says
YEAR = {"W": 52, "M": 12}
PROBLEM = 5  # periods that a problem needs for a level of its own; a shorter spell may be noise
USED = ("before", "problem", "after")
Controls = str | Mapping[str, Sequence[str]]


@dataclass(frozen=True, eq=False)
class History:
    """A KPI before and after a fix.

    rows      one per period: measures, `period, value, siblings` (their mean), `phase` (see `phases`)
    start     the day from which the fix was in effect; `siblings`: the names of the units without it
    """

    rows: pd.DataFrame
    period: str
    start: pd.Timestamp
    siblings: tuple[str, ...]

    @property
    def used(self) -> np.ndarray:
        return self.rows["phase"].isin(USED).to_numpy()

    @property
    def base(self) -> np.ndarray:
        """What is common to the siblings, 0 without them."""
        return self.rows["siblings"].fillna(0).to_numpy(float)

    @property
    def z(self) -> np.ndarray:
        """What is looked at: the value, or its difference from the siblings."""
        return self.rows["value"].to_numpy(float) - self.base

    def count(self, phase: str) -> int:
        return int((self.rows["phase"] == phase).sum())

    def design(self, times: np.ndarray) -> known_step.Design:
        """The design at these periods, numbered from 0; they may lie beyond the last."""
        first = int((self.rows["period"] < self.start).sum())
        bad = np.flatnonzero(self.rows["phase"] == "problem")
        problem = int(bad[0]) if len(bad) else None
        return known_step.design(times, first, YEAR[self.period], problem, bool(self.siblings))


def history(
    cube: Cube,
    start: pd.Timestamp,
    where: Mapping[str, str],
    controls: Controls | None,
    ramp: int | None,
    trigger: Window | None,
    problem_since: pd.Timestamp | None,
) -> History:
    """Put a fix on the periods of a cube; the arguments are those of `fix_check`."""
    if problem_since is not None and problem_since >= start:
        raise InputError(f"problem_since {problem_since:%Y-%m-%d} is not before the fix, {start:%Y-%m-%d}.")
    cube = weeks_from(cube, start)
    rows, siblings = series(cube, where, controls)
    wait = RAMP[cube.period] if ramp is None else ramp
    rows["phase"] = phases(rows, cube.period, start, wait, spell(cube, trigger), problem_since)
    return History(rows, cube.period, start, tuple(siblings))


def weeks_from(cube: Cube, start: pd.Timestamp) -> Cube:
    """A cube of days (or parts of them) as weeks counted from a day, so that every weekday is in every period."""
    if cube.period in YEAR:
        return cube
    day, days = pd.DatetimeIndex(cube.frame["period"]), cube.whole
    week = start + pd.to_timedelta((day - start).days // 7 * 7, unit="D")
    whole = [w for w in week.unique() if w >= days[0] and last_day(w, "W") <= days[-1]]
    partial = [w for w in week.unique() if w not in whole]
    return replace(cube, frame=cube.frame.assign(period=week), period="W", partial=partial)


def series(cube: Cube, where: Mapping[str, str], controls: Controls | None) -> tuple[pd.DataFrame, list[str]]:
    """`Cube.series()` of the segment with the fix and the plain mean of its `siblings`, and the siblings' names.

    Siblings are the same segment at the other values of a dimension; one that lacks cases in some period is none. Equal
    weights, since fitted ones shrink the siblings and leave part of what is common in.
    """
    rows = cube.where(where).series()
    if not rows["n"].any():
        raise TooLittleData(
            f"{cube.metric.label}: no {cube.metric.cases} where the fix was made, {segment_words(where)}."
        )
    rows = rows.set_index("period").reindex(cube.periods)
    rows["partial"] = rows.index.isin(cube.partial)
    rows = rows.fillna(dict.fromkeys(cube.measures, 0)).rename_axis("period")
    if controls is None:
        return rows.assign(siblings=np.nan).reset_index(), []
    dimension = controls if isinstance(controls, str) else next(iter(controls), "")
    known(dimension, cube.by, "dimension of controls")
    if dimension not in where:
        raise InputError(f"controls={dimension!r} needs where to say which {dimension} had the fix, got {where}.")
    same = cube.where({name: value for name, value in where.items() if name != dimension}).frame
    sums = same.groupby(["period", dimension])[["n", "total"]].sum()
    levels = (sums["total"] / sums["n"].where(sums["n"] > 0)).unstack().reindex(cube.periods)
    chosen = (
        [str(name) for name in levels] if isinstance(controls, str) else [str(name) for name in controls[dimension]]
    )
    others = [known(name, map(str, levels), dimension) for name in chosen if name != where[dimension]]
    whole = levels.loc[rows["value"].notna() & ~rows["partial"], others].notna().all()
    found = [name for name in others if whole[name]]
    if not found:
        raise InputError(f"controls={dimension!r}: no other {dimension} has {cube.metric.cases} in every period.")
    return rows.assign(siblings=levels[found].mean(axis=1)).reset_index(), found


def phases(
    rows: pd.DataFrame,
    period: str,
    start: pd.Timestamp,
    ramp: int,
    trigger: Dates | None,
    problem_since: pd.Timestamp | None,
) -> np.ndarray:
    """What each period is to the check; those in `USED` count.

    before, problem, after; ramp: the fix took hold; trigger: the spell that led to the fix, which would flatter it;
    partial: not covered whole; empty: no value.
    """
    first = pd.DatetimeIndex(rows["period"])
    last = pd.DatetimeIndex([last_day(day, period) for day in first])
    phase = np.where(first >= start, "after", "before").astype(object)
    if problem_since is not None:
        bad = (last >= problem_since) & (first < start)
        phase[bad] = "problem" if bad.sum() >= PROBLEM else "trigger"
    if trigger is not None:
        phase[(last >= trigger[0]) & (first <= trigger[1]) & (first < start)] = "trigger"
    phase[(last >= start) & (first < step(start, period, ramp))] = "ramp"
    phase[rows["partial"].to_numpy(bool)] = "partial"
    phase[rows["value"].isna().to_numpy()] = "empty"
    return phase


def spell(cube: Cube, window: Window | None) -> Dates | None:
    """The periods that led to the fix, as dates; more than a few are a problem, not a spell of bad luck."""
    if window is None:
        return None
    first, last = cube.window(window, "trigger")
    count = int(cube.periods.to_series().between(first, last).sum())
    if count >= PROBLEM:
        unit = PERIODS[cube.period]
        raise InputError(
            f"trigger has {count} {unit}s; a problem of {PROBLEM} and more has a level of its own: give its first day"
            f" as problem_since instead."
        )
    return first, last
