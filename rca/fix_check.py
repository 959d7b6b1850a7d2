"""Did the fix work? The step at its date against trend, season, autocorrelation and units that had no fix."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from rca import fix_words, known_step
from rca import sentences as say
from rca.cube import Cube
from rca.effect import one_case
from rca.errors import InputError, TooLittleData
from rca.fix_caveats import caveats_of, earlier_change
from rca.fix_series import USED, YEAR, Controls, History, history
from rca.fix_words import FEWEST, RULED_OUT, SHOWN
from rca.period import PERIODS, Dates, Window, last_day
from rca.result import Result

if TYPE_CHECKING:
    from rca.finding import Evidence, Finding

COLUMNS = ["period", "value", "n", "siblings", "phase"]


@dataclass(frozen=True, eq=False, repr=False)
class FixCheck(Result):
    """What a fix did to one KPI.

    table       one row per period: `period, value, n, siblings` (their mean), `phase, used, fitted`, and from the fix
                on `counterfactual` (what it would be without the fix) with its 95 % interval `low, high`
    verdict     "worked", "no effect", "got worse" or "cannot be told yet"
    effect      in KPI units, after less what it would be without the fix; `conf_low, conf_high`: 95 % interval. Missing
                where there are too few periods after the fix
    excluded    90 % interval: larger effects either way are excluded (one-sided 95 %)
    margin      a smaller effect counts as none
    expected    the effect hoped for, or None; `against` says in words how the found one compares
    more        further periods until an effect as hoped for (else of one standard deviation) would be shown, or, where
                one would have been, until half of it would be ruled out; None: not within a year
    cases       effect times the cases since the fix has taken hold, with its interval
    recovered   share of what an established problem had cost, or None
    siblings    units without the fix that it is compared with
    caveats     what a reader must know
    """

    change_at: pd.Timestamp
    period: str
    where: Mapping[str, str]
    siblings: Sequence[str]
    verdict: str
    counts: Mapping[str, int]
    effect: float = np.nan
    conf_low: float = np.nan
    conf_high: float = np.nan
    excluded: tuple[float, float] = (np.nan, np.nan)
    p_value: float = np.nan
    margin: float = np.nan
    expected: float | None = None
    against: str = ""
    more: int | None = None
    cases: tuple[float, float, float] = (np.nan, np.nan, np.nan)
    recovered: float | None = None
    phi: float = np.nan
    sd: float = np.nan
    caveats: tuple[str, ...] = ()

    @property
    def facts(self) -> dict[str, Any]:
        numbers = ("effect", "conf_low", "conf_high", "p_value", "margin", "phi", "sd", "expected", "recovered")
        found = {name: getattr(self, name) for name in numbers}
        found |= dict(zip(("excluded_low", "excluded_high"), self.excluded, strict=True))
        found |= dict(zip(("cases", "cases_low", "cases_high"), self.cases, strict=True))
        return {
            "metric": self.metric.name,
            "verdict": self.verdict,
            "change_at": self.change_at.date().isoformat(),
            "where": dict(self.where),
            "siblings": len(self.siblings),
            "periods": dict(self.counts),
            **{name: None if value is None or np.isnan(value) else float(value) for name, value in found.items()},
            "against": self.against,
            "more": self.more,
            "caveats": list(self.caveats),
        }

    @property
    def headline(self) -> str:
        return fix_words.headline(self)

    @property
    def levels(self) -> tuple[float, float]:
        """The mean level since the fix has taken hold, and what it would be without the fix."""
        after = self.table[self.table["phase"] == "after"]
        return float(after["fitted"].mean()), float(after["counterfactual"].mean())

    @property
    def compared(self) -> tuple[Dates, Dates]:
        """The dates before the fix (of an established problem, if there is one) and those after it took hold."""
        return self._dates("problem" if self.counts["problem"] else "before"), self._dates("after")

    def _dates(self, phase: str) -> Dates:
        found = self.table.loc[self.table["phase"] == phase, "period"]
        first, last = (found.iloc[0], found.iloc[-1]) if len(found) else (self.change_at, self.change_at)
        return first, last_day(last, self.period)

    @property
    def card(self) -> dict[str, Any]:
        from rca.fix_findings import fix_card

        return fix_card(self)

    def findings(self, evidence: "Evidence") -> "Iterator[Finding]":
        from rca.fix_findings import fix_findings

        return fix_findings(self, evidence)

    @property
    def display(self) -> pd.DataFrame:
        """The periods from the last ones before the fix on, in words."""
        shown = self.table[self.table["period"] >= self.change_at]
        text = self.metric.text
        columns = {"period": shown["period"].dt.strftime("%Y-%m-%d"), "phase": shown["phase"]}
        columns |= {"value": shown["value"].map(text), "without the fix": shown["counterfactual"].map(text)}
        return pd.DataFrame(columns)

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.fix_check import draw

        return draw(self, ax)


def fix_check(
    cube: Cube,
    *,
    change_at: Any,
    where: Mapping[str, str] | None = None,
    controls: Controls | None = None,
    ramp: int | None = None,
    trigger: Window | None = None,
    problem_since: Any = None,
    expected: float | None = None,
    repeated: bool = False,
) -> FixCheck:
    """Compare a KPI after a fix with what it would be without: worked, no effect, got worse, or cannot be told yet.

    A step at a known date beside a trend and a season that are held back, with the correlation of neighbouring periods
    averaged over (`rca.known_step`). False verdicts: 1 to 7 in 100, whatever the length of the series
    (bench/fix_check.py). A second event on the same date cannot be told apart; siblings that it hit, too, take it out.

    Parameters
    ----------
    change_at : the day from which the fix was in effect
    where : the segment that was fixed, dimension -> value; all cases if None
    controls : the dimension along which other values are siblings without the fix, such as "vendor" (`where` then names
        the vendor that had it), or chosen ones: {"vendor": ["Baltic", "Cedar"]}. Three and more are useful
    ramp : periods that the fix needed to take hold, left out; 2 weeks or 1 month if None
    trigger : the window of the bad periods that led to the fix, left out because they would flatter it; under 5
    problem_since : the first day of the problem that the fix was for; from 5 periods on it is a level of its own, with
        which the time after is compared; a shorter one is left out
    expected : the effect hoped for, in KPI units and with its sign: half of it is the margin of "no effect"
    repeated : True where the verdict is looked at again every period: intervals are then a fifth wider

    Days are summed to weeks from the day of the fix on.

    Raises
    ------
    TooLittleData : fewer than 8 periods to compare with

    Examples
    --------
    >>> from rca.metric import Metric
    >>> late = Metric(name="late", label="Late deliveries", kind="proportion", better="down", cases="orders")
    >>> weeks = pd.date_range("2026-01-05", periods=38, freq="7D")
    >>> total = [190, 205, 200, 198, 207] * 5 + [200] + [142, 139, 137, 145, 138, 141] * 2
    >>> cube = Cube(pd.DataFrame({"period": weeks, "n": 1000, "total": total}), late)
    >>> found = fix_check(cube, change_at="2026-07-06", ramp=0, expected=-0.05)
    >>> found.verdict, round(found.effect, 2), found.against
    ('worked', -0.06, 'at least the −5.0 points expected')
    """
    m, start = cube.metric, _date(change_at, "change_at")
    if expected is not None and not expected * m.sign > 0:
        raise InputError(
            f"expected {expected:g} is no improvement: of {m.label} {'more' if m.sign > 0 else 'less'} is better."
            f" Give the difference hoped for with its sign."
        )
    since, where = None if problem_since is None else _date(problem_since, "problem_since"), dict(where or {})
    past = history(cube, start, where, controls, ramp, trigger, since)
    unit = PERIODS[past.period]
    if past.count("before") < FEWEST["before"]:
        got = say.count(past.count("before"), unit)
        raise TooLittleData(
            f"{m.label}: {got} before the fix to compare with; at least {FEWEST['before']} are needed."
        )
    caveats, earlier = tuple(caveats_of(past, m)), earlier_change(past, m, since)
    known: dict[str, Any] = {"metric": m, "change_at": start, "period": past.period, "where": where}
    known |= {"siblings": past.siblings, "expected": expected, "caveats": (*earlier, *caveats)}
    known |= {"counts": {name: past.count(name) for name in (*USED, "ramp", "trigger")}}
    if past.count("after") < FEWEST["after"]:
        nothing = dict.fromkeys(("fitted", "counterfactual", "low", "high"), np.nan)
        return FixCheck(past.rows[COLUMNS].assign(used=past.used, **nothing), verdict="cannot be told yet", **known)
    found = _checked(past, known_step.LATER if repeated else 1.0, known)
    if earlier and found.verdict == "got worse":  # or what was there before the fix goes on
        return replace(found, verdict="cannot be told yet")
    return found


def _checked(past: History, wider: float, known: dict[str, Any]) -> FixCheck:
    """The effect and its verdict; intervals are `wider` by this factor."""
    m, used, expected, t = known["metric"], past.used, known["expected"], np.arange(len(past.rows))
    plan = past.design(t[used])
    step = known_step.fit(past.z[used][None, :], plan)
    chance = np.sqrt(one_case(past.rows[used], m.kind))
    sampling = chance * known_step.sampling(past.rows["n"].to_numpy(float)[used], plan)
    error = wider * max(float(step.error[0]), sampling)
    effect, sd, phi = (float(x[0]) for x in (step.effect, step.sd, step.phi))
    margin = (sd if expected is None else abs(expected)) / 2
    verdict = known_step.VERDICTS[int(known_step.verdict(np.array(effect * m.sign), error, step.df, margin))]
    wide, narrow = (float(stats.t.ppf(p, step.df)) * error for p in (0.975, 0.95))
    low, high = effect - wide, effect + wide
    fitted = past.design(t).columns @ step.coefficients[0] + past.base
    without = np.where(past.rows["period"] >= past.start, fitted - effect, np.nan)
    table = past.rows[COLUMNS].assign(
        used=used,
        fitted=np.where(used, fitted, np.nan),
        counterfactual=without,
        low=without - wide,
        high=without + wide,
    )
    phase = past.rows["phase"]
    volume = float(past.rows["n"][phase == "after"].sum())
    cost = past.z[phase == "problem"].mean() - past.z[phase == "before"].mean() if past.count("problem") else 0.0
    return FixCheck(
        table,
        verdict=verdict,
        effect=effect,
        conf_low=low,
        conf_high=high,
        excluded=(effect - narrow, effect + narrow),
        p_value=float(2 * stats.t.sf(abs(effect) / error, step.df)),
        margin=margin,
        against=fix_words.against(m, low, high, expected),
        more=_more(past, phi, wide, margin),
        cases=(effect * volume, low * volume, high * volume),
        recovered=-effect / cost if cost * m.sign < 0 else None,
        phi=phi,
        sd=sd,
        **known,
    )


def _more(past: History, phi: float, wide: float, margin: float) -> int | None:
    """The first number of further periods that would make the interval narrow enough, within a year."""
    t, shown = np.arange(len(past.rows)), SHOWN * 2 * margin
    target = shown if wide > shown else RULED_OUT * margin
    now = known_step.half_width(past.design(t[past.used]), phi)

    def enough(more: int) -> bool:
        later = past.design(np.concatenate([t[past.used], len(t) + np.arange(more)]))
        return wide / now * known_step.half_width(later, phi) <= target

    year = range(1, YEAR[past.period] + 1)
    found = bisect_left(year, True, key=enough)  # more periods never tell less
    return year[found] if found < len(year) else None


def _date(given: Any, name: str) -> pd.Timestamp:
    found = pd.to_datetime(given, errors="coerce")
    if not isinstance(found, pd.Timestamp):
        raise InputError(f"{name} {given!r} is not a date; write it as '2026-09-21'.")
    return found.normalize()
