"""Many series side by side, judged in one pass: those with the same holes together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rca import rules
from rca.charts import adjusted
from rca.charts.false_signals import rate_after, rate_inside
from rca.charts.limits import FEWEST, RARE
from rca.charts.scale import Batch
from rca.charts.season import Season
from rca.charts.series import within
from rca.cube import Cube


@dataclass(frozen=True, eq=False)
class Grid:
    """Series x periods: counts, `value`, `sd`, and `seen` (with cases, in a whole period); `keys`: one row each."""

    keys: pd.DataFrame
    period: pd.DatetimeIndex
    kind: str
    n: np.ndarray
    total: np.ndarray
    value: np.ndarray
    sd: np.ndarray
    seen: np.ndarray


def grid(cube: Cube, by: Sequence[str]) -> Grid:
    """The series of a cube, one for each combination of `by`; a period without cases keeps its place."""
    frame = cube.frame if tuple(by) == tuple(cube.by) else cube.over(by).frame
    groups = frame.groupby(list(by), sort=True)
    series, period = groups.ngroup().to_numpy(), cube.periods
    place = period.get_indexer(pd.DatetimeIndex(frame["period"]))
    columns = {}
    for measure in ("n", "total", "total_sq"):
        table = np.zeros((groups.ngroups, len(period)))
        if measure in frame:
            table[series, place] = frame[measure]
        columns[measure] = table
    n, total = columns["n"], columns["total"]
    value = np.divide(total, n, out=np.full_like(n, np.nan), where=n > 0)
    sd = within(n, total, columns["total_sq"]) if cube.metric.kind == "mean" else np.full_like(n, np.nan)
    seen = (n > 0) & period.isin(cube.whole)
    keys = frame[list(by)].drop_duplicates().sort_values(list(by), ignore_index=True)
    return Grid(keys, period, cube.metric.kind, n, total, value, sd, seen)


def alike(seen: np.ndarray) -> Iterator[np.ndarray]:
    """The series that were seen in the same periods, group by group."""
    if not len(seen):
        return
    packed = np.packbits(seen, axis=1)
    _, group = np.unique(packed.view(f"V{packed.shape[1]}").ravel(), return_inverse=True)
    order = np.argsort(group, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(group[order])) + 1)


@dataclass(frozen=True, eq=False)
class Pass:
    """What one pass found; missing where a series was not judged.

    Series x periods: limits, z and `marks` per rule. Per series: the change that fits best (`at`: its period, -1
    where none was tried), `rate`: how many of its points noise would mark, `note`: why it was not judged.
    """

    center: np.ndarray
    lcl: np.ndarray
    ucl: np.ndarray
    z: np.ndarray
    marks: dict[str, np.ndarray]
    at: np.ndarray
    size: np.ndarray
    step: np.ndarray
    strength: np.ndarray
    p_value: np.ndarray
    rate: np.ndarray
    note: np.ndarray


def judge(
    g: Grid,
    base: np.ndarray,
    names: Sequence[str],
    season_for: Callable[[np.ndarray], Season],
    taken: np.ndarray | None,
) -> Pass:
    """The default chart of every series (`rca.charts.adjusted`), then the rules `names`.

    `base` marks the periods of the baseline; `season_for` gives the season of series seen in given periods;
    `taken` is the pattern of the total, to take off first.
    """
    count, width = g.n.shape
    lines = {name: np.full((count, width), np.nan) for name in ("center", "lcl", "ucl", "z")}
    single = {name: np.full(count, np.nan) for name in ("size", "strength", "p_value")}
    out = Pass(
        **lines, **single, marks={name: np.zeros((count, width), dtype=bool) for name in names},
        at=np.full(count, -1), step=np.zeros(count, dtype=bool), rate=np.zeros(count), note=_not_judged(g, base),
    )  # fmt: skip
    fine = np.flatnonzero(out.note == "")
    for group in alike(g.seen[fine]):
        rows = fine[group]
        seen = g.seen[rows[0]]
        own = seen & base
        batch = Batch(g.kind, g.value[rows], g.n[rows], g.total[rows], g.sd[rows])
        found = adjusted.judge(batch, seen, season_for(seen), [own], taken=taken)
        part, change = found.parts[0], found.change
        out.center[rows], out.lcl[rows], out.ucl[rows] = part.center, part.lcl, part.ucl
        out.z[rows] = part.z
        judged = part.z[:, seen]
        for name in names:
            marks = np.zeros((len(rows), width), dtype=bool)
            marks[:, seen] = rules.RULES[name].find(judged)
            out.marks[name][rows] = marks
        if "beyond_limits" in names:
            later = rate_after(int(own.sum()), True, adjusted.short(int(own.sum())))
            out.rate[rows] = own.sum() * rate_inside(int(own.sum())) + (seen.sum() - own.sum()) * later
        out.rate[rows] += seen.sum() * sum(rules.RULES[name].rate for name in names if name != "beyond_limits")
        if change is not None:
            out.at[rows], out.size[rows], out.step[rows] = change.at, change.size, change.step
            out.strength[rows], out.p_value[rows] = change.strength, change.p_value
    return out


def _not_judged(g: Grid, base: np.ndarray) -> np.ndarray:
    """Why a series cannot be judged, "" where it can."""
    own = g.seen & base
    note = np.full(len(g.n), "", dtype=object)
    if g.kind != "mean":
        with np.errstate(invalid="ignore"):
            share = (g.total * g.seen).sum(axis=1) / (g.n * g.seen).sum(axis=1)
        spread = share * (1 - share) if g.kind == "proportion" else share
        typical = np.array([np.median(n[seen]) if seen.any() else 0 for n, seen in zip(g.n, g.seen, strict=True)])
        note[typical * spread < RARE] = f"fewer than {RARE} events a period: chart it alone"
    note[~(own[:, 1:] & own[:, :-1]).any(axis=1)] = "no two neighbouring periods in the baseline"
    note[own.sum(axis=1) < FEWEST] = f"fewer than {FEWEST} periods in the baseline"
    return note
