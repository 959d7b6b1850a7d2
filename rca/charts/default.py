"""The default chart of one series: `rca.adjusted` for each phase, one season for all, and what to say of it."""

import numpy as np
import pandas as pd

from rca.charts import adjusted
from rca.charts.assemble import COLUMNS, change
from rca.charts.false_signals import false_rate
from rca.charts.found import Found
from rca.charts.limits import SHORT, Limits
from rca.charts.phases import Plan
from rca.charts.scale import Batch, Scale, scale
from rca.charts.season import Season, none, season_of
from rca.charts.series import Series, from_cube
from rca.cube import Cube
from rca.errors import TooLittleData
from rca.period import PERIODS

MORE = 1.05  # sigma_z from which periods are said to vary more than chance explains


def default_chart(s: Series, drawn: Plan, taken: Cube | bool) -> Found:
    """Limits, level change and notes. `taken`: the own season, none (False), or that of another cube."""
    seen, base = s.seen & ~drawn.excluded, drawn.bases[-1]
    season = season_of(s.period, s.step, seen) if taken is True else none(len(s.value))
    off = None
    if isinstance(taken, Cube):
        off = pattern_of(taken, s.period)
        if np.isnan(off[seen]).any():
            raise TooLittleData("season: the cube given does not cover every period of this one.")
    judged = adjusted.judge(batch_of(s), seen, season, drawn.bases, drawn.rows, off)
    columns = {
        name: np.concatenate(
            [getattr(part, name)[0][rows] for part, rows in zip(judged.parts, drawn.rows, strict=True)]
        )
        for name in COLUMNS
    }
    sc, moved, last, short = judged.scale, judged.change, judged.parts[-1], base.sum() < SHORT
    suggested = moved is not None and bool(moved.suggested[0])
    return Found(
        chart=_name(s, sc, float(last.sigma_z[0])),
        reason=_reason(s, sc, base, float(last.sigma_z[0])),
        limits=Limits(**columns, sigma_z=float(last.sigma_z[0]) if sc.by_chance[0, 0] else None),
        change=_record(s, seen & drawn.rows[-1], moved) if moved is not None and suggested else None,
        notes=_notes(s, last, season, isinstance(taken, Cube), short),
        rate=false_rate(drawn, True, adjusted.short(int(base.sum()))),
        phi=float(last.phi[0]),
        season=season.name or "of the total" * isinstance(taken, Cube),
    )


def batch_of(s: Series) -> Batch:
    """One series as a batch of one."""
    return Batch(s.metric.kind, *(np.atleast_2d(x) for x in (s.value, s.n, s.total, s.sd)))


def pattern_of(total: Cube, period: pd.Index) -> np.ndarray:
    """The season of another cube in logits or logs, to fit any level; missing in periods that it does not have."""
    other = from_cube(total)
    season = season_of(other.period, other.step, other.seen)
    if not season.name:
        unit = PERIODS[other.step]
        raise TooLittleData(f"season: the cube given has {other.seen.sum()} {unit}s, too few to show a season.")
    sc = scale(batch_of(other), other.seen, linked=True)
    fit = adjusted.joint(sc, other.seen, other.seen, season, np.zeros((len(other.period), 0)), np.zeros_like(sc.v))
    found = adjusted.pattern(sc, fit, other.seen, season)[0]
    return pd.Series(found, index=other.period).reindex(period).to_numpy()


def _record(s: Series, seen: np.ndarray, moved: adjusted.Change) -> dict:
    return change(s, seen, int(moved.at[0]), float(moved.size[0]), float(moved.p_value[0]), bool(moved.step[0]))


def _name(s: Series, sc: Scale, sigma_z: float) -> str:
    if not sc.by_chance[0, 0]:
        return "xmr"
    plain = {"proportion": "p", "rate": "u", "mean": "xbar_s"}[s.metric.kind]
    return plain + "'" * (sigma_z >= MORE and plain != "xbar_s")


def typical(s: Series, base: np.ndarray) -> str:
    """What is charted, in words: `a share of about 620 answers a week`."""
    kind = {"proportion": "a share", "mean": "a mean", "rate": "a rate"}[s.metric.kind]
    return f"{kind} of about {np.median(s.n[base]):,.0f} {s.metric.cases} a {PERIODS[s.step]}"


def _reason(s: Series, sc: Scale, base: np.ndarray, sigma_z: float) -> str:
    unit = f"{PERIODS[s.step]}s"
    if not sc.by_chance[0, 0]:
        return f"{typical(s, base)}; {unit} vary more than the cases within them explain"
    if sigma_z < MORE:
        return f"{typical(s, base)}; {unit} vary as chance explains"
    return f"{typical(s, base)}; {unit} vary {sigma_z:.1f} times as much as chance explains"


def _notes(s: Series, last: adjusted.Adjusted, season: Season, total: bool, short: bool) -> tuple[str, ...]:
    unit, notes = PERIODS[s.step], []
    if season.name or total:
        notes.append(f"{season.name or 'the total’s'} pattern taken out")
    if last.wider[0] >= MORE:
        because = []
        if last.phi[0] >= 0.05:
            because.append(f"neighbouring {unit}s correlate {last.phi[0]:.1f}")
        if short:
            because.append("the baseline is short")
        notes.append(
            f"limits {100 * (last.wider[0] - 1):.0f} % wider" + f", as {' and '.join(because)}" * bool(because)
        )
    return tuple(notes)
