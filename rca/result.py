"""What every analysis returns: a table, facts, one sentence, a picture."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from rca.metric import Metric
from rca.period import Dates

if TYPE_CHECKING:
    from rca.finding import Evidence, Finding


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """What one analysis found. Subclasses add typed fields and define `facts`, `headline` and `plot`.

    table     tidy frame at full precision, one row per thing analysed
    metric    the KPI that was analysed
    facts     JSON-ready scalars: this result's row in an index
    headline  one sentence, built from facts only, caveats included
    plot(ax)  draws `table` on `ax` (or a new figure) and returns the Axes; never computes, shows or saves
    findings  what of it belongs on a manager's list (`rca.findings` says how to write one); nothing if not defined
    compared  the windows before and after, where it compares two
    card      what a KPI card at the top of the page says (`Kpi` in rca/batch/record.py), where it has one
    """

    table: pd.DataFrame
    metric: Metric

    @property
    def facts(self) -> dict[str, Any]:
        raise NotImplementedError

    @property
    def headline(self) -> str:
        raise NotImplementedError

    def plot(self, ax: Any = None) -> Any:
        raise NotImplementedError

    def findings(self, evidence: "Evidence") -> "Iterable[Finding]":
        return ()

    @property
    def compared(self) -> tuple[Dates, Dates] | None:
        return None

    @property
    def card(self) -> dict[str, Any] | None:
        return None

    @property
    def display(self) -> pd.DataFrame:
        """`table` as a reader wants it: fewer columns, texts instead of fractions."""
        return self.table

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.headline}>"

    def _repr_html_(self) -> str:
        shown, most = self.display, 40
        body = shown.head(most).to_html(index=False, border=0, na_rep="", classes="rca") if len(shown) else ""
        rest = f"<p>The other {len(shown) - most} rows: <code>.table</code></p>" if len(shown) > most else ""
        rows = f"{len(shown)} row{'s' * (len(shown) != 1)}"
        table = f"<details><summary>Table, {rows}</summary>{body}{rest}</details>" if body else ""
        return f'<div class="rca-result"><p><b>{escape(self.headline)}</b></p>{table}</div>'


def rows(table: pd.DataFrame) -> Iterator[Any]:
    """The rows of a table as named tuples."""
    yield from table.itertuples()


class Many(Mapping[str, Any]):
    """One result per metric, in the order asked. Shown below each other; `plot` draws one panel each."""

    def __init__(self, results: Mapping[str, Result]):
        self._results: dict[str, Any] = dict(results)

    def __getitem__(self, name: str) -> Any:
        return self._results[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    def __repr__(self) -> str:
        return "\n".join(repr(r) for r in self._results.values())

    def _repr_html_(self) -> str:
        return "".join(r._repr_html_() for r in self._results.values())

    @property
    def dimensions(self) -> list[str]:
        """The dimensions that the segments found are in: all that a question about the same segments needs."""
        return sorted({d for r in self._results.values() for i in range(len(r.table)) for d in r.where(i)})

    def plot(self) -> Any:
        """Draw every result, one panel below the other; returns the array of Axes."""
        from rca.plotting.style import panels

        return panels(list(self._results.values()))


def each(analysis: Callable[..., Result], subjects: Mapping[str, Any], **options: Any) -> Many:
    """Run one analysis for every metric: `each(rca.pareto, cubes, by="market")`.

    An option that is a mapping with the same metrics as keys gives each metric its own value.
    """

    def own(value: Any, name: str) -> Any:
        return value[name] if isinstance(value, Mapping) and set(subjects) <= set(value) else value

    return Many(
        {
            name: analysis(subject, **{key: own(value, name) for key, value in options.items()})
            for name, subject in subjects.items()
        }
    )


def named(table: pd.DataFrame, numbers: str, i: int) -> dict[str, str]:
    """The i-th segment of a table as a mapping: what stands between its name and the first of its `numbers`."""
    row = table.iloc[i, 1 : table.columns.get_loc(numbers)].dropna()
    return {str(dimension): row[dimension] for dimension in sorted(row.index)}
