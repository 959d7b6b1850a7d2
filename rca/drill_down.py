"""From the vital few down to what they consist of: issue, sub-issue, SOP. Children add up to their parent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.counted import amounts, counted, counting
from rca.cube import Cube
from rca.errors import InputError, known
from rca.pareto import pareto
from rca.period import Window
from rca.result import Result
from rca.sentences import percent

TOP = 4  # segments named at each step


@dataclass(frozen=True, eq=False, repr=False)
class DrillDown(Result):
    """A tree of Paretos, opened where a segment is one of the vital few.

    table  one row per node, parents before their children: `depth` (0 is the first dimension), `dimension, segment,
           path` (`issue_type=refund & issue_subtype=late`), `count, share` (of all), `of_parent` (of the parent),
           `n, rate, judged` (against the rest of the same parent), `vital` (among the vital few of its parent)
    """

    path: tuple[str, ...]

    @property
    def chain(self) -> pd.DataFrame:
        """The largest vital segment, the largest within it, and so on."""
        rows, inside = [], ""
        for depth in range(len(self.path)):
            level = self.table[(self.table["depth"] == depth) & self.table["vital"]]
            level = level[level["path"].str.startswith(f"{inside} & ")] if inside else level
            if level.empty:
                break
            rows.append(level.iloc[0])
            inside = str(level["path"].iloc[0])
        return pd.DataFrame(rows, columns=self.table.columns)

    @property
    def facts(self) -> dict[str, Any]:
        chain = self.chain
        return {
            "metric": self.metric.name,
            "by": list(self.path),
            "count": float(self.table.loc[self.table["depth"] == 0, "count"].sum()),
            "chain": chain["segment"].tolist(),
            "chain_of_parent": chain["of_parent"].tolist(),
            "chain_share": float(chain["share"].iloc[-1]) if len(chain) else 0.0,
        }

    @property
    def headline(self) -> str:
        facts, words = self.facts, [d.replace("_", " ") for d in self.path]
        what = counted(self.metric, facts["count"])
        if not facts["chain"]:
            return f"No vital few by {words[0]} among {what}."
        of = [what, *["that"] * len(words)]
        steps = zip(words, facts["chain"], facts["chain_of_parent"], of, strict=False)
        parts = [f"{word} {segment} holds {percent(share)} of {whole}" for word, segment, share, whole in steps]
        if len(parts) < len(words):
            parts.append(f"below that, no vital few by {words[len(parts)]}")
        return f"{self.metric.label}: {'; '.join(parts)}."

    @property
    def display(self) -> pd.DataFrame:
        rows, metric = self.table, self.metric
        indent = [" · " * d for d in rows["depth"]]
        return pd.DataFrame(
            {
                "segment": [i + s for i, s in zip(indent, rows["segment"], strict=True)],
                "dimension": rows["dimension"].str.replace("_", " "),
                counting(metric): amounts(metric, rows["count"]),
                "share": rows["share"].map(percent),
                "of its parent": rows["of_parent"].map(percent),
                metric.label: rows["rate"].map(metric.text),
                "in its parent": rows["judged"],
                "vital": np.where(rows["vital"], "vital", ""),
            }
        )

    @property
    def panel_height(self) -> float:
        """Inches that a panel of this result wants."""
        return 0.9 + 0.23 * len(self.table)

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.drill_down import draw

        return draw(self, ax)


def drill_down(cube: Cube, *, path: Sequence[str], within: Window | None = None, top: int = TOP) -> DrillDown:
    """A Pareto by the first dimension of `path`, and inside each of its vital few one by the next, and so on.

    What is not named at a step is one row `Other (k)`, so that the rows of a parent add up to it exactly.

    >>> from rca.metric import Metric
    >>> frame = pd.DataFrame({"period": "2026-01-05", "issue": ["refund", "refund", "refund", "account"],
    ...                       "sop": ["A", "B", "C", "A"], "n": 500, "total": [200, 20, 20, 60]})
    >>> calls = Metric(name="escalated", kind="proportion", better="down", cases="calls")
    >>> drill_down(Cube(frame, calls, by=["issue", "sop"]), path=["issue", "sop"]).headline
    'Escalated: issue refund holds 80 % of 300 calls that raise escalated; sop A holds 83 % of that.'
    """
    path = tuple([path] if isinstance(path, str) else path)
    if not path or len(set(path)) < len(path):
        raise InputError(f"a path names one or more different dimensions, from coarse to fine; got {list(path)}.")
    for dimension in path:
        known(dimension, cube.by, "dimension")
    part = cube if within is None else cube.within(within)
    rows = pd.DataFrame(list(_descend(part, path, {}, top)))
    rows.insert(5, "share", rows["count"] / (rows.loc[rows["depth"] == 0, "count"].sum() or 1))
    return DrillDown(rows, cube.metric, path)


def _descend(cube: Cube, path: Sequence[str], where: Mapping[str, str], top: int) -> Iterator[dict[str, Any]]:
    """The rows of one parent, each vital one followed by its children."""
    dimension, *finer = path
    level = pareto(cube, by=dimension, top=top).shown
    for row in level.to_dict("records"):
        inside = {**where, dimension: row["segment"]}
        yield {
            "depth": len(where),
            "dimension": dimension,
            "segment": row["segment"],
            "path": " & ".join(f"{d}={v}" for d, v in inside.items()),
            "count": row["count"],
            "of_parent": row["share"],
            **{c: row[c] for c in ("n", "rate", "judged", "vital")},
        }
        if row["vital"] and finer:
            yield from _descend(cube.where({dimension: row["segment"]}), finer, inside, top)
