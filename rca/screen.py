"""Which of many series changed? One pass over all of them, two icons each, no more false names than promised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from rca import rules as run_rules
from rca.charts.assurance import assurance
from rca.charts.chart import when
from rca.charts.default import pattern_of
from rca.charts.grid import Grid, Pass, grid, judge
from rca.charts.season import none, season_of
from rca.cube import Cube
from rca.errors import InputError, TooLittleData, known
from rca.period import Window
from rca.result import Result
from rca.sentences import count, moved

FALSE_SHARE = 0.10  # of the series named as changed, the share that noise may have put there
ORDER = {"worse": 0, "better": 1, "steady": 2, "": 3}


@dataclass(frozen=True, eq=False, repr=False)
class Screen(Result):
    """Many series of one metric, what matters first: worse, better, steady, not judged.

    table   one row per series: its dimensions; `last, last_period, center, lcl, ucl, target`; `variation` (worse,
            better, steady; "" where not judged) and `assurance` (always, never, hit and miss, ""); `signals,
            first_signal, latest_signal`: points that break a rule; the level change that fits best: `date, size,
            kind, impact` (size times the cases since then), `p_value, p_adj` (Benjamini-Hochberg); `note`
    points  one row per series and period: dimensions, `period, value, n, center, lcl, ucl, z`, a boolean per rule
    expected  points that noise alone would mark, over all series
    """

    points: pd.DataFrame
    by: tuple[str, ...]
    rules: tuple[str, ...]
    expected: float
    step: str

    @property
    def facts(self) -> dict[str, Any]:
        rows = self.table
        counts = rows["variation"].value_counts()
        first = rows.iloc[0]
        changed = first["variation"] in ("worse", "better")
        return {
            "metric": self.metric.name,
            "by": list(self.by),
            "series": len(rows),
            "judged": int((rows["variation"] != "").sum()),
            "worse": int(counts.get("worse", 0)),
            "better": int(counts.get("better", 0)),
            "false_share": FALSE_SHARE,
            "signals": int(rows["signals"].sum()),
            "expected_false_signals": round(self.expected, 1),
            "first": {
                "series": name_of(first, self.by),
                "variation": first["variation"],
                "date": first["date"].date().isoformat(),
                "size": float(first["size"]),
                "kind": first["kind"],
                "impact": float(first["impact"]),
            } if changed else None,
        }  # fmt: skip

    @property
    def headline(self) -> str:
        facts, noun = self.facts, " and ".join(d.replace("_", " ") for d in self.by)
        changed = facts["worse"] + facts["better"]
        text = f"{self.metric.label}: "
        if changed:
            text += f"{changed:,} of {facts['judged']:,} series by {noun} changed level"
            text += f" ({facts['worse']:,} worse, {facts['better']:,} better)"
            top = facts["first"]
            way = when(top["date"], self.step) if top["kind"] == "step" else "little by little"
            size = self.metric.change(top["size"], signed=False)
            text += f"; first {top['series']}, which {moved(top['size'])} by {size} {way}"
        else:
            text += f"none of {facts['judged']:,} series by {noun} changed level beyond noise"
        points = count(facts["signals"], "point breaks a rule", "points break a rule")
        text += f"; {points}, {facts['expected_false_signals']:,.0f} expected from noise alone"
        left = facts["series"] - facts["judged"]
        return text + (f"; {left:,} series had too little to judge." if left else ".")

    @property
    def display(self) -> pd.DataFrame:
        """The table in words."""
        rows, metric = self.table, self.metric
        changed = rows["variation"].isin(["worse", "better"])
        return pd.DataFrame({
            **{d: rows[d] for d in self.by},
            "last": [metric.text(v) for v in rows["last"]],
            "variation": rows["variation"].where(rows["variation"] != "", rows["note"]),
            "target": rows["assurance"],
            "change": [metric.change(v) if c else "" for v, c in zip(rows["size"], changed, strict=True)],
            "since": [f"{d:%Y-%m-%d}" if c else "" for d, c in zip(rows["date"], changed, strict=True)],
            "signals": rows["signals"],
        })  # fmt: skip

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.screen import draw

        return draw(self, ax)


def name_of(row: Mapping[str, Any] | pd.Series, by: Sequence[str]) -> str:
    """A series in words: `Andes`, or `Andes, MX`."""
    return ", ".join(str(row[d]) for d in by)


def screen(
    cube: Cube,
    by: str | Sequence[str],
    *,
    baseline: Window | None = None,
    season: Literal["own", "total", "none"] = "own",
    rules: str | Sequence[str] = "beyond_limits",
) -> Screen:
    """Judge many series of one metric in one pass.

    Each gets the default chart of `rca.control_chart`. A series is called worse or better when its level change
    survives Benjamini and Hochberg's (1995) correction over all series, so that at most a tenth of those called are
    noise. Single points are listed beside the number that noise alone gives: heavy tails break their p-values.

    Parameters
    ----------
    by : one or several dimensions of the cube: a series for each combination
    baseline : the window that sets the limits; all whole periods if None
    season : pattern of week or year to take out: each series' own, that of the "total" (steadier where series are
        small or young), or "none"
    rules : run rules to mark points by (`rca.rules`)

    Examples
    --------
    >>> from rca.metric import Metric
    >>> weeks = pd.date_range("2026-01-05", periods=30, freq="7D")
    >>> steady = [50, 46, 53, 48, 51, 47, 52, 49, 54, 45] * 3
    >>> frame = pd.DataFrame({
    ...     "period": [*weeks, *weeks], "vendor": ["Andes"] * 30 + ["Baltic"] * 30, "n": 900,
    ...     "total": steady + steady[:20] + [t + 40 for t in steady[20:]]})
    >>> late = Metric(name="late", kind="proportion", better="down", cases="orders")
    >>> screen(Cube(frame, late, by=["vendor"]), "vendor").table[["vendor", "variation"]].values.tolist()
    [['Baltic', 'worse'], ['Andes', 'steady']]
    """
    dimensions = tuple([by] if isinstance(by, str) else by)
    for dimension in dimensions:
        known(dimension, cube.by, "dimension")
    if not dimensions:
        raise InputError("screen needs a dimension: give by='vendor', say.")
    if cube.frame.empty:
        raise TooLittleData(f"{cube.metric.label}: there are no {cube.metric.cases} to screen.")
    names = run_rules.names(rules)
    if run_rules.LEVEL_CHANGE in names:
        names = tuple(n for n in names if n != run_rules.LEVEL_CHANGE)  # always tested here
    known(season, ("own", "total", "none"), "season")

    g = grid(cube, dimensions)
    base = np.ones(len(g.period), dtype=bool)
    if baseline is not None:
        first, last = cube.window(baseline, "baseline")
        base = np.asarray((g.period >= first) & (g.period <= last))
    total = pattern_of(cube.over(()), g.period) if season == "total" else None

    def season_for(seen: np.ndarray) -> Any:
        return season_of(g.period, cube.period, seen) if season == "own" else none(len(g.period))

    found = judge(g, base, names, season_for, total)
    if (found.note != "").all():
        raise TooLittleData(f"{cube.metric.label}: none of {len(g.n)} series can be judged: {found.note[0]}.")
    return Screen(
        table=_table(g, found, cube, names, dimensions), metric=cube.metric, points=_points(g, found, dimensions),
        by=dimensions, rules=names, expected=float(found.rate.sum()), step=cube.period,
    )  # fmt: skip


def _table(g: Grid, found: Pass, cube: Cube, names: Sequence[str], by: Sequence[str]) -> pd.DataFrame:
    metric, width = cube.metric, g.n.shape[1]
    judged, place = found.note == "", np.arange(width)
    last = np.where(g.seen.any(axis=1), width - 1 - g.seen[:, ::-1].argmax(axis=1), 0)
    rows = np.arange(len(g.n))
    broken: np.ndarray = np.zeros(g.n.shape, dtype=bool)
    for name in names:
        broken |= found.marks[name]
    signalled, tried = np.asarray(broken.any(axis=1)), found.at >= 0
    p_adj = np.full(len(rows), np.nan)
    if tried.any():
        p_adj[tried] = false_discovery_control(found.p_value[tried])
    at = np.maximum(found.at, 0)
    kept = tried & (p_adj <= FALSE_SHARE)
    towards = np.sign(np.nan_to_num(found.size)) * metric.sign
    variation = np.where(kept, np.where(towards > 0, "better", "worse"), np.where(judged, "steady", ""))
    target = metric.target(g.period[last.max()])
    goal = np.nan if target is None else target
    first_seen = g.seen.argmax(axis=1)
    # a drift began where the series begins, and on average has gained half its size
    start, gained = np.where(found.step, at, first_seen), np.where(found.step, found.size, found.size / 2)
    since = (place >= start[:, None]) & g.seen
    table = g.keys.assign(
        last=g.value[rows, last], last_period=g.period[last], center=found.center[rows, last],
        lcl=found.lcl[rows, last], ucl=found.ucl[rows, last], target=goal, variation=variation,
        assurance=[
            assurance(low, high, target, metric.better) if ok and target is not None else ""
            for low, high, ok in zip(found.lcl[rows, last], found.ucl[rows, last], judged, strict=True)
        ],
        signals=broken.sum(axis=1),
        first_signal=_date(g, broken.argmax(axis=1), signalled),
        latest_signal=_date(g, width - 1 - broken[:, ::-1].argmax(axis=1), signalled),
        date=_date(g, start, tried), size=np.where(tried, found.size, np.nan),
        kind=np.where(tried, np.where(found.step, "step", "drift"), ""),
        impact=np.where(tried, gained * (g.n * since).sum(axis=1), np.nan),
        strength=found.strength, p_value=found.p_value, p_adj=p_adj, note=found.note,
    )  # fmt: skip
    keys = pd.DataFrame({
        "group": [ORDER[v] for v in variation],
        "impact": np.where(kept, -np.abs(table["impact"]), 0.0),
        "p": table["p_value"].fillna(2),
    })  # fmt: skip
    order = keys.sort_values(["group", "impact", "p"], kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _date(g: Grid, place: np.ndarray, there: np.ndarray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(np.where(there, g.period.to_numpy()[place], np.datetime64("NaT")))


def _points(g: Grid, found: Pass, by: Sequence[str]) -> pd.DataFrame:
    count, width = g.n.shape
    columns: dict[str, Any] = {d: np.repeat(g.keys[d].to_numpy(), width) for d in by}
    columns["period"] = np.tile(g.period.to_numpy(), count)
    arrays = {"value": g.value, "n": g.n, "center": found.center, "lcl": found.lcl, "ucl": found.ucl, "z": found.z}
    return pd.DataFrame(columns | {name: a.ravel() for name, a in (arrays | found.marks).items()})
