"""The default chart of one series: `rca.adjusted` for each phase, one season for all, and what to say of it."""

import numpy as np
import pandas as pd

from rca.charts import adjusted
from rca.charts.adjusted import SHORT, Batch, Scale
from rca.charts.assemble import COLUMNS, Found, change, false_rate
from rca.charts.limits import Limits
from rca.charts.phases import Plan
from rca.charts.season import Season, none, season_of
from rca.charts.series import Series, from_cube
from rca.cube import Cube
from rca.errors import TooLittleData
from rca.period import PERIODS

MORE = 1.05  # sigma_z from which periods are said to vary more than chance explains


def default_chart(s: Series, drawn: Plan, taken: Cube | bool) -> Found:
    """Limits, level change and notes. `taken`: the own season, none (False), or that of another cube."""
    seen, start = s.seen & ~drawn.excluded, int(np.argmax(drawn.rows[-1]))
    season = season_of(s.period, s.step, seen) if taken is True else none(len(s.value))
    known = np.array(drawn.rows[1:], dtype=float).reshape(-1, len(seen)).T
    linked = bool(season.name) or isinstance(taken, Cube)
    scales = [adjusted.scale(batch_of(s), base, linked) for base in drawn.bases]
    sc, base = scales[-1], drawn.bases[-1]
    off = _pattern_of(taken, s) if isinstance(taken, Cube) else np.zeros_like(sc.v)
    fit = adjusted.joint(sc, seen, base, season, known, off, start)

    frozen = bool(season.name) and len(scales) == 1 and season.fewest <= base.sum() < seen.sum()
    fitted_on = base if frozen else seen
    if season.name:
        off = adjusted.pattern(sc, fit, fitted_on, season)
    coefficients = season.columns.shape[1]
    spent = np.sqrt(fitted_on.sum() / (fitted_on.sum() - coefficients)) if season.name else 1.0
    parts = []
    for each, own in zip(scales, drawn.bases, strict=True):
        # a short baseline cannot tell its autocorrelation: limits are provisional, and take that of everything
        if (season.yearly and not frozen) or own.sum() == seen.sum() or own.sum() < SHORT:
            phi = fit.phi
        else:
            phi = adjusted.own_phi(each, own, off, own.sum() / (coefficients + 1 if season.yearly else 2))
        parts.append(adjusted.adjust(each, own, off, phi, coefficients if frozen else 1, spent))

    columns = {
        name: np.concatenate([getattr(part, name)[0][rows] for part, rows in zip(parts, drawn.rows, strict=True)])
        for name in COLUMNS
    }
    moved = adjusted.level_change(sc, fit, base, season.yearly, start)
    suggested = moved is not None and bool(moved.suggested[0])
    last, short = parts[-1], base.sum() < SHORT
    return Found(
        chart=_name(s, sc, float(last.sigma_z[0])),
        reason=_reason(s, sc, base, float(last.sigma_z[0])),
        limits=Limits(**columns, sigma_z=float(last.sigma_z[0]) if sc.by_chance[0, 0] else None),
        change=_record(s, seen & drawn.rows[-1], moved) if moved is not None and suggested else None,
        notes=_notes(s, last, season, isinstance(taken, Cube), short),
        rate=false_rate(drawn, True, 1 + 3 / base.sum() if short else 1.0),
        phi=float(last.phi[0]),
        season=season.name or "of the total" * isinstance(taken, Cube),
    )


def batch_of(s: Series) -> Batch:
    """One series as a batch of one."""
    return Batch(s.metric.kind, *(np.atleast_2d(x) for x in (s.value, s.n, s.total, s.sd)))


def _pattern_of(total: Cube, s: Series) -> np.ndarray:
    """The season of another cube, on this one's periods (in logits or logs, so that it fits any level)."""
    other = from_cube(total)
    season = season_of(other.period, other.step, other.seen)
    if not season.name:
        raise TooLittleData(
            f"season: the cube given has {other.seen.sum()} {PERIODS[other.step]}s, too few for a season."
        )
    sc = adjusted.scale(batch_of(other), other.seen, True)
    nothing = np.zeros((len(other.period), 0))
    fit = adjusted.joint(sc, other.seen, other.seen, season, nothing, np.zeros_like(sc.v))
    pattern = adjusted.pattern(sc, fit, other.seen, season)[0]
    own = pd.Series(pattern, index=other.period).reindex(s.period)
    if own[s.seen].isna().any():
        raise TooLittleData("season: the cube given does not cover every period of this one.")
    return own.fillna(0).to_numpy()[None, :]


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
    if short:
        notes.append(f"provisional until there are {SHORT} {unit}s")
    return tuple(notes)
