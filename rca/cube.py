"""The cube: per period and combination of dimensions the counts that every analysis reads, and nothing else."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from rca.errors import InputError, hint, known
from rca.metric import Metric
from rca.period import FINE, PERIODS, Dates, Window, resolve, span

# columns of a cube and of its pairs: what a dimension cannot be called
RESERVED = {"period", *(f"{m}{w}" for m in ("n", "total", "total_sq") for w in ("", "_before", "_after"))}
MISSING = "(missing)"  # the value of a dimension that a case does not have
OTHER = "(other)"  # the smaller values of a dimension that has too many


@dataclass(frozen=True, eq=False, repr=False)
class Cube:
    """Counts of one metric.

    frame    columns `period` (first day; of a part of a day its first minute), one per dimension (text), `n`
             (denominator), `total` (numerator) and, for a mean, `total_sq` (sum of squares); one row per combination
             that occurs
    partial  periods that the data does not cover whole: drawn, not judged
    scope    what the rows were restricted to, for titles
    zone     whose clocks the periods show, where known: parts of a day need it in the nights that clocks change
    mediators  dimensions that arise after the outcome began, as the source marks them

    >>> weeks = ["2026-01-05", "2026-01-12"]
    >>> frame = pd.DataFrame({"period": weeks, "market": "MX", "n": [50, 60], "total": [40, 45]})
    >>> cube = Cube(frame, Metric(name="csat", kind="proportion", better="up"), by=["market"])
    >>> cube.series().value.tolist()
    [0.8, 0.75]
    """

    frame: pd.DataFrame
    metric: Metric
    by: Sequence[str] = ()
    period: str = "W"
    partial: Sequence[pd.Timestamp] = ()
    scope: Mapping[str, str] = field(default_factory=dict)
    zone: str | None = None
    mediators: Sequence[str] = ()

    def __post_init__(self) -> None:
        known(self.period, FINE | PERIODS, "period")
        by = tuple([self.by] if isinstance(self.by, str) else self.by)
        if taken := sorted(RESERVED.intersection(by)):
            raise InputError(f"a dimension cannot be called {taken[0]!r}: results have a column of that name.")
        needed = ["period", *by, "n", "total", *(["total_sq"] if self.metric.kind == "mean" else [])]
        for column in needed:
            if column not in self.frame.columns:
                raise InputError(
                    f"a cube of {self.metric.name} needs a column {column!r}. {hint(column, self.frame.columns)}"
                )
        columns: dict[str, Any] = {"period": pd.to_datetime(self.frame["period"]).astype("datetime64[us]")}
        names = {}
        for dimension in by:  # summed by number: texts are made once per value, not once per row
            codes, values = pd.factorize(self.frame[dimension])
            texts = pd.Series([*map(str, values), MISSING]).astype(str)
            place, names[dimension] = pd.factorize(texts, sort=True)
            columns[dimension] = place[codes]
        columns |= {measure: self.frame[measure] for measure in needed[1 + len(by) :]}
        frame = pd.DataFrame(columns).groupby(["period", *by], as_index=False, sort=True).sum()
        for dimension in by:
            frame[dimension] = names[dimension].take(frame[dimension].to_numpy()).array
        object.__setattr__(self, "frame", frame)
        object.__setattr__(self, "by", by)
        object.__setattr__(self, "partial", tuple(pd.Timestamp(p) for p in self.partial))

    @classmethod
    def of_clean(cls, **fields: Any) -> "Cube":
        """A cube of fields as `__post_init__` leaves them, rows sorted and one per combination; nothing is checked."""
        cube = object.__new__(cls)
        cube.__dict__.update(fields)
        return cube

    def __repr__(self) -> str:
        if self.frame.empty:
            return f"<Cube: {self.metric.name}, no cases>"
        first, last = self.frame["period"].iloc[0], self.frame["period"].iloc[-1]
        return (
            f"<Cube: {self.metric.name} by {', '.join(self.by) or 'nothing'}; {self.frame['n'].sum():,.0f}"
            f" {self.metric.cases}, {first:%Y-%m-%d} to {last:%Y-%m-%d}, period {self.period}>"
        )

    @cached_property
    def periods(self) -> pd.DatetimeIndex:
        """Every period from first to last; one without cases keeps its place."""
        found = self.frame["period"]
        return span(found.min(), found.max(), self.period) if len(found) else pd.DatetimeIndex([])

    @cached_property
    def whole(self) -> pd.DatetimeIndex:
        """The periods that the data covers whole."""
        return self.periods.difference(pd.DatetimeIndex(list(self.partial)))

    @property
    def measures(self) -> list[str]:
        """The columns that add up."""
        return [c for c in ("n", "total", "total_sq") if c in self.frame]

    def series(self) -> pd.DataFrame:
        """One row per period, gaps included (n = 0, value missing): period, measures, `value`, `partial`."""
        rows = self.frame.groupby("period")[self.measures].sum().reindex(self.periods, fill_value=0)
        rows["value"] = rows["total"] / rows["n"].where(rows["n"] > 0)
        rows["partial"] = rows.index.isin(self.partial)
        return rows.rename_axis("period").reset_index()

    def window(self, window: Window, name: str = "window") -> Dates:
        """A window of this cube as two dates; refuses one that holds no cases."""
        fine = self.period in FINE
        whole = self.whole.normalize().unique() if fine else self.whole
        first, last = resolve(window, whole, "D" if fine else self.period, name)
        if not self._begin(first, last).any():
            first_day, last_day = self.frame["period"].min(), self.frame["period"].max()
            raise InputError(
                f"{name} {first:%Y-%m-%d} to {last:%Y-%m-%d} holds no {self.metric.cases};"
                f" the data runs from {first_day:%Y-%m-%d} to {last_day:%Y-%m-%d} (period {self.period})."
            )
        return first, last

    def within(self, window: Window, name: str = "window") -> "Cube":
        """The part of the cube whose periods begin inside a window."""
        first, last = self.window(window, name)
        return self._rows(self._begin(first, last))

    def where(self, segment: Mapping[str, str]) -> "Cube":
        """The part of the cube inside one segment."""
        inside = np.ones(len(self.frame), dtype=bool)
        for dimension, value in segment.items():
            known(dimension, self.by, "dimension")
            inside &= (self.frame[dimension] == value).to_numpy()
        return self._rows(inside)

    def over(self, by: Iterable[str]) -> "Cube":
        """The cube with only the dimensions `by`, the others summed over."""
        return replace(self, by=[known(b, self.by, "dimension") for b in ([by] if isinstance(by, str) else by)])

    def pair(self, before: Window, after: Window) -> pd.DataFrame:
        """Two windows side by side: dimensions, then each measure with `_before` and `_after`; 0 where absent."""
        windows = {"before": before, "after": after}
        sides = {name: self._begin(*self.window(window, name)) for name, window in windows.items()}
        here = np.logical_or.reduce(list(sides.values()))
        rows = self.frame[here]
        counts = {
            f"{measure}_{name}": np.where(inside[here], rows[measure], 0)
            for name, inside in sides.items()
            for measure in self.measures
        }
        keys = [rows[dimension].to_numpy() for dimension in self.by] or [np.zeros(len(rows))]
        sums = pd.DataFrame(counts).groupby(keys).sum().rename_axis(list(self.by) or None)
        return sums.reset_index(drop=not self.by)

    def _begin(self, first: pd.Timestamp, last: pd.Timestamp) -> np.ndarray:
        """The rows whose period begins on one of these days."""
        period = self.frame["period"]
        return ((period >= first) & (period < last + pd.Timedelta(days=1))).to_numpy()

    def _rows(self, keep: np.ndarray) -> "Cube":
        """The cube with some of its rows; they are clean, so that nothing is checked again."""
        own = {name: self.__dict__[name] for name in self.__dataclass_fields__}
        return Cube.of_clean(**{**own, "frame": self.frame[keep].reset_index(drop=True)})
